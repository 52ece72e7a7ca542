/** Reads golden/losses/many.json: of each of 200 cases the value, and a product of each gradient with random signs. */
import { expect } from 'vitest';
import golden from '../golden/losses/many.json' with { type: 'json' };
import { integers } from '../golden/seeded.ts';

export interface ManyOutcome {
  readonly value: number;
  readonly gradients: readonly ArrayLike<number>[];
}

type Topic = 'classification' | 'recognition' | 'recipes';

/** What is recorded of a loss, case after case. */
export function recordedCases(topic: Topic, name: string): Float64Array[] {
  return unpack((golden[topic] as Readonly<Record<string, string>>)[name]!);
}

/** The columns of a loss as its 200 cases. */
export function unpack(packed: string): Float64Array[] {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const numbers = new Float64Array(bytes.buffer);
  const width = numbers.length / golden.cases;
  return Array.from({ length: golden.cases }, (_, k) => numbers.subarray(k * width, (k + 1) * width));
}

export const manyNames = (topic: Topic): string[] => Object.keys(golden[topic]);
export const manySpans: readonly number[] = golden.spans;

const largest = (values: ArrayLike<number>): number => {
  let result = 0;
  for (let i = 0; i < values.length; i++) result = Math.max(result, Math.abs(values[i]!));
  return result;
};

/** float64 against torch, 1e-6; float32 against float64, 1e-5 of the larger of 1 and the largest slope. */
export function expectRecorded(
  recorded: Float64Array,
  seed: number,
  outcome: ManyOutcome,
  single?: ManyOutcome,
): void {
  const [value, ...products] = recorded;
  expect(Math.abs(outcome.value - value!)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value!)));
  expect(products).toHaveLength(outcome.gradients.length);
  outcome.gradients.forEach((gradient, i) => {
    const signs = integers(seed + i + 900, gradient.length, 2);
    const bound = Math.max(1, largest(gradient));
    let product = 0;
    let worst = 0;
    for (let k = 0; k < gradient.length; k++) {
      product += (2 * signs[k]! - 1) * gradient[k]!;
      if (single !== undefined) worst = Math.max(worst, Math.abs(gradient[k]! - single.gradients[i]![k]!));
    }
    expect(Math.abs(product - products[i]!)).toBeLessThanOrEqual(1e-6 * bound);
    expect(worst).toBeLessThanOrEqual(1e-5 * bound);
  });
}
