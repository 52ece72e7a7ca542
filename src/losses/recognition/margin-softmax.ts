/**
 * Softmax over scaled cosines between features and class weights, with a margin on the true class: the one loop behind
 * ArcFace, CosFace, SphereFace and their kin. Normalisation is part of the gradient.
 *
 * logit_ij = s_i·φ_j(cos θ_ij), s_i a constant or the feature's own length. Backward: G = dL/dcos, then G·Ŵ and Gᵀ·F̂,
 * each carried back through its normalisation. The pairs of a feature with its own class are taken out of these products
 * and done in float64: the slope of a margin there goes like 1/sin θ, which float32 cosines near 1 do not give.
 */
import {
  checkLabels,
  closeLoss,
  expectFinite,
  expectLength,
  type FloatArray,
  type LossOptions,
  type LossResult,
  openLoss,
  sameType,
} from '../common.ts';
import type { MarginRule } from './margins.ts';
import { addProduct, addTransposedProduct, multiplyTransposed } from './matrix.ts';
import { type NormalisedRows, normaliseRows, rowCount, throughNormalisation } from './rows.ts';

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
  /** Centres a class, K: a class counts by the nearest of them. Default 1. */
  readonly subCenters?: number;
}

/** Features N×d, class weights C·K×d, N labels. */
export function marginSoftmax(
  features: FloatArray,
  classWeights: FloatArray,
  labels: ArrayLike<number>,
  options: MarginSoftmaxOptions,
  settings: MarginSettings,
): MarginSoftmaxResult {
  const { dimensions, classes, weights, weightOut } = options;
  const { subCenters = 1 } = settings;
  const samples = rowCount('features', features, dimensions);
  const centres = classes * subCenters;
  expectLength('class weights', classWeights, centres * dimensions);
  checkLabels(labels, samples, classes);
  expectLength('weights', weights, samples);
  expectLength('weightOut', weightOut, classWeights.length);
  // a centre that is not the nearest would hide what is not finite
  if (subCenters > 1) expectFinite(settings.name, ['class weights', classWeights]);
  const buffers = openLoss(features, samples, options);
  const { gradient, terms, scale: reduction } = buffers;
  gradient.fill(0);
  const weightGradient = weightOut ?? sameType(classWeights, classWeights.length);
  weightGradient.fill(0);

  const rows = normaliseRows(features, dimensions);
  const columns = normaliseRows(classWeights, dimensions);
  const cosines = sameType(features, samples * centres);
  multiplyTransposed(rows.unit, columns.unit, samples, centres, dimensions, cosines);
  const nearest = (i: number, c: number): number => {
    let best = c * subCenters;
    for (let j = best + 1; j < (c + 1) * subCenters; j++) {
      if (cosines[i * centres + j]! > cosines[i * centres + best]!) best = j;
    }
    return best;
  };
  const own = Int32Array.from({ length: samples }, (_, i) => nearest(i, labels[i]!));
  const targetCosines = Float64Array.from(own, (j, i) =>
    exactCosine(features, rows.norms, i, classWeights, columns.norms, j, dimensions),
  );
  const rule = settings.rule({ norms: rows.norms, targetCosines });

  const logits = new Float64Array(classes);
  const slopes = new Float64Array(classes);
  const places = Int32Array.from(logits, (_, c) => c);
  const normGradient = new Float64Array(samples);
  const targetSlopes = new Float64Array(samples);
  let sum = 0;
  for (let i = 0; i < samples; i++) {
    const label = labels[i]!;
    const norm = rows.norms[i]!;
    const row = cosines.subarray(i * centres, (i + 1) * centres);
    if (subCenters === 1) logits.set(row);
    else {
      for (let c = 0; c < classes; c++) {
        places[c] = nearest(i, c);
        logits[c] = row[places[c]!]!;
      }
      row.fill(0);
    }
    logits[label] = targetCosines[i]!;
    slopes.fill(1);
    const normSlope = rule({ label, norm, logits, slopes });
    const s = settings.scale === 'norm' ? norm : settings.scale;
    const weight = reduction * (weights === undefined ? 1 : weights[i]!);
    const target = logits[label]!;
    const { logProbability, meanLogit } = softmaxRow(logits, slopes, s, label, weight, row, places);
    const term = -(weights === undefined ? 1 : weights[i]!) * logProbability;
    sum += term;
    if (terms !== undefined) terms[i] = term;
    // d value / d logit of the true class, before its scale
    const pull = weight * Math.expm1(logProbability);
    targetSlopes[i] = pull * s * slopes[label]!;
    normGradient[i] = pull * s * normSlope;
    if (settings.scale === 'norm') normGradient[i]! += weight * (meanLogit - target);
  }

  addProduct(cosines, columns.unit, samples, centres, dimensions, gradient);
  throughNormalisation(gradient, rows, dimensions);
  addTransposedProduct(cosines, rows.unit, samples, centres, dimensions, weightGradient);
  throughNormalisation(weightGradient, columns, dimensions);
  for (let i = 0; i < samples; i++) {
    const j = own[i]!;
    const length = rows.norms[i]!;
    const weightLength = columns.norms[j]!;
    const cosine = targetCosines[i]!;
    const slope = targetSlopes[i]!;
    for (let k = 0; k < dimensions; k++) {
      const f = features[i * dimensions + k]! / length;
      const w = classWeights[j * dimensions + k]! / weightLength;
      gradient[i * dimensions + k]! += (slope * (w - cosine * f)) / length + normGradient[i]! * f;
      weightGradient[j * dimensions + k]! += (slope * (f - cosine * w)) / weightLength;
    }
  }
  const result = closeLoss(
    settings.name,
    sum,
    buffers,
    ['features', features],
    ['class weights', classWeights],
    ['weights', weights],
  );
  return { ...result, weightGradient };
}

/** Cosine of row i of `a` and row j of `b` in float64, given the lengths of their rows. */
function exactCosine(
  a: FloatArray,
  lengthsA: NormalisedRows['norms'],
  i: number,
  b: FloatArray,
  lengthsB: NormalisedRows['norms'],
  j: number,
  dimensions: number,
): number {
  let dot = 0;
  for (let k = 0; k < dimensions; k++) dot += a[i * dimensions + k]! * b[j * dimensions + k]!;
  return dot / (lengthsA[i]! * lengthsB[j]!);
}

/**
 * Softmax of s·logits with its gradient by cosine, weight·s·p·slope, written to `out` at each class's place; 0 for the
 * true class, whose weight·s·(p − 1)·slope the caller takes in float64.
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
  places: Int32Array,
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
  for (let j = 0; j < length; j++) out[places[j]!] = factor * logits[j]! * slopes[j]!;
  out[places[label]!] = 0;
  return { logProbability: s * (target - largest) - Math.log(total), meanLogit: along / total };
}
