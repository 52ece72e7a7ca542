/** Handwritten digits as rows of a matrix, in an order that the seed gives. */
import { glyphSide, loadDigits } from '../../models/digits/synthesis/digits.ts';
import { Random } from '../../models/digits/synthesis/random.ts';

export const classes = 10;
export const pixels = glyphSide * glyphSide;

export interface DigitSet {
  /** N·784, ink of 0–1. */
  readonly images: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
}

/** The first `perClass` digits of each class of a split, shuffled. */
export function digitSet(split: 'training' | 'heldOut', perClass: number, seed: number): DigitSet {
  const chosen = loadDigits(split).flatMap((ofClass) => ofClass.slice(0, perClass));
  const images = new Float32Array(chosen.length * pixels);
  const labels = new Int32Array(chosen.length);
  shuffled(chosen.length, new Random(seed)).forEach((from, to) => {
    const { ink, label } = chosen[from]!;
    labels[to] = label;
    images.set(ink, to * pixels);
  });
  return { images, labels };
}

/** 0 … count − 1 in random order. */
export function shuffled(count: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer([0, i]);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
}

/** Copies image `row` to `out`, moved by dx, dy pixels, less the mean ink 0.13. */
export function copyMoved(
  images: Float32Array,
  row: number,
  out: Float32Array,
  dx: number,
  dy: number,
): void {
  for (let y = 0; y < glyphSide; y++) {
    for (let x = 0; x < glyphSide; x++) {
      const [fromX, fromY] = [x - dx, y - dy];
      const inside = fromX >= 0 && fromX < glyphSide && fromY >= 0 && fromY < glyphSide;
      out[y * glyphSide + x] = (inside ? images[row * pixels + fromY * glyphSide + fromX]! : 0) - 0.13;
    }
  }
}
