/**
 * The picture under the boxes. Two ways to show a stream: the newest frame at once, or each frame when its detections
 * are there. For the second the frame handed to the detector is copied first, since the detector keeps the original.
 */
import { settings } from '../state/settings.ts';
import { element } from './dom.ts';

interface Held {
  readonly canvas: OffscreenCanvas;
  readonly context: OffscreenCanvasRenderingContext2D;
  index: number;
}

function createHeld(): Held {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('this browser gives no 2D canvas');
  return { canvas, context, index: -1 };
}

export class Stage {
  readonly #picture = element('picture', HTMLCanvasElement);
  readonly #context: CanvasRenderingContext2D;
  readonly #spare: Held[] = [createHeld(), createHeld()];
  readonly #held: Held[] = [];

  constructor() {
    const context = this.#picture.getContext('2d', { alpha: false });
    if (context === null) throw new Error('this browser gives no 2D canvas');
    this.#context = context;
  }

  get width(): number {
    return this.#picture.width;
  }

  get height(): number {
    return this.#picture.height;
  }

  setMirror(on: boolean): void {
    element('stage', HTMLElement).classList.toggle('mirrored', on);
  }

  /** Shows a frame that is not going to be detected. */
  preview(image: ImageBitmap): void {
    this.#draw(image);
  }

  /** A frame came from the source. */
  produced(image: ImageBitmap): void {
    if (!settings.get().synced) this.#draw(image);
  }

  /** A frame goes to the detector, which will close it. */
  handedOver(image: ImageBitmap, index: number): void {
    const slot = this.#spare.pop() ?? createHeld();
    slot.index = index;
    if (settings.get().synced) {
      matchSize(slot.canvas, image);
      slot.context.drawImage(image, 0, 0);
    }
    this.#held.push(slot);
  }

  /** Its detections came back: shows it, if the frames wait for them, and returns its index. */
  returned(): number {
    const slot = this.#held.shift();
    if (slot === undefined) return -1;
    if (settings.get().synced) this.#draw(slot.canvas);
    this.#spare.push(slot);
    return slot.index;
  }

  /** Forgets what was handed over: its detector is gone. */
  reset(): void {
    this.#spare.push(...this.#held.splice(0));
  }

  #draw(image: ImageBitmap | OffscreenCanvas): void {
    matchSize(this.#picture, image);
    this.#context.drawImage(image, 0, 0);
  }
}

function matchSize(
  canvas: { width: number; height: number },
  image: { width: number; height: number },
): void {
  if (canvas.width !== image.width) canvas.width = image.width;
  if (canvas.height !== image.height) canvas.height = image.height;
}
