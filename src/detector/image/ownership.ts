/**
 * Frames that must be closed: a `VideoFrame` or `ImageBitmap` handed to `detect` belongs to the detector.
 *
 * A decoder lends out only a few frames; one that is never closed stalls the video. `FrameLedger` closes each frame
 * exactly once whatever happens to the call, and counts.
 */
import type { ImageSource } from '../types.ts';

/** The sources that own memory outside the JavaScript heap. */
export type OwnedFrame = VideoFrame | ImageBitmap;

/** True for a `VideoFrame` or `ImageBitmap`, also where those classes do not exist. */
export function isOwnedFrame(source: unknown): source is OwnedFrame {
  return (
    (typeof VideoFrame === 'function' && source instanceof VideoFrame) ||
    (typeof ImageBitmap === 'function' && source instanceof ImageBitmap)
  );
}

/** Counts and closes the frames of one detector. */
export class FrameLedger {
  opened = 0;
  closed = 0;

  /** Takes over the frames among `sources`; the function returned closes those still open, and may be called again. */
  adopt(sources: readonly ImageSource[]): () => void {
    let frames: OwnedFrame[] | undefined;
    for (const source of sources) {
      if (!isOwnedFrame(source)) continue;
      frames ??= [];
      if (!frames.includes(source)) frames.push(source);
    }
    if (frames === undefined) return nothing;
    this.opened += frames.length;
    const owned = frames;
    return () => {
      for (const frame of owned.splice(0)) {
        frame.close();
        this.closed++;
      }
    };
  }
}

function nothing(): void {}
