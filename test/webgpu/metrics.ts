/** Every metric the GPU is tested with, and the boxes it is tested on. */
import { generatedMetrics } from '../../src/iou/generated/registry.ts';
import {
  alphaIou,
  completeIou,
  defineMetric,
  distanceIou,
  focalerIou,
  formula,
  innerIou,
  type Metric,
  type MetricName,
  mpdiou,
  nwd,
  shapeIou,
} from '../../src/iou/index.ts';
import { boxesOf, setNames } from '../golden/iou/boxes.ts';

const named = Object.keys(generatedMetrics).filter((name) => name !== 'mpdiou') as MetricName[];

export const metrics: readonly Metric[] = [
  ...named,
  mpdiou({ width: 640, height: 480 }),
  shapeIou({ scale: 1.5 }),
  distanceIou({ exponent: 0.6 }),
  completeIou({ alpha: 'undetached' }),
  completeIou({ alpha: 'gated' }),
  alphaIou({ base: 'iou', alpha: 2 }),
  nwd({ constant: 20 }),
  innerIou({ base: 'ciou', ratio: 0.8 }),
  innerIou({ base: 'siou', ratio: 1.3 }),
  focalerIou({ base: 'eiou' }),
  defineMetric({
    name: 'dice',
    formula: ({ a, b, intersection }) =>
      formula.ratio(formula.mul(2, intersection), formula.add(a.area, b.area)),
  }),
  // labels that are no names in WGSL, and angles beyond the two a box brings along
  defineMetric({
    name: 'awkward',
    formula: ({ a, b, iou, enclosingWidth, enclosingHeight }) => {
      const { add, angle, label, mul, sub } = formula;
      const share = label('return', mul(iou, iou));
      const rest = label('what is left', sub(1, share));
      const own = add(a.aspectAngle, angle(a.height, a.width), angle(a.width, add(a.width, a.height)));
      const both = add(angle(enclosingWidth, enclosingHeight), own, b.aspectAngle);
      return mul(0.1, add(label('p', add(mul(share, rest), rest)), both));
    },
  }),
  innerIou({ base: innerIou({ ratio: 0.5 }), ratio: 1.3 }),
];

export const nameOf = (metric: Metric): string => (typeof metric === 'string' ? metric : metric.name);

/** The golden's box sets as images of one batch; those beyond float32's comfort are left to the CPU by design. */
export const imageSets = setNames.filter((name) => !['minute', 'vast'].includes(name));

export interface TestBatch {
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
  readonly batch: { readonly a: number[]; readonly b: number[] };
}

/** Boxes of several images one after the other. */
export function batchOf(images: readonly (readonly [Float32Array, Float32Array])[]): TestBatch {
  const join = (side: 0 | 1) => {
    const parts = images.map((image) => image[side]);
    const boxes = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    const offsets = [0];
    for (const part of parts) {
      boxes.set(part, 4 * offsets.at(-1)!);
      offsets.push(offsets.at(-1)! + part.length / 4);
    }
    return { boxes, offsets };
  };
  const [a, b] = [join(0), join(1)];
  return { a: a.boxes, b: b.boxes, batch: { a: a.offsets, b: b.offsets } };
}

/** The sets a metric is computed in float32 for: the alpha family's powers leave it sooner. */
export const goldenBatch = (metric: Metric): TestBatch =>
  batchOf(
    imageSets
      .filter((name) => name !== 'huge' || !nameOf(metric).startsWith('alpha'))
      .map((name) => [boxesOf(name, 0), boxesOf(name, 1)] as const),
  );
