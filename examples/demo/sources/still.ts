/** A dropped picture: one frame, emitted again whenever a setting changes. */
import { Alarm } from './alarm.ts';
import type { FrameSource, SourceFrame } from './types.ts';

export class StillSource implements FrameSource {
  readonly kind = 'still';
  readonly mirror = false;
  readonly playing = false;
  readonly duration = 0;
  readonly position = 0;
  readonly label: string;
  readonly #image: Blob;
  readonly #alarm = new Alarm();

  constructor(label: string, image: Blob) {
    this.label = label;
    this.#image = image;
  }

  play(): void {
    this.#alarm.ring();
  }

  pause(): void {}

  seek(): void {}

  repeat(): void {
    this.#alarm.ring();
  }

  truth(): null {
    return null;
  }

  async *frames(signal: AbortSignal): AsyncGenerator<SourceFrame> {
    for (let index = 0; !signal.aborted; index++) {
      const timestamp = performance.now();
      yield { image: await createImageBitmap(this.#image), index, timestamp };
      await this.#alarm.wait(Number.POSITIVE_INFINITY, signal);
    }
  }

  dispose(): void {}
}

/** Decodes once, to say at the drop that a file is not a picture. */
export async function openStill(file: File): Promise<StillSource> {
  try {
    (await createImageBitmap(file)).close();
  } catch (cause) {
    throw new Error(`the file ${file.name} could not be decoded as an image`, { cause });
  }
  return new StillSource(file.name, file);
}
