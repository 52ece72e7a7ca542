/** Seeded random numbers: the same seed gives the same numbers on every machine. */
import { OptionError } from '../errors.ts';

/** Numbers in [0, 1) and what is made of them. */
export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  next(): number;
  /** Whole number in [0, bound). */
  below(bound: number): number;
  /** Standard normal (Box and Muller 1958). */
  normal(): number;
}

/** sfc32 (Doty-Humphrey, PractRand), its state filled from one whole number. */
export function seededRandom(seed: number): Random {
  if (!Number.isInteger(seed)) throw new OptionError(`seed must be a whole number, got ${seed}`, { seed });
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const step = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) step();
  const next = (): number => step() / 2 ** 32;
  return {
    next,
    below: (bound) => Math.floor(next() * bound),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}

/**
 * Moves `count` randomly chosen entries of the first `length` to the front (Fisher and Yates), and returns how many
 * there are: at most `length`.
 */
export function shuffleFront(values: Int32Array, length: number, count: number, random: Random): number {
  const chosen = Math.min(count, length);
  for (let i = 0; i < chosen; i++) {
    const j = i + random.below(length - i);
    const held = values[i]!;
    values[i] = values[j]!;
    values[j] = held;
  }
  return chosen;
}
