/** Sampled classifiers: margin losses over a part of the class weights. */
import { checkCount, checkNumber } from '../../options.ts';
import { checkLabels, type FloatArray, sameType } from '../common.ts';

export interface ClassSample {
  /** Classes that take part, ascending: all of the batch's and random others. */
  readonly classIds: Int32Array<ArrayBuffer>;
  /** The batch's labels as positions in `classIds`. */
  readonly labels: Int32Array<ArrayBuffer>;
}

export interface ClassSampleOptions {
  /** Number of classes C. */
  readonly classes: number;
  /** Share of the classes that takes part, 0–1; more when the batch itself has more. Default 0.1. */
  readonly sampleRate?: number;
  readonly seed: number;
}

/**
 * The classes of one step of a sampled classifier (Partial FC): every class of the batch, and random others up to
 * `sampleRate`·C. The same seed gives the same sample.
 *
 * Source: An et al., "Partial FC", 2021 (arXiv 2010.05222).
 */
export function sampleClasses(labels: ArrayLike<number>, options: ClassSampleOptions): ClassSample {
  const { classes, sampleRate = 0.1, seed } = options;
  checkNumber('sampleRate', sampleRate, 0, 1);
  checkCount('classes', classes);
  checkLabels(labels, labels.length, classes);
  const present = new Uint8Array(classes);
  let count = 0;
  for (let i = 0; i < labels.length; i++) {
    if (present[labels[i]!] === 0) count++;
    present[labels[i]!] = 1;
  }
  const wanted = Math.max(count, Math.floor(sampleRate * classes));
  const others = new Int32Array(classes - count);
  for (let c = 0, n = 0; c < classes; c++) if (present[c] === 0) others[n++] = c;
  let state = seed >>> 0;
  for (let n = 0; count < wanted; n++, count++) {
    // a partial Fisher–Yates shuffle over a 32-bit mixing counter
    state = (state + 0x9e3779b9) >>> 0;
    let x = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    const pick = n + (((x ^ (x >>> 15)) >>> 0) % (others.length - n));
    present[others[pick]!] = 1;
    others[pick] = others[n]!;
  }
  const classIds = new Int32Array(count);
  const position = new Int32Array(classes);
  for (let c = 0, n = 0; c < classes; c++) {
    if (present[c] === 0) continue;
    position[c] = n;
    classIds[n++] = c;
  }
  return { classIds, labels: Int32Array.from(labels, (label) => position[label]!) };
}

/**
 * Rows `ids` of a C×d array, row-major: S ids → a new S×d array of the same type, for the weights of a sampled classifier.
 * `dimensions` is d.
 */
export function gatherRows(values: FloatArray, ids: Int32Array, dimensions: number): FloatArray {
  const out = sameType(values, ids.length * dimensions);
  ids.forEach((id, i) => {
    out.set(values.subarray(id * dimensions, (id + 1) * dimensions), i * dimensions);
  });
  return out;
}

/**
 * Adds rows to rows `ids` of a C×d array: a sampled classifier's weight gradient to that of all classes, the way back of
 * {@link gatherRows}.
 */
export function scatterAddRows(
  rows: FloatArray,
  ids: Int32Array,
  dimensions: number,
  target: FloatArray,
): FloatArray {
  ids.forEach((id, i) => {
    for (let d = 0; d < dimensions; d++) target[id * dimensions + d]! += rows[i * dimensions + d]!;
  });
  return target;
}
