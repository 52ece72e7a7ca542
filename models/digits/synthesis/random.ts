/**
 * A seeded random generator (mulberry32), so that a scene is a pure function of its seed and index.
 *
 * Every scene has a generator of its own, made by hashing seed, split and index: scenes can be made in any order, in
 * any process, and stay the same.
 */

/** Mixes integers into one 32-bit seed (the finaliser of MurmurHash3 over each). */
export function hashSeed(...values: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const value of values) {
    hash = Math.imul(hash ^ (value >>> 0), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** Uniform in [low, high). */
  range(range: readonly [number, number]): number {
    return range[0] + (range[1] - range[0]) * this.next();
  }

  /** Log-uniform in [low, high): each octave equally often. */
  logRange(range: readonly [number, number]): number {
    return range[0] * (range[1] / range[0]) ** this.next();
  }

  /** Uniform integer in low … high, both included. */
  integer(range: readonly [number, number]): number {
    return range[0] + Math.floor(this.next() * (range[1] - range[0] + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)] as T;
  }

  /** A key of `weights`, as often as its weight says; weights sum to 1. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    let left = this.next();
    const keys = Object.keys(weights) as K[];
    for (const key of keys) {
      left -= weights[key];
      if (left < 0) return key;
    }
    return keys[keys.length - 1] as K;
  }
}

/** A table of standard normal values, shared by all noise: 77 000 draws a scene would cost more than the rest. */
export const normalTable: Float32Array<ArrayBuffer> = makeNormalTable(1 << 16);

function makeNormalTable(length: number): Float32Array<ArrayBuffer> {
  const random = new Random(hashSeed(length));
  const table = new Float32Array(length);
  for (let i = 0; i < length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
    const angle = 2 * Math.PI * random.next();
    table[i] = radius * Math.cos(angle);
    table[i + 1] = radius * Math.sin(angle);
  }
  return table;
}
