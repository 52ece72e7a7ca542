/** Every head equals its numpy restatement on seeded tensors: count, order, scores exactly, boxes to 1e-3 pixels. */
import { describe, expect, test } from 'vitest';
import { type Candidates, decode, type HeadName, headNames } from '../../src/heads/index.ts';
import cases from '../golden/heads/cases.json';
import golden from '../golden/heads/golden.json';
import { caseOutputs, type GoldenCase } from './tensors.ts';

const sum = (column: ArrayLike<number>) => Array.from(column).reduce((total, value) => total + value, 0);

/** Extra columns by their name in the golden file, with the numbers a row has. */
function rowsOf(column: Float32Array, count: number, step: number): number[][] {
  const width = column.length / count;
  const rows: number[][] = [];
  for (let i = 0; i < count; i += step) rows.push(Array.from(column.subarray(i * width, (i + 1) * width)));
  return rows;
}

function expectRows(actual: number[][], expected: readonly (readonly number[])[], tolerance = 1e-3): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((row, i) => {
    expect(row.length).toBe(expected[i]!.length);
    row.forEach((value, k) => {
      const limit = tolerance * Math.max(1, Math.abs(expected[i]![k]!) / 100);
      expect(Math.abs(value - expected[i]![k]!), `row ${i} column ${k}: ${value}`).toBeLessThanOrEqual(limit);
    });
  });
}

describe('heads against numpy', () => {
  test('every head has a golden case', () => {
    expect([...new Set(cases.map(({ head }) => head))].sort()).toEqual([...headNames].sort());
  });

  test.each(cases as unknown as GoldenCase[])('$id', (testCase) => {
    const expected = golden.cases.find(({ id }) => id === testCase.id)!;
    const { head, input, scoreThreshold, image, multiLabel, classes, options } = testCase;
    const found: Candidates = decode(head as HeadName, caseOutputs(testCase), {
      input: { width: input[0], height: input[1] },
      scoreThreshold,
      ...(image === undefined ? {} : { image }),
      ...(multiLabel === undefined ? {} : { multiLabel }),
      ...(classes === undefined ? {} : { classes }),
      ...options,
    });
    expect(found.count).toBe(expected.count);
    expect(found.dropped).toBe(0);
    expect(found.boxes.length).toBe(4 * found.count);
    const at = expected.scores.map((_, i) => i * expected.step);
    expect(at.map((i) => found.classIds[i])).toEqual(expected.classIds);
    at.forEach((i, k) => {
      expect(Math.abs(found.scores[i]! - expected.scores[k]!)).toBeLessThanOrEqual(1.2e-7);
    });
    expectRows(rowsOf(found.boxes, found.count, expected.step), expected.boxes);
    for (const key of ['keypoints', 'angles', 'maskCoefficients'] as const) {
      const rows: readonly (readonly number[])[] | undefined = (
        expected as Partial<Record<typeof key, number[][]>>
      )[key];
      expect(found[key] === undefined, key).toBe(rows === undefined);
      if (rows !== undefined) expectRows(rowsOf(found[key]!, found.count, expected.step), rows);
    }
    expect(sum(found.classIds)).toBe(expected.classSum);
    expect(sum(found.scores)).toBeCloseTo(expected.scoreSum, 3);
    expect(Math.abs(sum(found.boxes) - expected.boxSum)).toBeLessThan(1e-5 * Math.abs(expected.boxSum) + 0.1);
  });
});
