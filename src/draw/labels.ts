/**
 * Where labels go: beside their box, inside the frame, and off each other.
 *
 * Greedy: the first label asked takes its best place, later ones the best that is still free. Places are tried in the
 * order people look: above the box, inside its top, below it, inside its bottom; from the left edge, then the right.
 */
import type { Size } from '../boxes/types.ts';

/** A label's rectangle, in canvas pixels. */
export interface LabelPlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Keeps track of the labels placed in one frame. */
export class LabelPlacer {
  readonly #frame: Size;
  readonly #placed: LabelPlace[] = [];

  constructor(frame: Size) {
    this.#frame = frame;
  }

  /**
   * A place for a label of `size` at the box x1, y1, x2, y2; always inside the frame when the label is smaller than it.
   * Where every place overlaps a label already there, the place with the least overlap is taken.
   */
  place(box: readonly [number, number, number, number], size: Size): LabelPlace {
    const [x1, y1, x2, y2] = box;
    const { width, height } = size;
    let best: LabelPlace | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const y of [y1 - height, y1, y2, y2 - height]) {
      for (const x of [x1, x2 - width]) {
        const place = this.#inFrame(x, y, width, height);
        // a label pushed far off its box would name another one: above and below count only where they fit
        if ((y === y2 || y === y1 - height) && Math.abs(place.y - y) > height / 4) continue;
        const overlap = this.#overlap(place);
        if (overlap < least) {
          best = place;
          least = overlap;
        }
        if (overlap === 0) break;
      }
      if (least === 0) break;
    }
    const chosen = best ?? this.#inFrame(x1, y1, width, height);
    this.#placed.push(chosen);
    return chosen;
  }

  #inFrame(x: number, y: number, width: number, height: number): LabelPlace {
    return {
      x: Math.max(0, Math.min(x, this.#frame.width - width)),
      y: Math.max(0, Math.min(y, this.#frame.height - height)),
      width,
      height,
    };
  }

  #overlap(place: LabelPlace): number {
    let sum = 0;
    for (const other of this.#placed) {
      const width = Math.min(place.x + place.width, other.x + other.width) - Math.max(place.x, other.x);
      const height = Math.min(place.y + place.height, other.y + other.height) - Math.max(place.y, other.y);
      if (width > 0 && height > 0) sum += width * height;
    }
    return sum;
  }
}
