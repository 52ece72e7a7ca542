/** What every loss does with input it cannot use: each array, each way of being wrong, and batches without anything. */
import { describe, expect, it } from 'vitest';
import { deltaCoder } from '../../src/coders/index.ts';
import { BoxopsError, NumericError, OptionError, ShapeError } from '../../src/errors.ts';
import * as losses from '../../src/losses/index.ts';
import { uniform } from '../golden/seeded.ts';

type Floats = Float64Array;
type Loss = (...inputs: unknown[]) => losses.LossResult & Record<string, unknown>;
interface Call {
  readonly loss: keyof typeof losses;
  readonly args: readonly (Floats | Int32Array | null)[];
  readonly options?: Readonly<Record<string, unknown>>;
}

const [N, C, D] = [4, 3, 3];
const labels = Int32Array.of(0, 1, 2, 0);
let seed = 70_000;
const some = (n: number, from = -2, to = 2): Floats => uniform(seed++, n, from, to);
const bits = (n: number): Floats => some(n, 0, 1).map((v) => (v > 0.4 ? 1 : 0));
const boxes = (): Floats => {
  const xywh = some(4 * N, 1, 5);
  return xywh.map((v, i) => (i % 4 < 2 ? v : v + xywh[i - 2]!));
};
const shape = { dimensions: D, classes: C };
const perSample = (): Floats => some(N, 0.1, 2);
const perClass = (): Floats => some(C, 0.1, 2);
const perElement = (): Floats => some(N * C, 0.1, 2);

const elementwise = ['l1Loss', 'mseLoss', 'smoothL1Loss', 'huberLoss', 'balancedL1Loss'] as const;
const margins = [
  'modifiedSoftmaxLoss',
  'normalisedSoftmaxLoss',
  'sphereFaceLoss',
  'cosFaceLoss',
  'arcFaceLoss',
  'combinedMarginLoss',
  'adaFaceLoss',
  'magFaceLoss',
  'curricularFaceLoss',
] as const;
const pairs = [
  'contrastiveLoss',
  'supervisedContrastiveLoss',
  'multiSimilarityLoss',
  'circleLoss',
  'tripletLoss',
] as const;
const harmony = (): Record<string, unknown> => ({
  mask: bits(N * C),
  momentum: 0.5,
  binCounts: new Float64Array(10).fill(2),
});

const calls: readonly Call[] = [
  {
    loss: 'crossEntropyLoss',
    args: [some(N * C), labels],
    options: { classes: C, weights: perSample(), classWeights: perClass() },
  },
  {
    loss: 'crossEntropyLoss',
    args: [some(N * C), some(N * C, 0, 1)],
    options: { classes: C, labelSmoothing: 0.1, smoothingDistribution: some(C, 0, 1) },
  },
  {
    loss: 'binaryCrossEntropyLoss',
    args: [some(N * C), some(N * C, 0, 1)],
    options: { classes: C, weights: perElement(), positiveWeights: perClass() },
  },
  {
    loss: 'sigmoidFocalLoss',
    args: [some(N * C), some(N * C, 0, 1)],
    options: { classes: C, weights: perElement() },
  },
  {
    loss: 'softmaxFocalLoss',
    args: [some(N * C), some(N * C, 0, 1)],
    options: { classes: C, weights: perSample(), classWeights: perClass() },
  },
  {
    loss: 'qualityFocalLoss',
    args: [some(N * C), some(N * C, 0, 1)],
    options: { classes: C, weights: perSample() },
  },
  {
    loss: 'varifocalLoss',
    args: [some(N * C), some(N * C, 0, 1)],
    options: { classes: C, weights: perSample(), positives: bits(N * C) },
  },
  {
    loss: 'distributionFocalLoss',
    args: [some(N * C), some(N, 0, C - 1.5)],
    options: { bins: C, weights: perSample() },
  },
  { loss: 'gaussianFocalLoss', args: [some(N * C), some(N * C, 0, 1)], options: { weights: perElement() } },
  { loss: 'ghmClassificationLoss', args: [some(N * C), some(N * C, 0, 1)], options: harmony() },
  { loss: 'ghmRegressionLoss', args: [some(N * C), some(N * C)], options: harmony() },
  {
    loss: 'seesawLoss',
    args: [some(N * C), labels],
    options: { classes: C, sampleCounts: some(C, 1, 50), weights: perSample() },
  },
  ...elementwise.map((loss): Call => {
    return { loss, args: [some(4 * N), some(4 * N)], options: { dimensions: 4, weights: perSample() } };
  }),
  { loss: 'iouLoss', args: [boxes(), boxes()], options: { metric: 'giou', weights: perSample() } },
  { loss: 'iouLoss', args: [boxes(), boxes()], options: { metric: 'ciou', transform: 'log' } },
  {
    loss: 'iouLoss',
    args: [some(4 * N, -0.3, 0.3), boxes()],
    options: { through: deltaCoder(), priors: boxes() },
  },
  { loss: 'wiseIouLoss', args: [boxes(), boxes()], options: { mean: 0.5, weights: perSample() } },
  { loss: 'focalEiouLoss', args: [boxes(), boxes()], options: { weights: perSample() } },
  { loss: 'boundedIouLoss', args: [boxes(), boxes()], options: { weights: some(4 * N, 0.1, 2) } },
  ...margins.map((loss): Call => {
    return { loss, args: [some(N * D), some(C * D), labels], options: { ...shape, weights: perSample() } };
  }),
  {
    loss: 'subCenterArcFaceLoss',
    args: [some(N * D), some(3 * C * D), labels],
    options: { ...shape, weights: perSample() },
  },
  { loss: 'centerLoss', args: [some(N * D), some(C * D), labels], options: shape },
  ...pairs.map((loss): Call => ({ loss, args: [some(N * D), labels], options: { dimensions: D } })),
  {
    loss: 'tripletLoss',
    args: [some(N * D), null],
    options: { dimensions: D, triplets: Int32Array.of(0, 3, 1) },
  },
  { loss: 'nPairLoss', args: [some(N * D), some(N * D)], options: { dimensions: D } },
];

const byName: Record<string, unknown> = { ...losses };

/** The call's arrays by name, each with the call in which another stands in its place. */
function* arrays({ loss, args, options = {} }: Call) {
  const call = byName[loss] as Loss;
  for (const [n, array] of args.entries()) {
    if (array === null) continue;
    const run = (other: unknown) => call(...args.map((a, i) => (i === n ? other : a)), options);
    yield { name: `argument ${n}`, array, run };
  }
  for (const [name, array] of Object.entries(options)) {
    if (!(array instanceof Float64Array || array instanceof Int32Array)) continue;
    yield { name, array, run: (other: unknown) => call(...args, { ...options, [name]: other }) };
  }
}

const titled = calls.map((call): [string, Call] => [`${call.loss} ${Object.keys(call.options ?? {})}`, call]);

/** The error of a call that has to fail. */
function failure(run: () => unknown): BoxopsError {
  try {
    run();
  } catch (error) {
    if (error instanceof BoxopsError) return error;
    throw error;
  }
  throw new Error('did not throw');
}

describe('a number that is not finite is named, in whatever array it stands', () => {
  it.each(titled)('%s', (_, call) => {
    for (const { name, array, run } of arrays(call)) {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        for (let at = 0; at < array.length; at++) {
          const broken = Array.from(array);
          broken[at] = value;
          const given = array instanceof Float64Array ? Float64Array.from(broken) : broken;
          const error = failure(() => run(given));
          const kind = array instanceof Float64Array ? NumericError : OptionError;
          expect(error, name).toBeInstanceOf(kind);
          expect(error.message, name).toContain(`[${at}]`);
        }
      }
    }
  });
});

describe('an array of the wrong length is a ShapeError', () => {
  it.each(titled)('%s', (_, call) => {
    for (const { name, array, run } of arrays(call)) {
      for (const length of [array.length - 1, array.length + 1]) {
        const other = new (array.constructor as Float64ArrayConstructor)(length).fill(0.5);
        expect(
          failure(() => run(other)),
          name,
        ).toBeInstanceOf(ShapeError);
      }
    }
    const outs = call.args.length === 3 && call.loss !== 'centerLoss' ? ['out', 'weightOut'] : ['out'];
    for (const name of outs) {
      const options = { ...call.options, [name]: new Float64Array(1) };
      const run = byName[call.loss] as Loss;
      expect(
        failure(() => run(...call.args, options)),
        name,
      ).toBeInstanceOf(ShapeError);
    }
  });
});

describe('a batch of nothing costs 0, has an empty gradient and keeps classes where they are', () => {
  it.each(titled)('%s', (_, { loss, args, options = {} }) => {
    const kept = ['classWeights', 'positiveWeights', 'smoothingDistribution', 'binCounts', 'sampleCounts'];
    const empty = Object.fromEntries(
      Object.entries(options).map(([name, value]) => {
        const array = value instanceof Float64Array || value instanceof Int32Array;
        return [name, array && !kept.includes(name) ? value.slice(0, 0) : value];
      }),
    );
    const ofClasses = args.length === 3 ? 1 : -1;
    const none = args.map((array, n) => (n === ofClasses ? array : (array?.slice(0, 0) ?? null)));
    for (const reduction of ['none', 'sum', 'mean']) {
      const result = (byName[loss] as Loss)(...none, { ...empty, reduction });
      expect(result.value).toBe(0);
      expect(result.gradient).toHaveLength(0);
      for (const value of Object.values(result)) {
        if (value instanceof Float64Array) expect(value.every(Number.isFinite)).toBe(true);
      }
    }
  });
});

describe('samples that are left out', () => {
  const x = some(N * C);
  const out = (): Floats => new Float64Array(N * C).fill(7);
  const all = { classes: C, ignoreIndex: 255 };
  it('cost nothing, and a batch of nothing else costs 0', () => {
    const ignored = new Int32Array(N).fill(255);
    const options = { ...all, out: out() };
    for (const result of [
      losses.crossEntropyLoss(x, ignored, options),
      losses.binaryCrossEntropyLoss(x, ignored, options),
      losses.sigmoidFocalLoss(x, ignored, options),
      losses.softmaxFocalLoss(x, ignored, options),
      losses.seesawLoss(x, ignored, { ...options, sampleCounts: [1, 2, 3] }),
    ]) {
      expect(result.value).toBe(0);
      expect(result.gradient.every((g) => g === 0)).toBe(true);
    }
  });
  it('leave the others as they were', () => {
    const some = Int32Array.of(0, 255, C, 1);
    const rows = [0, 2, 3];
    const left = Float64Array.from(rows.flatMap((row) => [...x.subarray(row * C, (row + 1) * C)]));
    for (const loss of [losses.binaryCrossEntropyLoss, losses.sigmoidFocalLoss]) {
      const whole = loss(x, some, { ...all, reduction: 'none', weights: [1, 2, 3, 4] });
      const part = loss(left, [0, C, 1], { classes: C, reduction: 'none', weights: [1, 3, 4] });
      expect(whole.value).toBe(part.value);
      expect([...whole.gradient.subarray(C, 2 * C)]).toEqual([0, 0, 0]);
      rows.forEach((row, i) => {
        const [a, b] = [whole.gradient.subarray(row * C), part.gradient.subarray(i * C)];
        expect([...a.subarray(0, C)]).toEqual([...b.subarray(0, C)]);
      });
    }
  });
});
