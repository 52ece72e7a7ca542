/**
 * The losses the networks are trained with, over features and class weights.
 *
 * Ten classes have to share a circle here, 36° each, so margins and radii are smaller than for faces in 512 dimensions.
 */
import * as losses from '../../src/losses/index.ts';
import { addProduct, addTransposedProduct, multiplyTransposed } from '../../src/losses/recognition/matrix.ts';
import { classes } from './digits.ts';

type Floats = Float32Array<ArrayBuffer>;

/** Length of a feature: what can be drawn. */
export const dimensions = 2;

export interface Gradients {
  readonly gradient: Floats;
  /** Where class weights are trained. */
  readonly weightGradient?: Floats;
}

export interface Objective {
  readonly title: string;
  /** Rows of the class weights; 0 for losses over pairs. */
  readonly weightRows: number;
  /** What tells two features apart: the angle, or the distance. */
  readonly compare: 'angle' | 'distance';
  /** The gradients of a batch; `done` is the share of the training that is behind, 0–1. */
  readonly loss: (features: Floats, weights: Floats, labels: Int32Array, done: number) => Gradients;
}

const shape = { dimensions, classes };
const scale = 20;

/** Share of the training in which the losses of a fixed radius are modified softmax: see {@link fixedRadius}. */
const warm = 0.4;

/** A margin that grows from 0 to `full` after the warm start. */
const grown = (full: number, done: number): number => full * Math.min(1, Math.max(0, (done - warm) / 0.2));

/** A loss over features and class weights, both of which it trains. */
function margin(
  title: string,
  run: (f: Floats, w: Floats, y: Int32Array, done: number) => losses.MarginSoftmaxResult,
  weightRows = classes,
): Objective {
  return {
    title,
    weightRows,
    compare: 'angle',
    loss: (features, weights, labels, done) => run(features, weights, labels, done) as Gradients,
  };
}

/**
 * A margin loss with features on a circle of fixed radius. From scratch classes get stuck at one angle, for on a circle
 * they cannot pass one another; so the training starts with modified softmax, as face networks start with softmax.
 */
function fixedRadius(
  title: string,
  run: (f: Floats, w: Floats, y: Int32Array, done: number) => losses.MarginSoftmaxResult,
): Objective {
  return margin(title, (f, w, y, done) =>
    done < warm ? losses.modifiedSoftmaxLoss(f, w, y, shape) : run(f, w, y, done),
  );
}

/** A loss over the angles of a batch's pairs, with the same start: it has no class weights, but its classes get stuck too. */
function pairedAngles(title: string, run: (f: Floats, y: Int32Array) => losses.LossResult): Objective {
  return {
    title,
    weightRows: classes,
    compare: 'angle',
    loss: (features, weights, labels, done) =>
      done < warm
        ? (losses.modifiedSoftmaxLoss(features, weights, labels, shape) as Gradients)
        : { gradient: run(features, labels).gradient as Floats },
  };
}

/** A loss over the pairs or triplets of a batch. */
function paired(
  title: string,
  compare: Objective['compare'],
  run: (f: Floats, y: Int32Array) => losses.LossResult,
): Objective {
  return {
    title,
    weightRows: 0,
    compare,
    loss: (features, _weights, labels) => ({ gradient: run(features, labels).gradient as Floats }),
  };
}

/** Cross-entropy of the logits f·wᵀ. */
function softmax(f: Floats, w: Floats, labels: Int32Array): Required<Gradients> {
  const samples = labels.length;
  const logits = new Float32Array(samples * classes);
  multiplyTransposed(f, w, samples, classes, dimensions, logits);
  const { gradient: slopes } = losses.crossEntropyLoss(logits, labels, { classes });
  const gradient = new Float32Array(f.length);
  const weightGradient = new Float32Array(w.length);
  addProduct(slopes, w, samples, classes, dimensions, gradient);
  addTransposedProduct(slopes, f, samples, classes, dimensions, weightGradient);
  return { gradient, weightGradient };
}

/** Softmax with the distance to the class's centre; centres follow the paper's own rule. */
function center(weight: number): Objective {
  let centers: losses.LossResult['gradient'] = new Float32Array(classes * dimensions);
  return {
    title: `softmax + ${weight} · center loss`,
    weightRows: classes,
    compare: 'distance',
    loss: (features, weights, labels) => {
      const { gradient, weightGradient } = softmax(features, weights, labels);
      const pull = losses.centerLoss(features, centers, labels, shape);
      ({ centers } = pull);
      for (let i = 0; i < gradient.length; i++) gradient[i]! += weight * pull.gradient[i]!;
      return { gradient, weightGradient };
    },
  };
}

function curricular(): Objective {
  let t = 0;
  return fixedRadius('CurricularFace, m = 0.2', (f, w, y, done) => {
    const result = losses.curricularFaceLoss(f, w, y, { ...shape, scale, margin: grown(0.2, done), t });
    ({ t } = result);
    return result;
  });
}

/** Two centres a class; the warm start trains the first of each. */
function subCenter(): Objective {
  const first = Int32Array.from({ length: classes }, (_, c) => 2 * c);
  const run = (f: Floats, w: Floats, y: Int32Array, done: number): losses.MarginSoftmaxResult => {
    if (done >= warm) {
      const options = { ...shape, subCenters: 2, scale, margin: grown(0.2, done) };
      return losses.subCenterArcFaceLoss(f, w, y, options);
    }
    const result = losses.modifiedSoftmaxLoss(f, losses.gatherRows(w, first, dimensions), y, shape);
    const weightGradient = new Float32Array(w.length);
    first.forEach((row, c) => {
      weightGradient.set(
        result.weightGradient.subarray(c * dimensions, (c + 1) * dimensions),
        row * dimensions,
      );
    });
    return { ...result, weightGradient };
  };
  return margin('sub-center ArcFace, K = 2', run, 2 * classes);
}

/** By the name the command line knows; each call starts anew, for some keep a state between steps. */
export const objectives: Readonly<Record<string, () => Objective>> = {
  softmax: () => ({ title: 'softmax', weightRows: classes, compare: 'angle', loss: softmax }),
  modified: () => margin('modified softmax', (f, w, y) => losses.modifiedSoftmaxLoss(f, w, y, shape)),
  sphere: () =>
    margin('SphereFace, m = 4', (f, w, y, done) => {
      const lambda = losses.sphereFaceLambda(3000 * done, { minimum: 5 });
      return losses.sphereFaceLoss(f, w, y, { ...shape, margin: 4, lambda });
    }),
  cos: () =>
    fixedRadius('CosFace, m = 0.1', (f, w, y, done) =>
      losses.cosFaceLoss(f, w, y, { ...shape, scale, margin: grown(0.1, done) }),
    ),
  arc: () =>
    fixedRadius('ArcFace, m = 0.2', (f, w, y, done) =>
      losses.arcFaceLoss(f, w, y, { ...shape, scale, margin: grown(0.2, done) }),
    ),
  combined: () =>
    fixedRadius('combined (1, 0.1, 0.05)', (f, w, y, done) =>
      losses.combinedMarginLoss(f, w, y, {
        ...shape,
        scale,
        m2: grown(0.1, done),
        m3: grown(0.05, done),
      }),
    ),
  center: () => center(0.1),
  triplet: () =>
    paired('triplet, semi-hard', 'distance', (f, y) =>
      losses.tripletLoss(f, y, { dimensions, mining: 'semi-hard', distance: 'euclidean', margin: 1 }),
    ),
  subCenter,
  ada: () =>
    fixedRadius('AdaFace, m = 0.1', (f, w, y, done) =>
      losses.adaFaceLoss(f, w, y, { ...shape, scale, margin: grown(0.1, done) }),
    ),
  mag: () =>
    fixedRadius('MagFace, m = 0.1 … 0.25', (f, w, y, done) =>
      losses.magFaceLoss(f, w, y, {
        ...shape,
        scale,
        lowerNorm: 1,
        upperNorm: 20,
        lowerMargin: grown(0.1, done),
        upperMargin: grown(0.25, done),
        regularisation: 0.5,
      }),
    ),
  curricular,
  circle: () =>
    paired('circle loss', 'angle', (f, y) =>
      losses.circleLoss(f, y, { dimensions, margin: 0.25, gamma: 32 }),
    ),
  supCon: () =>
    pairedAngles('SupCon', (f, y) =>
      losses.supervisedContrastiveLoss(f, y, { dimensions, temperature: 0.1 }),
    ),
};
