/** Plays the embedded clip: decodes the frame that is due, in a loop, at the clip's own rate. */
import type { ClipIndex } from '../../clip/write.ts';
import { Alarm } from './alarm.ts';
import { type ClipFile, cutClip, type GroundTruth } from './clipFile.ts';
import type { FrameSource, SourceFrame } from './types.ts';

export class ClipSource implements FrameSource {
  readonly kind = 'clip';
  readonly label = 'Moving digits, synthesised';
  readonly mirror = false;
  readonly duration: number;
  readonly #clip: ClipFile;
  readonly #alarm = new Alarm();
  #playing = true;
  /** Seconds into the clip at `#since`. */
  #from = 0;
  #since = performance.now();

  constructor(clip: ClipFile) {
    this.#clip = clip;
    this.duration = clip.frames.length / clip.index.framesPerSecond;
  }

  get playing(): boolean {
    return this.#playing;
  }

  get position(): number {
    const elapsed = this.#playing ? (performance.now() - this.#since) / 1000 : 0;
    return (this.#from + elapsed) % this.duration;
  }

  play(): void {
    this.#since = performance.now();
    this.#playing = true;
    this.#alarm.ring();
  }

  pause(): void {
    this.#from = this.position;
    this.#playing = false;
  }

  seek(seconds: number): void {
    this.#from = Math.min(Math.max(seconds, 0), this.duration - 1e-6);
    this.#since = performance.now();
    this.#alarm.ring();
  }

  repeat(): void {
    if (!this.#playing) this.#alarm.ring();
  }

  truth(index: number): GroundTruth | null {
    return this.#clip.index.frames[index] ?? null;
  }

  async *frames(signal: AbortSignal): AsyncGenerator<SourceFrame> {
    const rate = this.#clip.index.framesPerSecond;
    while (!signal.aborted) {
      const index = Math.floor(this.position * rate) % this.#clip.frames.length;
      const timestamp = performance.now();
      const image = await createImageBitmap(this.#clip.frames[index]!);
      if (signal.aborted) {
        image.close();
        return;
      }
      yield { image, index, timestamp };
      await this.#alarm.wait(this.#playing ? this.#untilFrame(index + 1) : Number.POSITIVE_INFINITY, signal);
    }
  }

  dispose(): void {
    this.pause();
  }

  /** Milliseconds until a frame is due, 0 when it is late; one more, because timers may fire a little early. */
  #untilFrame(index: number): number {
    const start = index / this.#clip.index.framesPerSecond;
    const late = this.position >= start || start - this.position > this.duration / 2;
    return late ? 0 : (start - this.position) * 1000 + 1;
  }
}

/** Fetches the clip that the build rendered, from the folder at `url`. */
export async function loadClip(url: string): Promise<ClipSource> {
  const read = async (name: string) => {
    const response = await fetch(new URL(name, url));
    if (!response.ok) throw new Error(`${name} did not load: ${response.status} ${response.statusText}`);
    return response;
  };
  const [index, pictures] = await Promise.all([read('clip.json'), read('clip.bin')]);
  return new ClipSource(cutClip((await index.json()) as ClipIndex, await pictures.arrayBuffer()));
}
