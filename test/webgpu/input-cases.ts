/** Boxes that are on the GPU already, rotated boxes, and what a best match can also tell. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OptionError, ShapeError } from '../../src/errors.ts';
import {
  alignedIou,
  bestMatch,
  convertBoxes,
  type Metric,
  pairwiseIou,
  rotatedIou,
} from '../../src/index.ts';
import { type BatchIou, createBatchIou, type GpuBoxes } from '../../src/webgpu/index.ts';
import { boxesOf } from '../golden/iou/boxes.ts';
import { uniform } from '../golden/seeded.ts';
import { batchOf, goldenBatch, metrics, nameOf } from './metrics.ts';
import type { OpenGpu } from './suite.ts';
import { countedDevice, readResult, sampleBoxes } from './support.ts';

const worst = (got: ArrayLike<number>, expected: ArrayLike<number>): number => {
  expect(got.length).toBe(expected.length);
  let error = 0;
  for (let i = 0; i < got.length; i++) {
    if (Object.is(got[i], expected[i])) continue;
    const own = Math.abs(got[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!));
    error = Math.max(error, Number.isNaN(own) ? Number.POSITIVE_INFINITY : own);
  }
  return error;
};

export function inputTests(open: OpenGpu): void {
  let gpu: BatchIou;
  let device: GPUDevice;
  let counts: { created: number; destroyed: number };
  beforeAll(async () => {
    ({ device, counts } = await countedDevice(open()));
    gpu = await createBatchIou({ device });
  });
  afterAll(() => {
    gpu.dispose();
    device.destroy();
  });

  describe('second best and best row of each column', () => {
    const tiledLimits = { bindingBytes: 2048, workgroups: 2, pairs: 3000 };

    it('equal the core, with ties, batches, tiles and boxes that are not finite', async () => {
      const tiled = await createBatchIou({ device, limits: tiledLimits });
      const bad = Float32Array.of(Number.NaN, 0, 1, 1);
      const join = (...parts: Float32Array[]) => Float32Array.from(parts.flatMap((part) => [...part]));
      const same = sampleBoxes(7, 4);
      const jobs = [
        [sampleBoxes(900, 1), sampleBoxes(30, 2), undefined],
        [join(same, same, bad, same), join(bad, same, same), undefined],
        [sampleBoxes(40, 1), sampleBoxes(1, 2), undefined],
        [sampleBoxes(3, 1), new Float32Array(0), undefined],
        [new Float32Array(0), sampleBoxes(3, 1), undefined],
        [bad, bad, undefined],
        (() => {
          const { a, b, batch } = batchOf([
            [sampleBoxes(300, 5), sampleBoxes(20, 6)],
            [sampleBoxes(0, 5), sampleBoxes(4, 6)],
            [sampleBoxes(9, 7), sampleBoxes(0, 6)],
            [sampleBoxes(600, 8), sampleBoxes(50, 9)],
          ]);
          return [a, b, batch] as const;
        })(),
      ] as const;
      for (const on of [gpu, tiled]) {
        for (const [a, b, batch] of jobs) {
          const options = { secondBest: true, columnBest: true, ...(batch && { batch }) };
          const expected = bestMatch(a, b, options);
          const got = await on.bestMatch(a, b, options);
          expect(got.indices).toEqual(expected.indices);
          expect(got.secondIndices).toEqual(expected.secondIndices);
          expect(got.columnIndices).toEqual(expected.columnIndices);
          for (const key of ['values', 'secondValues', 'columnValues'] as const) {
            expect(worst(got[key]!, expected[key]!), key).toBeLessThan(2e-6);
          }
        }
      }
      expect(tiled.stats().liveBuffers).toBe(0);
      tiled.dispose();
    });

    it('columns of a metric that is not symmetric, and of one with angles, keep its sides', async () => {
      const [a, b] = [sampleBoxes(80, 3), sampleBoxes(60, 4)];
      for (const metric of ['iof', 'shapeIou', 'ciou'] as const) {
        const expected = bestMatch(a, b, { metric, columnBest: true });
        const got = await gpu.bestMatch(a, b, { metric, columnBest: true });
        expect(worst(got.columnValues!, expected.columnValues!), metric).toBeLessThan(1e-5);
        expect(got.columnIndices).toEqual(expected.columnIndices);
      }
    });

    it('leaves both bests of a row on the GPU; writes into out; refuses what does not fit', async () => {
      const [a, b] = [sampleBoxes(20, 1), sampleBoxes(30, 2)];
      using kept = await gpu.bestMatch(a, b, { secondBest: true, output: 'buffer' });
      expect(kept.byteLength).toBe(20 * 16);
      const words = new Int32Array(await readResult(device, kept));
      const expected = bestMatch(a, b, { secondBest: true });
      expect([...words].filter((_, i) => i % 4 === 1)).toEqual([...expected.indices]);
      expect([...words].filter((_, i) => i % 4 === 3)).toEqual([...expected.secondIndices!]);
      const out = await gpu.bestMatch(a, b, { secondBest: true, columnBest: true });
      const again = await gpu.bestMatch(b.subarray(0, 80), b, { secondBest: true, columnBest: true, out });
      expect(again).toBe(out);
      expect([...out.indices]).toEqual(Array.from({ length: 20 }, (_, i) => i));
      const { values, indices } = out;
      await expect(gpu.bestMatch(a, b, { columnBest: true, out: { values, indices } })).rejects.toThrow(
        OptionError,
      );
      await expect(gpu.bestMatch(a, b, { columnBest: true, output: 'buffer' })).rejects.toThrow(OptionError);
      expect(gpu.explain(1000, 50, { kind: 'bestMatch', secondBest: true }).readbackBytes).toBe(16000);
    });
  });

  describe('rotated boxes', () => {
    const anglesOf = (seed: number, count: number) => Float32Array.from(uniform(seed, count, -4, 4));

    it('ProbIoU equals the CPU in every kernel, for boxes alike and unlike', async () => {
      for (const set of ['small', 'pixels', 'image', 'slivers', 'far', 'lattice', 'normalised']) {
        const [a, b] = [boxesOf(set, 0), boxesOf(set, 1)];
        const rotated = { aAngles: anglesOf(1, a.length / 4), bAngles: anglesOf(2, b.length / 4) };
        rotated.bAngles[0] = rotated.aAngles[0]!;
        const count = Math.min(a.length, b.length) / 4;
        const expected = rotatedIou(a, rotated.aAngles, b, rotated.bAngles, { overlap: 'probiou' });
        const matrix = await gpu.pairwise(a, b, { rotated });
        expect(worst(matrix, expected), set).toBeLessThan(1e-5);
        const aligned = await gpu.aligned(a.subarray(0, 4 * count), b.subarray(0, 4 * count), {
          rotated: {
            aAngles: rotated.aAngles.subarray(0, count),
            bAngles: rotated.bAngles.subarray(0, count),
          },
        });
        const diagonal = Array.from({ length: count }, (_, i) => expected[i * (b.length / 4) + i]!);
        expect(worst(aligned, diagonal), set).toBeLessThan(1e-5);
        const options = { rotated, secondBest: true, columnBest: true } as const;
        const onGpu = await gpu.bestMatch(a, b, options);
        const onCpu = await gpu.bestMatch(a, b, { ...options, backend: 'cpu' });
        for (const key of ['values', 'secondValues', 'columnValues'] as const) {
          expect(worst(onGpu[key]!, onCpu[key]!), `${set} ${key}`).toBeLessThan(1e-5);
        }
        onGpu.indices.forEach((index, i) => {
          if (onCpu.values[i]! - onCpu.secondValues![i]! > 1e-5) expect(index).toBe(onCpu.indices[i]);
        });
      }
    });

    it('boxes that differ by little, and long ones by an angle', async () => {
      const rows = 40;
      const a = new Float32Array(4 * rows);
      const b = new Float32Array(4 * rows);
      const rotated = { aAngles: new Float32Array(rows), bAngles: new Float32Array(rows) };
      for (let i = 0; i < rows; i++) {
        const [w, h] = [20 + i, 4 + (i % 3) * 30];
        const off = 2 ** -(i % 12);
        a.set([100, 50, 100 + w, 50 + h], 4 * i);
        b.set([100 + (i % 2) * off, 50, 100 + w + ((i >> 1) % 2) * off, 50 + h], 4 * i);
        rotated.aAngles[i] = 0.7;
        rotated.bAngles[i] = 0.7 + ((i >> 2) % 2) * off;
      }
      const got = await gpu.aligned(a, b, { rotated });
      const expected = await gpu.aligned(a, b, { rotated, backend: 'cpu' });
      expect(worst(got, expected)).toBeLessThan(1e-5);
    });

    it('batches, units, angles that are not finite, and errors', async () => {
      const images = [
        [sampleBoxes(20, 1), sampleBoxes(15, 2)],
        [sampleBoxes(0, 3), sampleBoxes(5, 4)],
        [sampleBoxes(33, 5), sampleBoxes(8, 6)],
      ] as const;
      const { a, b, batch } = batchOf(images);
      const degrees = (radians: Float32Array) => radians.map((angle) => (-angle * 180) / Math.PI);
      const rotated = { aAngles: anglesOf(3, a.length / 4), bAngles: anglesOf(4, b.length / 4) };
      const expected = await gpu.pairwise(a, b, { rotated, batch, backend: 'cpu' });
      expect(worst(await gpu.pairwise(a, b, { rotated, batch }), expected)).toBeLessThan(1e-5);
      const turned = {
        aAngles: degrees(rotated.aAngles),
        bAngles: degrees(rotated.bAngles),
        angleUnit: 'degree',
        direction: 'counterclockwise',
      } as const;
      expect(worst(await gpu.pairwise(a, b, { rotated: turned, batch }), expected)).toBeLessThan(1e-5);
      rotated.aAngles[3] = Number.NaN;
      const { indices } = await gpu.bestMatch(a, b, { rotated });
      expect(indices[3]).toBe(-1);
      expect((await gpu.pairwise(a, b, { rotated }))[3 * (b.length / 4)]).toBeNaN();
      await expect(gpu.pairwise(a, b, { rotated, metric: 'iou' })).rejects.toThrow(OptionError);
      await expect(
        gpu.pairwise(a, b, { rotated: { ...rotated, bAngles: new Float32Array(2) } }),
      ).rejects.toThrow(ShapeError);
    });

    it('auto measures it', async () => {
      const auto = await createBatchIou({ device, backend: 'auto' });
      const [a, b] = [sampleBoxes(50, 1), sampleBoxes(40, 2)];
      const rotated = { aAngles: anglesOf(5, 50), bAngles: anglesOf(6, 40) };
      await auto.bestMatch(a, b, { rotated });
      const told = auto.explain(50, 40, { kind: 'bestMatch', rotated });
      expect(told).toMatchObject({ metric: 'probiou' });
      expect(told.cpuMs).toBeGreaterThan(0);
      auto.dispose();
    });
  });

  describe('boxes on the GPU', () => {
    const upload = (data: Float32Array<ArrayBuffer>): GPUBuffer => {
      const buffer = device.createBuffer({ size: Math.max(16, data.byteLength), usage: 128 | 8 });
      device.queue.writeBuffer(buffer, 0, data);
      return buffer;
    };
    const place = (data: Float32Array<ArrayBuffer>, rest: Omit<GpuBoxes, 'buffer'>): GpuBoxes => ({
      buffer: upload(data),
      ...rest,
    });

    it('every metric gives what it gives for arrays, with its angles computed there', async () => {
      const wrong: string[] = [];
      const compare = async (metric: Metric) => {
        const { a, b, batch } = goldenBatch(metric);
        const [onA, onB] = [place(a, { count: a.length / 4 }), place(b, { count: b.length / 4 })];
        const expected = await gpu.pairwise(a, b, { metric, batch });
        const results = [
          await gpu.pairwise(onA, onB, { metric, batch }),
          await gpu.pairwise(onA, b, { metric, batch }),
          await gpu.pairwise(a, onB, { metric, batch }),
        ];
        for (const result of results) {
          const error = worst(result, expected);
          if (error > 2e-6) wrong.push(`${nameOf(metric)}: ${error}`);
        }
        onA.buffer.destroy();
        onB.buffer.destroy();
      };
      for (const metric of metrics) await compare(metric);
      expect(wrong).toEqual([]);
    });

    it('formats, layouts, offsets, tiles, best matches', async () => {
      const [boxes, targets] = [Float32Array.from(sampleBoxes(400, 1)), sampleBoxes(60, 2)];
      const tiled = await createBatchIou({
        device,
        limits: { bindingBytes: 1024, workgroups: 2, pairs: 3000 },
      });
      for (const format of ['xyxy', 'xywh', 'cxcywh', 'yxyx', 'cxcywhn'] as const) {
        const layout = format === 'cxcywhn' ? 'cxcywh' : format;
        const rows = convertBoxes(boxes, 'xyxy', layout);
        const b = convertBoxes(targets, 'xyxy', layout);
        // as a detector's output: six channels of 400 anchors, the boxes in the second to the fifth
        const channels = new Float32Array(6 * 400);
        for (let i = 0; i < rows.length; i++) channels[(1 + (i % 4)) * 400 + (i >> 2)] = rows[i]!;
        const planar = place(channels, { count: 400, offset: 400, boxStride: 1, valueStride: 400 });
        for (const pixelOffset of [0, 1] as const) {
          const options = { format, pixelOffset, secondBest: true, columnBest: true } as const;
          const expected = bestMatch(rows, b, options);
          for (const on of [gpu, tiled]) {
            const got = await on.bestMatch(planar, b, options);
            expect(got.indices).toEqual(expected.indices);
            expect(got.columnIndices).toEqual(expected.columnIndices);
            expect(worst(got.values, expected.values)).toBeLessThan(2e-6);
          }
        }
        planar.buffer.destroy();
      }
      const same = place(boxes, { count: 400 });
      expect(worst(await tiled.aligned(same, boxes), alignedIou(boxes, boxes))).toBeLessThan(2e-6);
      using left = await gpu.pairwise(same, targets, { output: 'buffer', metric: 'giou' });
      const values = new Float32Array(await readResult(device, left));
      expect(worst(values, pairwiseIou(boxes, targets, { metric: 'giou' }))).toBeLessThan(2e-6);
      tiled.dispose();
    });

    it('a box that is not finite has NaN; nothing gives nothing; the buffer stays the caller’s', async () => {
      const data = Float32Array.of(0, 0, 4, 4, Number.NaN, 0, 1, 1, 0, 0, Number.POSITIVE_INFINITY, 2);
      const onGpu = place(data, { count: 3 });
      const before = counts.destroyed;
      expect(await gpu.pairwise(onGpu, onGpu)).toEqual(pairwiseIou(data, data));
      expect(await gpu.bestMatch(onGpu, new Float32Array(0))).toEqual(bestMatch(data, new Float32Array(0)));
      expect(await gpu.pairwise({ ...onGpu, count: 0 }, data)).toEqual(new Float32Array(0));
      expect(counts.destroyed).toBe(before);
      expect(gpu.stats().liveBuffers).toBe(0);
    });

    it('refuses boxes beyond the buffer, the CPU, and angles', async () => {
      const a = sampleBoxes(4, 1) as Float32Array<ArrayBuffer>;
      const onGpu = place(a, { count: 4 });
      for (const part of [{ count: 5 }, { offset: 1 }, { boxStride: 5 }, { valueStride: 2 }, { count: -1 }]) {
        await expect(gpu.pairwise({ ...onGpu, ...part }, a)).rejects.toThrow(ShapeError);
      }
      await expect(gpu.pairwise({ buffer: null as never, count: 1 }, a)).rejects.toThrow(ShapeError);
      await expect(gpu.pairwise(onGpu, a, { backend: 'cpu' })).rejects.toThrow(OptionError);
      await expect(gpu.pairwise(onGpu, a, { format: 'nope' as 'xyxy' })).rejects.toThrow(OptionError);
      const rotated = { aAngles: new Float32Array(4), bAngles: new Float32Array(4) };
      await expect(gpu.pairwise(onGpu, a, { rotated })).rejects.toThrow(OptionError);
    });
  });
}
