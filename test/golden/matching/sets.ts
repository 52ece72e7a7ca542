/** Seeded ground truths, predictions and digests for the matching goldens: the twin of sets.py. */
import { mix, uniform } from '../seeded.ts';

/** `count` boxes from 4 pixels to 60 % of the image, float32 corners. */
export function groundTruths(
  seed: number,
  count: number,
  width: number,
  height: number,
): Float32Array<ArrayBuffer> {
  const [x, y, u, v] = [
    uniform(seed, count, 0, 1),
    uniform(seed + 1, count, 0, 1),
    uniform(seed + 2, count, 0, 1),
    uniform(seed + 3, count, 0.5, 2),
  ];
  const boxes = new Float32Array(4 * count);
  for (let i = 0; i < count; i++) {
    const x1 = x[i]! * (width * 0.95);
    const y1 = y[i]! * (height * 0.95);
    const w = 4 + u[i]! * u[i]! * (width * 0.5);
    const h = 4 + u[i]! * u[i]! * (height * 0.5) * v[i]!;
    boxes.set([x1, y1, Math.min(x1 + w, width), Math.min(y1 + h, height)], 4 * i);
  }
  return boxes;
}

/** A box a point, of the nearest ground truth, jittered; scores in (0, 1). `points` are x, y, x, y … */
export function predictions(
  seed: number,
  points: ArrayLike<number>,
  ground: Float32Array,
  classes: number,
): { boxes: Float32Array<ArrayBuffer>; scores: Float32Array<ArrayBuffer> } {
  const n = points.length / 2;
  const jitter = [0, 1, 2, 3].map((k) => uniform(seed + k, n, -0.3, 0.3));
  const boxes = new Float32Array(4 * n);
  for (let i = 0; i < n; i++) {
    let own = 0;
    let nearest = Number.POSITIVE_INFINITY;
    for (let g = 0; g < ground.length / 4; g++) {
      const dx = points[2 * i]! - Math.fround(ground[4 * g]! + ground[4 * g + 2]!) / 2;
      const dy = points[2 * i + 1]! - Math.fround(ground[4 * g + 1]! + ground[4 * g + 3]!) / 2;
      const distance = dx * dx + dy * dy;
      if (distance < nearest) {
        nearest = distance;
        own = g;
      }
    }
    for (let k = 0; k < 4; k++) {
      const size = ground[4 * own + 2 + (k % 2)]! - ground[4 * own + (k % 2)]!;
      boxes[4 * i + k] = ground[4 * own + k]! + jitter[k]![i]! * size;
    }
  }
  return { boxes, scores: Float32Array.from(uniform(seed + 9, n * classes, 0.01, 0.99)) };
}

/** 32 bits that depend on every value and its place. */
export function digest(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum = (sum + mix(mix(i) ^ values[i]!)) >>> 0;
  return sum;
}

export function floatDigest(values: Float32Array): number {
  return digest(new Int32Array(values.map((value) => value + 0).buffer));
}

export function padded(side: number, stride = 32): number {
  return Math.ceil(side / stride) * stride;
}
