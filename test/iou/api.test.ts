/** Formats, outputs, degenerate and bad input, and the cost of steady use. */
import { describe, expect, it } from 'vitest';
import { OptionError, ShapeError } from '../../src/errors.ts';
import {
  alignedIou,
  alphaIou,
  type Batch,
  bestMatch,
  completeIou,
  convertBoxes,
  countAbove,
  defineMetric,
  type Expression,
  focalerIou,
  formula,
  innerIou,
  type Metric,
  mpdiou,
  nwd,
  pairwiseIou,
  shapeIou,
  type Terms,
} from '../../src/index.ts';
import { iouGradient } from '../../src/iou/gradient.ts';
import { boxesOf } from '../golden/iou/boxes.ts';

const a = boxesOf('pixels', 0);
const b = boxesOf('pixels', 1);

describe('formats', () => {
  it('every format gives the values of the corners', () => {
    const expected = pairwiseIou(Float64Array.from(a), Float64Array.from(b), { metric: 'ciou' });
    for (const format of ['xywh', 'cxcywh', 'yxyx'] as const) {
      const [p, q] = [a, b].map((boxes) => convertBoxes(Float64Array.from(boxes), 'xyxy', format));
      const got = pairwiseIou(p!, q!, { metric: 'ciou', format });
      for (let i = 0; i < expected.length; i++) expect(got[i]).toBeCloseTo(expected[i]!, 12);
      expect(bestMatch(p!, q!, { metric: 'ciou', format }).indices).toEqual(
        bestMatch(Float64Array.from(a), Float64Array.from(b), { metric: 'ciou' }).indices,
      );
    }
  });

  it('normalised boxes are compared as they are', () => {
    const boxes = new Float64Array([0.5, 0.5, 0.2, 0.4]);
    const other = new Float64Array([0.55, 0.5, 0.2, 0.4]);
    expect(alignedIou(boxes, other, { format: 'cxcywhn' })[0]).toBeCloseTo(0.6, 12);
  });

  it('the input is never written', () => {
    const [p, q] = [a.slice(), b.slice()];
    pairwiseIou(p, q, { format: 'cxcywh', pixelOffset: 1 });
    expect(p).toEqual(a);
    expect(q).toEqual(b);
  });
});

describe('precision of results', () => {
  it('float32 in, float32 out; float64 when either is', () => {
    expect(pairwiseIou(a, b)).toBeInstanceOf(Float32Array);
    expect(pairwiseIou(Float64Array.from(a), b)).toBeInstanceOf(Float64Array);
    expect(bestMatch(a, Float64Array.from(b)).values).toBeInstanceOf(Float64Array);
  });

  it('best matches are those of the precision they are written in, ties to the lower index', () => {
    // IoU 1/(1 + d): apart in float64, one number in float32
    const boxes = (d: number) => [0, 0, 1, 1 + d];
    const close = Float64Array.from([...boxes(0.3), ...boxes(0.3 - 1e-10)]);
    const unit = Float64Array.from([0, 0, 1, 1]);
    const columns = (float32: boolean) => {
      const numbers = (n: number) => (float32 ? new Float32Array(n) : new Float64Array(n));
      const out = { values: numbers(2), indices: new Int32Array(2), columnValues: numbers(1) };
      return bestMatch(close, unit, { columnBest: true, out });
    };
    expect([...columns(false).columnIndices!]).toEqual([1]);
    expect([...columns(true).columnIndices!]).toEqual([0]);
    const out = { values: new Float32Array(1), indices: new Int32Array(1) };
    expect([...bestMatch(unit, close, { out }).indices]).toEqual([0]);
  });

  it('extreme float32 boxes go through float64', () => {
    const tiny = new Float32Array([0, 0, 1e-25, 1e-25]);
    const half = new Float32Array([0, 0, 1e-25, 5e-26]);
    expect(pairwiseIou(tiny, half)[0]).toBeCloseTo(0.5, 6);
    const huge = new Float32Array([0, 0, 3e30, 3e30]);
    expect(pairwiseIou(huge, huge, { metric: 'ciou' })[0]).toBeCloseTo(1, 6);
  });
});

describe('empty and degenerate input', () => {
  const none = new Float32Array(0);
  it('no boxes give empty results', () => {
    expect(pairwiseIou(none, b)).toHaveLength(0);
    expect(pairwiseIou(a, none)).toHaveLength(0);
    expect(alignedIou(none, none)).toHaveLength(0);
    expect(countAbove(a, none, { threshold: 0 })).toEqual(new Uint32Array(a.length / 4));
    const empty = bestMatch(a, none, { columnBest: true, secondBest: true });
    const { values, indices, columnIndices, secondValues, secondIndices } = empty;
    expect(Array.from(secondValues!)).toEqual(Array(9).fill(Number.NEGATIVE_INFINITY));
    expect(Array.from(secondIndices!)).toEqual(Array(9).fill(-1));
    expect(Array.from(values)).toEqual(Array(9).fill(Number.NEGATIVE_INFINITY));
    expect(Array.from(indices)).toEqual(Array(9).fill(-1));
    expect(columnIndices).toHaveLength(0);
    expect(Array.from(bestMatch(none, b, { columnBest: true }).columnIndices!)).toEqual(Array(8).fill(-1));
  });

  it('boxes that are not finite are NaN in a matrix and match nothing', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (let k = 0; k < 4; k++) {
        const p = new Float32Array([0, 0, 10, 10, 0, 0, 10, 10]);
        p[k] = bad;
        const q = new Float32Array([0, 0, 10, 10]);
        for (const metric of ['iou', 'giou', 'ciou', 'nwd', innerIou()] as Metric[]) {
          const matrix = pairwiseIou(p, q, { metric });
          expect(matrix[0]).toBeNaN();
          expect(matrix[1]).toBeCloseTo(1, 3);
          expect(pairwiseIou(q, p, { metric })[0]).toBeNaN();
          expect(Array.from(bestMatch(p, q, { metric }).indices)).toEqual([-1, 0]);
          expect(bestMatch(q, p, { metric }).indices[0]).toBe(1);
          expect(Array.from(countAbove(p, q, { metric, threshold: -10 }))).toEqual([0, 1]);
        }
      }
    }
  });
});

describe('metrics of metrics', () => {
  it('a combination of itself keeps both parameters', () => {
    // IoU of halves: 0, of the boxes: 1/3, of boxes half as large again: 0.5
    const p = new Float64Array([0, 0, 4, 4]);
    const q = new Float64Array([2, 0, 6, 4]);
    const nested = innerIou({ base: innerIou({ ratio: 0.5 }), ratio: 1.5 });
    expect(pairwiseIou(p, q, { metric: innerIou({ ratio: 0.5 }) })[0]).toBeCloseTo(0, 12);
    expect(pairwiseIou(p, q, { metric: innerIou({ ratio: 1.5 }) })[0]).toBeCloseTo(0.5, 12);
    expect(pairwiseIou(p, q, { metric: nested })[0]).toBeCloseTo(0 + 0.5 - 1 / 3, 12);
  });

  it('eps replaces the eps of every preset', () => {
    const p = new Float64Array([0, 0, 4, 4]);
    const q = new Float64Array([2, 0, 6, 4]);
    for (const preset of [undefined, 'torchvision', 'detectron2', 'ultralytics', 'mmdetection'] as const) {
      const options = { metric: 'diou' as const, ...(preset && { preset }) };
      const one = pairwiseIou(p, q, { ...options, eps: 1 })[0]!;
      expect(one, String(preset)).not.toBe(pairwiseIou(p, q, options)[0]);
    }
  });

  it('a formula that is none, or reads what nobody gives, is refused where it is defined', () => {
    const wrong = [
      () => 5,
      () => undefined,
      () => formula.parameter('gamma'),
      ({ iou }: Terms) => formula.add(iou, formula.input('cx1')),
    ];
    for (const made of wrong) {
      const call = () => defineMetric({ name: 'wrong', formula: made as () => Expression });
      expect(call, String(made)).toThrow(OptionError);
    }
  });

  it("Powerful-IoU is finite also where a target's corners are the wrong way round", () => {
    const [p, q] = [new Float64Array([5, 5, 60, 70]), new Float64Array([0, 50.01, 50, 50])];
    for (const metric of ['piou', 'piou2'] as const) {
      expect(Number.isFinite(pairwiseIou(p, q, { metric })[0])).toBe(true);
    }
  });
});

describe('bad input is a typed error', () => {
  it('shapes', () => {
    expect(() => pairwiseIou(new Float32Array(5), b)).toThrow(ShapeError);
    expect(() => pairwiseIou(a, new Float64Array(3))).toThrow(ShapeError);
    expect(() => pairwiseIou([0, 0, 1, 1] as unknown as Float32Array, b)).toThrow(ShapeError);
    expect(() => pairwiseIou(null as unknown as Float32Array, b)).toThrow(ShapeError);
    expect(() => pairwiseIou(new Int32Array(4) as unknown as Float32Array, b)).toThrow(/Int32Array/);
    expect(() => alignedIou(a, b.subarray(4))).toThrow(ShapeError);
    expect(() => alignedIou(undefined as unknown as Float32Array, b)).toThrow(ShapeError);
    expect(() => alignedIou(b, null as unknown as Float32Array)).toThrow(ShapeError);
  });

  it('an out of another kind, which would cut results off or lose them', () => {
    const same = a.subarray(0, 4);
    const [values, indices] = [new Float32Array(1), new Int32Array(1)];
    const wrong = [new Uint8Array(99), new BigInt64Array(99), Array(99).fill(0), 7, 'a text long enough'];
    for (const out of wrong as unknown as Float32Array[]) {
      const calls: (() => unknown)[] = [
        () => pairwiseIou(same, same, { out }),
        () => alignedIou(Float64Array.from(same), same, { out, metric: 'ciou' }),
        () => bestMatch(same, same, { out: { values: out, indices } }),
        () => bestMatch(same, same, { out: { values, indices: out as unknown as Int32Array } }),
        () => bestMatch(same, same, { columnBest: true, out: { values, indices, columnValues: out } }),
        () => countAbove(same, same, { threshold: 0, out: out as unknown as Uint32Array }),
        () => iouGradient(same, same, { out: { values: out, gradient: new Float32Array(4) } }),
      ];
      for (const call of calls) expect(call, String(call)).toThrow(OptionError);
    }
    expect(() => countAbove(same, same, { threshold: 0, out: indices as unknown as Uint32Array })).toThrow(
      'expected out: at least 1 as Uint32Array, got 1 as Int32Array',
    );
  });

  it('names the factory of a metric that needs the size of the image', () => {
    expect(() => pairwiseIou(a, b, { metric: 'mpdiou' as Metric })).toThrow('mpdiou({ width, height })');
  });

  it('options', () => {
    const bad: (() => unknown)[] = [
      () => pairwiseIou(a, b, { metric: 'wiou' as Metric }),
      () => pairwiseIou(a, b, { metric: 'mpdiou' as Metric }),
      () => pairwiseIou(a, b, { metric: 'constructor' as Metric }),
      () => pairwiseIou(a, b, { metric: { name: 'wise' } as unknown as Metric }),
      () => pairwiseIou(a, b, { metric: null as unknown as Metric }),
      () => pairwiseIou(a, b, { preset: 'keras' as 'coco' }),
      () => pairwiseIou(a, b, { format: 'xxyy' as 'xyxy' }),
      () => pairwiseIou(a, b, { pixelOffset: 2 as 1 }),
      () => pairwiseIou(a, b, { eps: -1 }),
      () => pairwiseIou(a, b, { eps: Number.NaN }),
      () => pairwiseIou(a, b, { out: new Float32Array(3) }),
      () => bestMatch(a, b, { out: { values: new Float32Array(9), indices: new Int32Array(2) } }),
      () => countAbove(a, b, { threshold: Number.NaN }),
      () => countAbove(a, b, { threshold: 0, comparator: '<' as '>' }),
      () => countAbove(a, b, { threshold: 0, out: new Uint32Array(1) }),
      () => pairwiseIou(a, b, { batch: { a: [0, 9], b: [0, 4, 8] } }),
      () => pairwiseIou(a, b, { batch: { a: [0, 5, 4, 9], b: [0, 1, 2, 8] } }),
      () => pairwiseIou(a, b, { batch: { a: [0, 5], b: [0, 8] } }),
      () => pairwiseIou(a, b, { batch: { a: [1, 9], b: [0, 8] } }),
      () => pairwiseIou(a, b, { batch: { a: [], b: [] } }),
      () => pairwiseIou(a, b, { batch: null as unknown as Batch }),
      () => bestMatch(a, b, { batch: { a: [0, 9] } as unknown as Batch }),
      // @ts-expect-error the threshold has no default
      () => countAbove(a, b),
      () => iouGradient(a, a, { pixelOffset: '1' as unknown as 1 }),
      () => iouGradient(a, a, { metric: null as unknown as Metric }),
      () => iouGradient(a, a, { metric: 5 as unknown as Metric }),
      () => innerIou({ base: {} as Metric }),
      () => focalerIou({ base: null as unknown as Metric }),
      () => innerIou({ ratio: 0 }),
      () => innerIou({ base: 'nothing' as Metric }),
      () => innerIou({ base: 'mpdiou' as Metric }).implement({}),
      () => focalerIou({ d: 0.9, u: 0.5 }),
      () => alphaIou({ alpha: -1 }),
      () => alphaIou({ base: 'siou' as 'iou' }),
      () => completeIou({ alpha: 'sometimes' as 'always' }),
      () => mpdiou({ width: 0, height: 5 }),
      () => nwd({ constant: Number.NaN }),
      () => shapeIou({ scale: -1 }),
    ];
    for (const call of bad) expect(call, String(call)).toThrow(OptionError);
  });
});

describe('steady use', () => {
  it('with out nothing is allocated but a few small objects', () => {
    const out = new Float32Array(72);
    const best = { values: new Float32Array(9), indices: new Int32Array(9) };
    const metrics: Metric[] = ['iou', 'ciou', 'siou', innerIou({ base: 'diou' })];
    const run = (): void => {
      for (const metric of metrics) {
        pairwiseIou(a, b, { metric, out });
        pairwiseIou(a, b, { metric, out, format: 'cxcywh' });
        bestMatch(a, b, { metric, out: best });
      }
    };
    for (let i = 0; i < 2000; i++) run();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 2000; i++) run();
    // Any buffer a call would add 24 000 times over.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200_000);
  });

  it('one column buffer serves calls of different sizes and metrics', () => {
    const large = new Float32Array(4 * 3000);
    for (let i = 0; i < 3000; i++) large.set([i, 0, i + 10, 10], 4 * i);
    const once = pairwiseIou(a, b, { metric: 'ciou' });
    pairwiseIou(b, large, { metric: 'ciou' });
    pairwiseIou(Float64Array.from(b), large, { metric: 'shapeIou' });
    expect(pairwiseIou(a, b, { metric: 'ciou' })).toEqual(once);
    const { indices } = bestMatch(large.subarray(0, 4), large);
    expect(indices[0]).toBe(0);
    expect(bestMatch(large.subarray(4 * 2900, 4 * 2901), large).indices[0]).toBe(2900);
  });
});
