/** The DIoU paper's simulation on few points: the order of the losses, its parts, and the same on WebGPU. */
import { describe, expect, it } from 'vitest';
import {
  areas,
  aspectRatios,
  casesOf,
  casesPerPoint,
  scatterPoints,
  spreadPoints,
} from '../../examples/iou-regression/simulation/cases.ts';
import { GpuRegression } from '../../examples/iou-regression/simulation/gpu.ts';
import { metricNamed, paperLosses } from '../../examples/iou-regression/simulation/metrics.ts';
import { learningRate, Regression } from '../../examples/iou-regression/simulation/regression.ts';
import { simulate } from '../../examples/iou-regression/simulation/simulate.ts';
import { openDawn } from '../webgpu/dawn.ts';

const points = spreadPoints(32);

describe('the cases', () => {
  it('are 7 targets × 7 areas × 7 ratios a point, 1,715,000 for 5,000 points in a disc of radius 3', () => {
    expect(casesPerPoint * 5000).toBe(1_715_000);
    const { boxes, targets } = casesOf(points, 2, 3, 'centre');
    const seen = new Set<string>();
    for (let i = 0; i < boxes.length; i += 4) {
      const [x, y, w, h] = boxes.subarray(i, i + 4) as unknown as [number, number, number, number];
      const [tx, ty, tw, th] = targets.subarray(i, i + 4) as unknown as [number, number, number, number];
      expect([x, y, tx, ty]).toEqual([points[4], points[5], 10, 10]);
      expect(tw * th).toBeCloseTo(1, 12);
      expect(Math.min(...areas.map((area) => Math.abs(area - w * h)))).toBeLessThan(1e-12);
      expect(Math.min(...aspectRatios.map((ratio) => Math.abs(ratio - w / h)))).toBeLessThan(1e-12);
      seen.add([w, h, tw].map((value) => value.toFixed(9)).join());
    }
    expect(seen.size).toBe(343);
    expect(scatterPoints(500)).toEqual(scatterPoints(500));
    for (const scattered of [scatterPoints(500), spreadPoints(500)]) {
      for (let i = 0; i < scattered.length; i += 2) {
        expect(Math.hypot(scattered[i]! - 10, scattered[i + 1]! - 10)).toBeLessThanOrEqual(3);
      }
    }
  });
  it('are the same boxes in both parametrisations', () => {
    const corners = new Regression(casesOf(points, 0, 4, 'corners'), 'iou', 'corners');
    const centre = new Regression(casesOf(points, 0, 4, 'centre'), 'iou', 'centre');
    expect(corners.errors()).toBeCloseTo(centre.errors(), 8);
  });
  it('are moved at 0.1, from 80 % on at 0.01, from 90 % on at 0.001', () => {
    expect([0, 159, 160, 179, 180, 199].map((t) => learningRate(t, 200))).toEqual([
      0.1, 0.1, 0.01, 0.01, 0.001, 0.001,
    ]);
  });
});

describe('the simulation', () => {
  const run = (name: string, from = 0, to = points.length / 2) =>
    simulate({ metric: metricNamed(name), parametrisation: 'corners', iterations: 200 }, points, from, to);

  it('ends, for updates of the corners, with the errors IoU > GIoU > DIoU > CIoU', () => {
    const finals = paperLosses.map((name) => run(name).curve.at(-1)!);
    for (let i = 1; i < finals.length; i++) expect(finals[i]!).toBeLessThan(finals[i - 1]!);
  });
  it('is a pure function of its points, whole or in parts', () => {
    const whole = run('diou', 0, 6);
    expect(run('diou', 0, 6)).toEqual(whole);
    const [first, second] = [run('diou', 0, 2), run('diou', 2, 6)];
    whole.curve.forEach((error, t) => {
      expect(first.curve[t]! + second.curve[t]!).toBeCloseTo(error, 8);
    });
    expect([...first.final, ...second.final]).toEqual([...whole.final]);
    expect(whole.final.reduce((a, b) => a + b)).toBeCloseTo(whole.curve.at(-1)!, 8);
  });
  it('leaves boxes that do not overlap where they are with IoU, and refuses unknown losses', () => {
    const far = Float64Array.of(13, 10);
    const { curve } = simulate({ metric: 'iou', parametrisation: 'corners', iterations: 20 }, far);
    const moved = simulate({ metric: 'giou', parametrisation: 'corners', iterations: 20 }, far);
    expect(curve.at(-1)!).toBeGreaterThan(0.9 * curve[0]!);
    expect(moved.curve.at(-1)!).toBeLessThan(curve.at(-1)!);
    expect(() => metricNamed('l1')).toThrow(/giou/);
  });
});

describe('on WebGPU, in Dawn [optional]', async () => {
  const dawn = await openDawn();
  it.skipIf('absent' in dawn).each(['iou', 'giou', 'diou', 'ciou', 'eiou', 'siou', 'nwd', 'innerCiou'])(
    '%s follows the same curve, float32',
    async (name) => {
      if ('absent' in dawn) return;
      const device = await (await dawn.gpu.requestAdapter())!.requestDevice();
      const few = scatterPoints(4);
      for (const parametrisation of ['corners', 'centre'] as const) {
        const run = { metric: metricNamed(name), parametrisation, iterations: 60 };
        const expected = simulate(run, few);
        const regression = await GpuRegression.create(device, few, run.metric, parametrisation);
        const curve: number[] = [];
        for (let t = 0; t < 60; t += 20) {
          const rates = Array.from({ length: 20 }, (_, i) => learningRate(t + i, 60));
          curve.push(...(await regression.advance(rates)));
        }
        curve.forEach((error, t) => {
          // boxes that swing about their targets part ways in time
          expect(Math.abs(error / expected.curve[t + 1]! - 1)).toBeLessThan(t < 10 ? 1e-5 : 1e-2);
        });
        const final = await regression.errors();
        expect(final.reduce((a, b) => a + b)).toBeCloseTo(curve.at(-1)!, 1);
        regression.destroy();
      }
      device.destroy();
    },
  );
});
