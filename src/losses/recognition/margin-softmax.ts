/**
 * Softmax over scaled cosines between features and class weights, with a margin on the true class: the one loop behind
 * ArcFace, CosFace, SphereFace and their kin. Normalisation is part of the gradient.
 *
 * logit_ij = s_i·φ_j(cos θ_ij), s_i a constant or the feature's own length. Backward: G = dL/dcos, then G·Ŵ and Gᵀ·F̂,
 * each carried back through its normalisation.
 */
import { ShapeError } from '../../errors.ts';
import {
  closeLoss,
  type FloatArray,
  type LossOptions,
  type LossResult,
  openLoss,
  sameType,
} from '../common.ts';
import type { MarginRule } from './margins.ts';
import { addProduct, addTransposedProduct, multiplyTransposed } from './matrix.ts';
import { checkClassLabels, normaliseRows, rowCount, throughNormalisation } from './rows.ts';

export interface MarginSoftmaxOptions extends LossOptions {
  /** Length d of a feature. */
  readonly dimensions: number;
  /** Number of classes C. */
  readonly classes: number;
  /** Receives the gradient of the weights; C·d numbers. */
  readonly weightOut?: FloatArray;
  /** A weight a sample. */
  readonly weights?: ArrayLike<number>;
}

export interface MarginSoftmaxResult extends LossResult {
  /** d value / d class weights, C×d. */
  readonly weightGradient: FloatArray;
}

/** What a batch looks like before its margins are chosen. */
export interface MarginBatch {
  /** Length of each feature. */
  readonly norms: Float64Array;
  /** Cosine with the true class, a sample each. */
  readonly targetCosines: Float64Array;
}

export interface MarginSettings {
  readonly name: string;
  /** A constant, or each feature's own length. */
  readonly scale: number | 'norm';
  /** Chooses the margin once the batch is known. */
  readonly rule: (batch: MarginBatch) => MarginRule;
}

/** Features N×d, class weights C×d, N labels. */
export function marginSoftmax(
  features: FloatArray,
  classWeights: FloatArray,
  labels: ArrayLike<number>,
  options: MarginSoftmaxOptions,
  settings: MarginSettings,
): MarginSoftmaxResult {
  const { dimensions, classes, weights } = options;
  const samples = rowCount('features', features, dimensions);
  if (classWeights.length !== classes * dimensions) {
    throw new ShapeError(
      `class weights must hold ${classes}×${dimensions} numbers, got ${classWeights.length}`,
      { classes, dimensions, got: classWeights.length },
    );
  }
  checkClassLabels(labels, samples, classes);
  const buffers = openLoss(features, samples, options);
  const { gradient, terms, scale: reduction } = buffers;
  gradient.fill(0);
  const weightGradient = options.weightOut ?? sameType(classWeights, classWeights.length);
  weightGradient.fill(0);

  const rows = normaliseRows(features, dimensions);
  const columns = normaliseRows(classWeights, dimensions);
  const cosines = sameType(features, samples * classes);
  multiplyTransposed(rows.unit, columns.unit, samples, classes, dimensions, cosines);
  const targetCosines = Float64Array.from({ length: samples }, (_, i) => cosines[i * classes + labels[i]!]!);
  const rule = settings.rule({ norms: rows.norms, targetCosines });

  const logits = new Float64Array(classes);
  const slopes = new Float64Array(classes);
  const normGradient = new Float64Array(samples);
  let sum = 0;
  for (let i = 0; i < samples; i++) {
    const label = labels[i]!;
    const norm = rows.norms[i]!;
    const row = cosines.subarray(i * classes, (i + 1) * classes);
    logits.set(row);
    slopes.fill(1);
    const normSlope = rule({ label, norm, logits, slopes });
    const s = settings.scale === 'norm' ? norm : settings.scale;
    const own = weights === undefined ? 1 : weights[i]!;
    const target = logits[label]!;
    const { logProbability, meanLogit } = softmaxRow(logits, slopes, s, label, own * reduction, row);
    const term = -own * logProbability;
    sum += term;
    if (terms !== undefined) terms[i] = term;
    // d value / d logit of the true class, before its scale
    const pull = own * reduction * (Math.exp(logProbability) - 1);
    normGradient[i] = pull * s * normSlope;
    if (settings.scale === 'norm') normGradient[i]! += own * reduction * (meanLogit - target);
  }

  addProduct(cosines, columns.unit, samples, classes, dimensions, gradient);
  throughNormalisation(gradient, rows, dimensions);
  for (let i = 0; i < samples; i++) {
    const along = normGradient[i]!;
    if (along === 0) continue;
    for (let k = i * dimensions; k < (i + 1) * dimensions; k++) gradient[k]! += along * rows.unit[k]!;
  }
  addTransposedProduct(cosines, rows.unit, samples, classes, dimensions, weightGradient);
  throughNormalisation(weightGradient, columns, dimensions);
  const result = closeLoss(
    settings.name,
    sum,
    buffers,
    ['features', features],
    ['class weights', classWeights],
    ['weights', weights ?? []],
  );
  return { ...result, weightGradient };
}

/**
 * Softmax of s·logits with its gradient by cosine, weight·s·(p − [label])·slope, written to `out`.
 *
 * One exponential a class: `logits` holds the exponentials afterwards.
 */
function softmaxRow(
  logits: Float64Array,
  slopes: Float64Array,
  s: number,
  label: number,
  weight: number,
  out: FloatArray,
): { readonly logProbability: number; readonly meanLogit: number } {
  const { length } = logits;
  let largest = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < length; j++) if (logits[j]! > largest) largest = logits[j]!;
  const target = logits[label]!;
  let total = 0;
  let along = 0;
  for (let j = 0; j < length; j++) {
    const e = Math.exp(s * (logits[j]! - largest));
    total += e;
    along += e * logits[j]!;
    logits[j] = e;
  }
  const factor = (weight * s) / total;
  for (let j = 0; j < length; j++) out[j] = factor * logits[j]! * slopes[j]!;
  out[label] = weight * s * (logits[label]! / total - 1) * slopes[label]!;
  return { logProbability: s * (target - largest) - Math.log(total), meanLogit: along / total };
}
