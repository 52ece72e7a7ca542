/** The masks of generate.py: same seed, same pixels. */
import { Sequence } from '../boxes/sequence.ts';

/** Noise, blocks, all or nothing, by the seed modulo 4; row-major. */
export function goldenBitmap(seed: number, height: number, width: number): Uint8Array<ArrayBuffer> {
  const sequence = new Sequence(seed);
  const pixels = new Uint8Array(height * width);
  const kind = seed % 4;
  if (kind === 0) {
    for (let i = 0; i < pixels.length; i++) pixels[i] = sequence.below(3) === 0 ? 1 : 0;
  } else if (kind === 3) {
    pixels.fill(seed % 8 === 3 ? 1 : 0);
  } else {
    for (let block = 0; block < 4; block++) {
      const x1 = sequence.below(width);
      const y1 = sequence.below(height);
      const x2 = Math.min(width, x1 + 1 + sequence.below(25));
      const y2 = Math.min(height, y1 + 1 + sequence.below(20));
      for (let y = y1; y < y2; y++) pixels.fill(1, y * width + x1, y * width + x2);
    }
  }
  return pixels;
}
