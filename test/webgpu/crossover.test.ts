/** Costs from measurements, without a GPU. */
import { describe, expect, it } from 'vitest';
import { OptionError, UnsupportedError } from '../../src/errors.ts';
import { Crossover } from '../../src/webgpu/crossover.ts';
import { createBatchIou } from '../../src/webgpu/index.ts';

/** A machine: once + boxes + pairs, in milliseconds. */
const cpu = (rows: number, columns: number) => 0.002 + 2e-6 * rows + 4e-7 * rows * columns;
const gpu = (rows: number, columns: number) => 0.4 + 5e-6 * (rows + columns) + 1e-8 * rows * columns;
const measure = async (rows: number, columns: number) => ({
  rows,
  columns,
  cpuMs: cpu(rows, columns),
  gpuMs: gpu(rows, columns),
});

describe('crossover', () => {
  it('predicts a machine of its model and picks the faster side', async () => {
    const crossover = new Crossover();
    expect(crossover.predict('pairwise', 'iou', 10, 10, 100)).toBeNull();
    await crossover.measure('pairwise', 'iou', measure);
    for (const [n, m] of [
      [100, 100],
      [1000, 50],
      [8400, 100],
      [120000, 100],
      [5000, 5000],
    ] as const) {
      const { cpuMs, gpuMs } = crossover.predict('pairwise', 'iou', n, m, n * m)!;
      expect(Math.abs(cpuMs / cpu(n, m) - 1)).toBeLessThan(0.1);
      expect(Math.abs(gpuMs / gpu(n, m) - 1)).toBeLessThan(0.1);
      expect(cpuMs < gpuMs).toBe(cpu(n, m) < gpu(n, m));
    }
  });

  it('refuses what calibrate() never returned', () => {
    const point = { rows: 1, columns: 1, cpuMs: 1, gpuMs: 1 };
    for (const points of [[], [point, point], [point, point, { ...point, gpuMs: Number.NaN }]]) {
      expect(() => new Crossover([{ kind: 'pairwise', metric: 'iou', points }])).toThrow(OptionError);
    }
  });
});

describe('what is no GPU', () => {
  it('is a typed error, and with backend auto the CPU', async () => {
    const none = { requestAdapter: async () => null };
    const fake = { requestAdapter: async () => ({}) };
    for (const options of [{ adapter: {} }, { gpu: {} }, { gpu: none }, { gpu: fake }]) {
      await expect(createBatchIou(options as never)).rejects.toBeInstanceOf(UnsupportedError);
      const gpu = await createBatchIou({ ...options, backend: 'auto' } as never);
      const box = Float32Array.of(0, 0, 2, 2);
      expect([...(await gpu.pairwise(box, box))]).toEqual([1]);
      gpu.dispose();
    }
  });

  it('is no calibration: null is none, a row of null is refused', async () => {
    const gpu = await createBatchIou({ backend: 'cpu', calibration: null } as never);
    gpu.dispose();
    await expect(createBatchIou({ backend: 'cpu', calibration: [null] } as never)).rejects.toThrow(
      'calibration must be what calibrate() returned',
    );
  });
});
