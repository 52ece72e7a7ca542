/** How jobs run: batches, tiles, results on the GPU, many at once, empty and bad ones, the choice of backend. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OptionError, ShapeError, UnsupportedError } from '../../src/errors.ts';
import { alphaIou, bestMatch, type Metric, pairwiseIou } from '../../src/iou/index.ts';
import {
  type BatchIou,
  type Calibration,
  createBatchIou,
  type GpuPairwiseOptions,
  type GpuResult,
} from '../../src/webgpu/index.ts';
import { batchOf } from './metrics.ts';
import type { OpenGpu } from './suite.ts';
import { countedDevice, readResult, sampleBoxes } from './support.ts';

type Kind = 'pairwise' | 'bestMatch';

const run = (
  on: BatchIou,
  kind: Kind,
  a: Float32Array,
  b: Float32Array,
  options: Pick<GpuPairwiseOptions, 'metric' | 'batch'>,
): Promise<unknown> =>
  kind === 'pairwise' ? on.pairwise(a, b, { ...options }) : on.bestMatch(a, b, { ...options });
const keep = (on: BatchIou, kind: Kind, a: Float32Array, b: Float32Array): Promise<GpuResult> =>
  kind === 'pairwise'
    ? on.pairwise(a, b, { metric: 'ciou', output: 'buffer' })
    : on.bestMatch(a, b, { metric: 'ciou', output: 'buffer' });

export function jobTests(open: OpenGpu): void {
  describe('jobs', () => {
    let gpu: BatchIou;
    let device: GPUDevice;
    beforeAll(async () => {
      device = (await countedDevice(open())).device;
      gpu = await createBatchIou({ device });
    });
    afterAll(() => {
      gpu.dispose();
      device.destroy();
    });

    const sizes = [
      [30, 7],
      [0, 5],
      [12, 0],
      [0, 0],
      [1, 1],
      [70, 90],
    ] as const;
    const images = sizes.map(([n, m], k) => [sampleBoxes(n, k + 1), sampleBoxes(m, k + 50)] as const);

    it('a ragged batch equals its images one by one', async () => {
      const { a, b, batch } = batchOf(images);
      const matrix = await gpu.pairwise(a, b, { batch, metric: 'ciou' });
      const best = await gpu.bestMatch(a, b, { batch, metric: 'ciou' });
      let at = 0;
      for (const [k, [p, q]] of images.entries()) {
        const single = await gpu.pairwise(p, q, { metric: 'ciou' });
        expect(matrix.slice(at, at + single.length)).toEqual(single);
        at += single.length;
        const { values, indices } = await gpu.bestMatch(p, q, { metric: 'ciou' });
        const [from, to] = [batch.a[k]!, batch.a[k + 1]!];
        expect(best.values.slice(from, to)).toEqual(values);
        expect(best.indices.slice(from, to)).toEqual(
          indices.map((index) => (index < 0 ? index : index + batch.b[k]!)),
        );
      }
      expect(at).toBe(matrix.length);
    });

    it('tiles under small limits give the same bits', async () => {
      const tiled = await createBatchIou({
        device,
        limits: { bindingBytes: 1024, workgroups: 2, pairs: 3000 },
      });
      const [a, b] = [sampleBoxes(150, 1), sampleBoxes(130, 2)];
      for (const kind of ['pairwise', 'bestMatch'] as const) {
        expect(tiled.explain(150, 130, { kind }).tiles).toBeGreaterThan(5);
        expect(gpu.explain(150, 130, { kind }).tiles).toBe(1);
        const whole = await run(gpu, kind, a, b, { metric: 'ciou' });
        expect(await run(tiled, kind, a, b, { metric: 'ciou' })).toEqual(whole);
        using result = await keep(tiled, kind, a, b);
        using expected = await keep(gpu, kind, a, b);
        expect(await readResult(device, result)).toEqual(await readResult(device, expected));
      }
      expect(await tiled.aligned(a, sampleBoxes(150, 3))).toEqual(await gpu.aligned(a, sampleBoxes(150, 3)));
      const ragged = batchOf(images);
      for (const kind of ['pairwise', 'bestMatch'] as const) {
        const options = { batch: ragged.batch, metric: 'ciou' } as const;
        expect(await run(tiled, kind, ragged.a, ragged.b, options)).toEqual(
          await run(gpu, kind, ragged.a, ragged.b, options),
        );
      }
      expect(tiled.stats().liveBuffers).toBe(0);
      tiled.dispose();
    });

    it('leaves results on the GPU until they are released', async () => {
      const [a, b] = [sampleBoxes(20, 1), sampleBoxes(30, 2)];
      const matrix = await gpu.pairwise(a, b, { output: 'buffer' });
      const best = await gpu.bestMatch(a, b, { output: 'buffer' });
      const aligned = await gpu.aligned(a, a, { output: 'buffer' });
      expect(gpu.stats().liveBuffers).toBe(3);
      expect(new Float32Array(await readResult(device, matrix))).toEqual(await gpu.pairwise(a, b));
      expect([...new Float32Array(await readResult(device, aligned))].every((value) => value === 1)).toBe(
        true,
      );
      const words = new Int32Array(await readResult(device, best));
      const { indices } = bestMatch(a, b);
      expect([...words].filter((_, i) => i % 2 === 1)).toEqual([...indices]);
      for (const result of [matrix, best, aligned, matrix]) result.release();
      expect(gpu.stats().liveBuffers).toBe(0);
    });

    it('calls at the same time do not disturb each other', async () => {
      const jobs = Array.from({ length: 24 }, (_, k) => [
        sampleBoxes(5 + 9 * k, k),
        sampleBoxes(80 - 3 * k, k + 99),
      ]);
      const metricsOfJobs: readonly Metric[] = ['iou', 'ciou'];
      const one = ([a, b]: Float32Array[], k: number) =>
        gpu.pairwise(a!, b!, { metric: metricsOfJobs[k % 2]! });
      const together = await Promise.all(jobs.map(one));
      for (const [k, job] of jobs.entries()) expect(together[k]).toEqual(await one(job, k));
    });

    it('repeated calls make no buffer', async () => {
      const [a, b] = [sampleBoxes(100, 1), sampleBoxes(50, 2)];
      const out = { values: new Float32Array(100), indices: new Int32Array(100) };
      await gpu.bestMatch(a, b, { out });
      const { buffersCreated } = gpu.stats();
      for (let k = 0; k < 100; k++) expect(await gpu.bestMatch(a, b, { out })).toBe(out);
      expect(gpu.stats()).toMatchObject({ buffersCreated, liveBuffers: 0 });
    });

    it('takes nothing, and gives it back', async () => {
      const none = new Float32Array(0);
      const some = sampleBoxes(3, 1);
      expect(await gpu.pairwise(none, some)).toEqual(none);
      expect(await gpu.pairwise(some, none)).toEqual(none);
      expect(await gpu.aligned(none, none)).toEqual(none);
      expect(await gpu.bestMatch(none, some)).toEqual({ values: none, indices: new Int32Array(0) });
      expect(await gpu.bestMatch(some, none)).toEqual(bestMatch(some, none));
      using empty = await gpu.pairwise(none, some, { output: 'buffer' });
      expect(empty.byteLength).toBe(0);
      using unmatched = await gpu.bestMatch(some, none, { output: 'buffer' });
      const words = new Uint32Array(await readResult(device, unmatched));
      expect([...words]).toEqual([0xff800000, 0xffffffff, 0xff800000, 0xffffffff, 0xff800000, 0xffffffff]);
    });

    it('refuses bad input with the error of the core', async () => {
      const a = sampleBoxes(3, 1);
      const wrong = <T>(value: unknown) => value as T;
      const refused: readonly [Promise<unknown>, typeof ShapeError | typeof OptionError][] = [
        [gpu.pairwise(a.subarray(0, 5), a), ShapeError],
        [gpu.pairwise(wrong([1, 2, 3, 4]), a), ShapeError],
        [gpu.aligned(a, a.subarray(0, 4)), ShapeError],
        [gpu.pairwise(a, a, { metric: wrong<Metric>('nope') }), OptionError],
        [gpu.pairwise(a, a, { preset: wrong('nope') }), OptionError],
        [gpu.pairwise(a, a, { format: wrong('nope') }), OptionError],
        [gpu.pairwise(a, a, { pixelOffset: wrong(2) }), OptionError],
        [gpu.pairwise(a, a, { eps: -1 }), OptionError],
        [gpu.pairwise(a, a, { out: new Float32Array(8) }), OptionError],
        [gpu.pairwise(a, a, { backend: wrong('npu') }), OptionError],
        [gpu.pairwise(a, a, wrong<{ output: 'array' }>({ output: 'texture' })), OptionError],
        [gpu.pairwise(a, a, { output: 'buffer', out: new Float32Array(9) }), OptionError],
        [gpu.pairwise(a, a, { batch: { a: [0, 2], b: [0, 3] } }), OptionError],
        [
          gpu.bestMatch(a, a, { out: { values: new Float32Array(3), indices: new Int32Array(2) } }),
          OptionError,
        ],
      ];
      for (const [promise, Class] of refused) await expect(promise).rejects.toBeInstanceOf(Class);
      expect(() => gpu.explain(3, 3, { kind: wrong('best') })).toThrow(OptionError);
      expect(() => gpu.explain(3, 3, { output: wrong('texture') })).toThrow(OptionError);
      expect(gpu.stats().liveBuffers).toBe(0);
    });

    it('a matrix too large for one buffer is refused', async () => {
      const small = await createBatchIou({ device: limited(device, 4096) });
      const [a, b] = [sampleBoxes(40, 1), sampleBoxes(40, 2)];
      await expect(small.pairwise(a, b, { output: 'buffer' })).rejects.toBeInstanceOf(OptionError);
      expect(small.stats().liveBuffers).toBe(0);
      small.dispose();
    });

    it('auto goes where a measurement says', async () => {
      const cost = (cpuMs: number, gpuMs: number) => [
        { rows: 16, columns: 16, cpuMs: cpuMs / 100, gpuMs: gpuMs / 100 },
        { rows: 16384, columns: 4, cpuMs: cpuMs / 2, gpuMs: gpuMs / 2 },
        { rows: 1024, columns: 256, cpuMs, gpuMs },
      ];
      const calibration: Calibration = [
        { kind: 'pairwise', metric: 'iou', points: cost(100, 1) },
        { kind: 'pairwise', metric: 'ciou', points: cost(1, 100) },
      ];
      const auto = await createBatchIou({ device, calibration, backend: 'auto' });
      const [a, b] = [sampleBoxes(40, 1), sampleBoxes(30, 2)];
      for (const [metric, backend] of [
        ['iou', 'gpu'],
        ['ciou', 'cpu'],
      ] as const) {
        const { buffersCreated } = auto.stats();
        const explained = auto.explain(40, 30, { metric });
        expect(explained).toMatchObject({ backend, metric, pairs: 1200, tiles: 1, readbackBytes: 4800 });
        expect(explained.reason).toMatch(/CPU .* ms, GPU .* ms/);
        const got = await auto.pairwise(a, b, { metric });
        for (const [i, value] of pairwiseIou(a, b, { metric }).entries())
          expect(got[i]).toBeCloseTo(value, 5);
        expect(auto.stats().buffersCreated > buffersCreated).toBe(backend === 'gpu');
      }
      expect(auto.explain(40, 30, { metric: 'giou' })).toMatchObject({ backend: 'cpu', cpuMs: null });
      auto.dispose();
    });

    it('calibrates by itself, and its measurements can be kept', async () => {
      const first = await createBatchIou({ device, backend: 'auto' });
      await first.bestMatch(sampleBoxes(40, 1), sampleBoxes(30, 2));
      const kept = JSON.parse(JSON.stringify(await first.calibrate({ kinds: ['bestMatch'] }))) as Calibration;
      expect(kept).toHaveLength(1);
      for (const point of kept[0]!.points) {
        expect(point.cpuMs).toBeGreaterThan(0);
        expect(point.gpuMs).toBeGreaterThan(0);
      }
      const second = await createBatchIou({ device, backend: 'auto', calibration: kept });
      const question = { kind: 'bestMatch' } as const;
      expect(second.explain(5000, 500, question)).toEqual(first.explain(5000, 500, question));
      expect(second.explain(5000, 500, question).cpuMs).toBeGreaterThan(0);
      first.dispose();
      second.dispose();
    });

    it('measures the GPU, not the CPU twice, whatever the power', async () => {
      const auto = await createBatchIou({ device, backend: 'auto' });
      const below = alphaIou({ base: 'diou', alpha: 0.1 });
      expect(await auto.calibrate({ metrics: [below] })).toEqual([]);
      for (const output of ['array', 'buffer'] as const) {
        expect(auto.explain(40, 30, { metric: below, output })).toMatchObject({
          backend: 'cpu',
          reason: expect.stringContaining('magnifies'),
        });
      }
      // 10: boxes that spread over 12 pixels are the CPU's
      const { buffersCreated } = auto.stats();
      const metric = alphaIou({ base: 'giou', alpha: 10 });
      expect(await auto.calibrate({ metrics: [metric], kinds: ['bestMatch'] })).toHaveLength(1);
      expect(auto.stats().buffersCreated).toBeGreaterThan(buffersCreated);
      auto.dispose();
    });

    it('without a GPU auto works on the CPU and says why', async () => {
      const nothing = { requestAdapter: async () => null } as unknown as GPU;
      await expect(createBatchIou({ gpu: nothing })).rejects.toBeInstanceOf(UnsupportedError);
      const auto = await createBatchIou({ gpu: nothing, backend: 'auto' });
      const a = sampleBoxes(9, 1);
      expect(await auto.pairwise(a, a)).toEqual(pairwiseIou(a, a));
      expect(auto.explain(9, 9)).toMatchObject({ backend: 'cpu', reason: expect.stringMatching(/adapter/) });
      await expect(auto.pairwise(a, a, { backend: 'gpu' })).rejects.toBeInstanceOf(UnsupportedError);
      await expect(auto.pairwise(a, a, { output: 'buffer' })).rejects.toBeInstanceOf(UnsupportedError);
      auto.dispose();
    });
  });
}

/** The same device, saying that its buffers are smaller. */
function limited(device: GPUDevice, maxBufferSize: number): GPUDevice {
  const limits = new Proxy(device.limits, {
    get: (target, name) => (name === 'maxBufferSize' ? maxBufferSize : Reflect.get(target, name, target)),
  });
  return new Proxy(device, {
    get: (target, name) => {
      if (name === 'limits') return limits;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
