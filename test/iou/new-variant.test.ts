/** A new variant is one file: in a copy of the sources it is added, generated, and then taken wherever a metric is. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const tsx = import.meta.resolve('tsx');

/** With a bound of its own: Dice above t implies an IoU above t / (2 − t). */
const variantFile = `
import { add, mul, ratio } from '../formula/expression.ts';
import type { Variant, VariantSource } from '../formula/variant.ts';

export const source: VariantSource = { title: 'Dice coefficient', paper: 'Dice, Ecology 1945', float32: true };

export const minIou = (threshold: number): number => threshold / (2 - threshold) - 5e-7;

export const variant: Variant = {
  name: 'dice',
  symmetric: true,
  formula: ({ a, b, intersection }) => ratio(mul(2, intersection), add(a.area, b.area), 0),
  minIou,
};
`;

const program = `
import { alignedIou, bestMatch, innerIou, nms, pairwiseIou, resolveMetric } from './src/index.ts';
import { metricWgsl } from './src/iou/wgsl.ts';
import { iouLoss } from './src/losses/index.ts';
import { maxIouMatcher } from './src/matching/index.ts';

const a = Float32Array.of(0, 0, 10, 10, 2, 0, 12, 10, 40, 40, 50, 60);
const b = Float32Array.of(0, 0, 10, 9);
const target = Float32Array.of(...b, ...b, ...b);
const metric = 'dice';
console.log(JSON.stringify({
  matrix: [...pairwiseIou(a, b, { metric })],
  double: [...alignedIou(Float64Array.from(a), target, { metric })],
  best: [...bestMatch(b, a, { metric }).indices],
  kept: [...nms(a, Float32Array.of(0.9, 0.8, 0.7), { metric, iouThreshold: 0.75 })],
  bound: resolveMetric(metric).minIou(0.8),
  loss: iouLoss(a, target, { metric, reduction: 'none' }).perElement[2],
  matched: [...maxIouMatcher(a, b, { metric }).gtIndices],
  inner: pairwiseIou(a, b, { metric: innerIou({ base: metric, ratio: 1 }) })[0],
  wgsl: metricWgsl(metric).source.startsWith('fn similarity'),
}));
`;

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'boxops-variant-'));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

it('adding a variant means adding one file', { timeout: 120_000 }, () => {
  for (const part of [
    'src',
    'scripts/generate.ts',
    'scripts/generate',
    'docs/iou-variants.md',
    'package.json',
  ]) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  writeFileSync(join(copy, 'src/iou/variants/dice.ts'), variantFile);
  writeFileSync(join(copy, 'use.ts'), program);
  const run = (script: string): string =>
    execFileSync(process.execPath, ['--import', tsx, script], { cwd: copy, encoding: 'utf8' });
  run('scripts/generate.ts');
  const result = JSON.parse(run('use.ts'));
  const dice = [180 / 190, 144 / 190, 0];
  dice.forEach((value, i) => {
    expect(result.matrix[i]).toBeCloseTo(value, 6);
    expect(result.double[i]).toBeCloseTo(value, 12);
  });
  expect(result).toMatchObject({ best: [0], kept: [0, 2], loss: 1, matched: [0, 0, -1], wgsl: true });
  expect(result.bound).toBeCloseTo(0.8 / 1.2, 5);
  expect(result.inner).toBeCloseTo(dice[0]!, 6);
});
