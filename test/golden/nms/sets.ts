/**
 * Seeded box sets, the twin of `generate.py`: counter-based integers (lowbias32) and IEEE double arithmetic only, so
 * both languages make the same float32 inputs and a golden need not store them.
 */

import { mix } from '../seeded.ts';

export interface BoxSetSpec {
  readonly seed: number;
  readonly kind: string;
  readonly count: number;
  readonly classes: number;
  readonly threshold: number;
}

export interface BoxSet {
  readonly boxes: Float32Array<ArrayBuffer>;
  readonly scores: Float32Array<ArrayBuffer>;
  readonly classIds: Int32Array<ArrayBuffer>;
}

/** Integer i of stream `stream`, below `bound`. */
function integer(seed: number, stream: number, i: number, bound: number): number {
  return mix((mix((mix(seed) + stream) >>> 0) + i) >>> 0) % bound;
}

export function makeSet(spec: BoxSetSpec): BoxSet {
  const { seed, kind, count, classes } = spec;
  const boxes = new Float32Array(4 * count);
  const scores = new Float32Array(count);
  const classIds = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const u = (stream: number, bound: number): number => integer(seed, stream, i, bound);
    let x = u(1, 640000) / 1000;
    let y = u(2, 640000) / 1000;
    let w = (u(3, 100000) + 1) / 1000;
    let h = (u(4, 100000) + 1) / 1000;
    let score = (u(5, 1 << 24) + 1) / (1 << 24);
    if (kind === 'detector') {
      // 20 to 50 jittered boxes an object
      const object = Math.floor(i / (20 + (seed % 31)));
      const v = (stream: number, bound: number): number => integer(seed, stream, object, bound);
      w = 10 + v(11, 150000) / 1000;
      h = 10 + v(12, 150000) / 1000;
      x = v(13, 1200000) / 1000 + (w * (u(1, 2001) - 1000)) / 10000;
      y = v(14, 1200000) / 1000 + (h * (u(2, 2001) - 1000)) / 10000;
      w = (w * (9000 + u(3, 2001))) / 10000;
      h = (h * (9000 + u(4, 2001))) / 10000;
    } else if (kind === 'grid') {
      // small integers: many IoUs exactly at a threshold, identical boxes, equal scores
      x = u(1, 12);
      y = u(2, 12);
      w = u(3, 5);
      h = u(4, 5);
      score = (u(5, 8) + 1) / 8;
    } else if (kind === 'negative') {
      x -= 700;
      y -= 1200;
      score = (u(5, 64) - 32) / 64;
    } else if (kind === 'degenerate') {
      // zero width, zero height, inverted corners, identical boxes
      const what = u(6, 6);
      if (what === 0) w = 0;
      if (what === 1) h = 0;
      if (what === 2) w = -w;
      if (what === 3) x = y = w = h = 50;
      if (what === 4) h = -h;
    } else if (kind === 'thin') {
      w = (u(3, 600000) + 1) / 1000;
      h = (u(4, 2000) + 1) / 1000;
    } else if (kind === 'tile') {
      // nothing suppressed at 0.5 and centres all in one place: crosses of growing length
      let size = 4;
      for (let k = i % 97; k > 0; k--) size *= 1.07; // Math.pow may differ in the last place
      w = i % 2 === 0 ? size : 3000 / size;
      h = 3000 / size + (i % 89);
      x = 500 - w / 2 + u(1, 100) / 1000;
      y = 500 - h / 2 + u(2, 100) / 1000;
    } else if (kind === 'huge') {
      x *= 30000;
      y *= 30000;
      w *= 30000;
      h *= 30000;
    } else if (kind === 'integer') {
      x = u(1, 600);
      y = u(2, 600);
      w = u(3, 90) + 1;
      h = u(4, 90) + 1;
      score = ((((seed % 1000) + 1) * (i + 1) * 7919) % 1000003) / 1000003;
    }
    boxes[4 * i] = x;
    boxes[4 * i + 1] = y;
    boxes[4 * i + 2] = x + w;
    boxes[4 * i + 3] = y + h;
    scores[i] = score;
    const id = u(7, classes);
    classIds[i] = id % 3 === 2 ? -1000003 * id : id;
  }
  return { boxes, scores, classIds };
}

/** FNV-1a over 32-bit words. */
export function hashIndices(indices: ArrayLike<number>): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < indices.length; i++) hash = Math.imul(hash ^ indices[i]!, 0x01000193);
  return hash >>> 0;
}
