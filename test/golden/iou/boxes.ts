/** Box sets of the IoU goldens, the twin of boxes.py: the same float32 numbers in both languages. */
import { integers, uniform } from '../seeded.ts';

type SetSpec = readonly [
  seed: number,
  rows: number,
  columns: number,
  spread: number,
  smallest: number,
  largest: number,
  offset: number,
  scale: number,
];

const sets: Readonly<Record<string, SetSpec>> = {
  small: [11, 9, 8, 24, 1, 16, 0, 1],
  pixels: [12, 9, 8, 200, 4, 120, 0, 1],
  image: [13, 9, 8, 200, 1, 200, -100, 16],
  far: [14, 9, 8, 64, 4, 64, 1048576, 1],
  farther: [15, 9, 8, 64, 16, 128, -8388608, 1],
  normalised: [16, 9, 8, 200, 4, 120, 0, 2 ** -8],
  tiny: [17, 9, 8, 24, 1, 16, 0, 2 ** -30],
  minute: [18, 9, 8, 24, 1, 16, 0, 2 ** -70],
  huge: [19, 9, 8, 24, 1, 16, 0, 2 ** 40],
  vast: [20, 9, 8, 24, 1, 16, 0, 2 ** 90],
};

export const setNames = [...Object.keys(sets), 'lattice', 'slivers'];

/** Row-major float32 boxes: side 0 are the rows, 1 the columns. */
export function boxesOf(name: string, side: 0 | 1): Float32Array<ArrayBuffer> {
  if (name === 'lattice') {
    const c = integers(31 + side, 4 * 16, 4);
    return Float32Array.from(c, (_, i) => {
      const k = i - (i % 4) + (i % 2);
      return i % 4 < 2 ? Math.min(c[k]!, c[k + 2]!) : Math.max(c[k]!, c[k + 2]!);
    });
  }
  if (name === 'slivers') {
    const e = integers(41 + side, 2 * 10, 22);
    const c = uniform(51 + side, 2 * 10, -4, 4);
    const out = new Float32Array(40);
    for (let i = 0; i < 10; i++) {
      for (let k = 0; k < 2; k++) {
        out[4 * i + k] = c[2 * i + k]!;
        out[4 * i + 2 + k] = c[2 * i + k]! + 2 ** (e[2 * i + k]! - 8);
      }
    }
    return out;
  }
  const [seed, rows, columns, spread, smallest, largest, offset, scale] = sets[name]!;
  const n = side === 1 ? columns : rows;
  const corner = uniform(seed + 1000 * side, 2 * n, 0, spread);
  const size = uniform(seed + 1000 * side + 500, 2 * n, smallest, largest);
  if (side === 1) {
    corner.set(uniform(seed, 2, 0, spread));
    size.set(uniform(seed + 500, 2, smallest, largest));
  }
  const out = new Float32Array(4 * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < 2; k++) {
      out[4 * i + k] = offset + corner[2 * i + k]! * scale;
      out[4 * i + 2 + k] = offset + (corner[2 * i + k]! + size[2 * i + k]!) * scale;
    }
  }
  return out;
}
