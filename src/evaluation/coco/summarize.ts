/** The numbers people quote (pycocotools `summarize`): means over the entries that exist, −1 where none does. */

import type { EvaluationTensor } from '../types.ts';
import type { Accumulated } from './accumulate.ts';

/** An index a dimension; undefined takes all. */
type Selection = readonly (number | undefined)[];

/** Mean of the selected entries above −1, else −1. */
export function meanOf(tensor: EvaluationTensor, selection: Selection): number {
  const { data, dims } = tensor;
  let sum = 0;
  let count = 0;
  const visit = (dimension: number, offset: number): void => {
    if (dimension === dims.length) {
      const value = data[offset]!;
      if (value > -1) {
        sum += value;
        count++;
      }
      return;
    }
    const chosen = selection[dimension];
    const first = chosen ?? 0;
    const last = chosen ?? dims[dimension]! - 1;
    for (let i = first; i <= last; i++) visit(dimension + 1, offset * dims[dimension]! + i);
  };
  visit(0, 0);
  return count === 0 ? -1 : sum / count;
}

interface Summary {
  readonly stats: number[];
  readonly statNames: readonly string[];
}

function indexOfThreshold(thresholds: readonly number[], value: number): number {
  return thresholds.findIndex((threshold) => Math.abs(threshold - value) < 1e-9);
}

/** 12 numbers for boxes and masks, 10 for keypoints. An IoU threshold that was not evaluated gives −1. */
export function summarize(
  { precision, recall }: Accumulated,
  thresholds: readonly number[],
  areaNames: readonly string[],
  maxDetections: readonly number[],
): Summary {
  const stats: number[] = [];
  const statNames: string[] = [];
  const last = maxDetections.length - 1;
  const add = (name: string, value: number): void => {
    statNames.push(name);
    stats.push(value);
  };
  const ap = (threshold: number | undefined, area: number): number => {
    const t = threshold === undefined ? undefined : indexOfThreshold(thresholds, threshold);
    return t === -1 ? -1 : meanOf(precision, [t, undefined, undefined, area, last]);
  };
  const ar = (threshold: number | undefined, area: number, m: number): number => {
    const t = threshold === undefined ? undefined : indexOfThreshold(thresholds, threshold);
    return t === -1 ? -1 : meanOf(recall, [t, undefined, area, m]);
  };
  const letters = areaNames.map((name) => (name === 'all' ? '' : name[0]));

  add('AP', ap(undefined, 0));
  add('AP50', ap(0.5, 0));
  add('AP75', ap(0.75, 0));
  for (let a = 1; a < letters.length; a++) add(`AP${letters[a]}`, ap(undefined, a));
  if (maxDetections.length === 1) {
    add('AR', ar(undefined, 0, 0));
    add('AR50', ar(0.5, 0, 0));
    add('AR75', ar(0.75, 0, 0));
  } else {
    for (const [m, limit] of maxDetections.entries()) add(`AR${limit}`, ar(undefined, 0, m));
  }
  for (let a = 1; a < letters.length; a++) add(`AR${letters[a]}`, ar(undefined, a, last));
  return { stats, statNames };
}
