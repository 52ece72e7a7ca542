/**
 * Seeded numbers for goldens, the twin of `seeded.py`: counter-based integers (lowbias32) scaled by powers of two, so
 * that both languages hold the same float32 inputs and a golden need not store them.
 */

/** A 32-bit integer scrambled (lowbias32). */
export function mix(value: number): number {
  let x = value >>> 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  x ^= x >>> 16;
  return x >>> 0;
}

/** `count` whole numbers from 0 to bound − 1. */
export function integers(seed: number, count: number, bound: number): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: count }, (_, i) => mix(mix(seed) + i) % bound);
}

/** `count` multiples of 2⁻¹⁶ from low (inclusive) to high (exclusive); exact in float32 while |value| < 256. */
export function uniform(seed: number, count: number, low: number, high: number): Float64Array<ArrayBuffer> {
  const steps = Math.round((high - low) * 65536);
  return Float64Array.from({ length: count }, (_, i) => low + (mix(mix(seed) + i) % steps) / 65536);
}
