/** Where frames come from: the clip, a video, the webcam, a picture. All play, pause and repeat a frame on demand. */
import type { GroundTruth } from './clipFile.ts';

export interface SourceFrame {
  readonly image: ImageBitmap;
  /** Position in the source: frame number of the clip, otherwise a running count. */
  readonly index: number;
  /** Milliseconds, on the clock of `performance.now()`. */
  readonly timestamp: number;
}

export interface FrameSource {
  readonly kind: 'clip' | 'video' | 'webcam' | 'still';
  /** File name or a description, for the caption. */
  readonly label: string;
  /** Selfie view: shown left-right reversed, detected as it is. */
  readonly mirror: boolean;
  readonly playing: boolean;
  /** Seconds; 0 where there is no end. */
  readonly duration: number;
  /** Seconds from the start. */
  readonly position: number;
  play(): void;
  pause(): void;
  seek(seconds: number): void;
  /** Emits the current frame once more, so that a paused picture follows a moved slider. */
  repeat(): void;
  /** Frames until the signal fires; the taker owns each image. */
  frames(signal: AbortSignal): AsyncIterable<SourceFrame>;
  /** Known boxes of a frame, where they are known. */
  truth(index: number): GroundTruth | null;
  dispose(): void;
}
