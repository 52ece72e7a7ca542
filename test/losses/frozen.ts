/** Central differences in float64 of losses that detach a term, which is held while the argument moves. */
import { expect } from 'vitest';

export type Floats = Float64Array;

/** A loss with its gradient at some inputs, and its value elsewhere with the detached terms held. */
export interface Frozen {
  readonly inputs: readonly Floats[];
  readonly gradients: readonly ArrayLike<number>[];
  readonly held: (inputs: readonly Floats[]) => number;
}

const cases = 500;

/** Every argument, `cases` entries each, those with a kink within the step left out. */
export function checkSlopes(make: (seed: number) => Frozen): void {
  const { inputs: first } = make(1);
  first.forEach((_, argument) => {
    let checked = 0;
    for (let seed = 1; checked < cases; seed += 100) {
      const { inputs, gradients, held } = make(seed);
      const x = inputs[argument]!;
      const gradient = gradients[argument]!;
      const bound = Math.max(1, ...Array.from(gradient, Math.abs));
      for (let i = 0; i < x.length; i += 2) {
        const at = x[i]!;
        const value = (step: number): number => {
          x[i] = at + step;
          const result = held(inputs);
          x[i] = at;
          return result;
        };
        const h = 1e-5;
        const narrow = (value(h) - value(-h)) / (2 * h);
        const wide = (value(2 * h) - value(-2 * h)) / (4 * h);
        if (Math.abs(narrow - wide) > 1e-6 * bound) continue;
        expect(Math.abs((4 * narrow - wide) / 3 - gradient[i]!)).toBeLessThanOrEqual(1e-6 * bound);
        checked++;
      }
    }
  });
}
