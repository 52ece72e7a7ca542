/** Times one size of a kernel on both sides, through the same code as any call. */
import { bestMatchOnCpu, newMatch, similaritiesOnCpu } from './cpu.ts';
import { timeOf } from './crossover.ts';
import { type Comparison, metricOf, spreadOf } from './pack.ts';
import type { CalibrationPoint, GpuAlignedOptions, GpuBestMatchOptions, JobKind } from './types.ts';

interface Runner {
  pairwise(a: Float32Array, b: Float32Array, options: GpuAlignedOptions): Promise<unknown>;
  aligned(a: Float32Array, b: Float32Array, options: GpuAlignedOptions): Promise<unknown>;
  bestMatch(a: Float32Array, b: Float32Array, options: GpuBestMatchOptions): Promise<unknown>;
}

export async function measurePoint(
  runner: Runner,
  kind: JobKind,
  comparison: Comparison,
  rows: number,
  columns: number,
): Promise<CalibrationPoint> {
  const { rotated: isRotated, ...metric } = comparison;
  // near enough to each other for the GPU to take them, else the CPU would be measured twice
  const scale = Math.min(1, spreadOf(metricOf(comparison).metric) / 1024);
  const [a, b] = [sampleBoxes(rows, 1), sampleBoxes(columns, 2)].map((boxes) =>
    boxes.map((x) => x * scale),
  ) as [Float32Array, Float32Array];
  const rotated = { aAngles: a.subarray(0, rows), bAngles: b.subarray(0, columns) };
  const options = { ...metric, ...(isRotated !== undefined && { rotated }) };
  const onGpu = { ...options, backend: 'gpu' } as const;
  const images = { a: [0, rows], b: [0, columns] };
  const point = async (cpu: () => unknown, gpu: () => unknown): Promise<CalibrationPoint> => {
    return { rows, columns, cpuMs: await timeOf(cpu), gpuMs: await timeOf(gpu) };
  };
  if (kind === 'bestMatch') {
    const out = newMatch(rows);
    return point(
      () => bestMatchOnCpu(a, b, options, images, out),
      () => runner.bestMatch(a, b, { ...onGpu, out }),
    );
  }
  const out = new Float32Array(kind === 'pairwise' ? rows * columns : rows);
  return point(
    () => similaritiesOnCpu(kind, a, b, options, images, out),
    () => runner[kind](a, b, { ...onGpu, out }),
  );
}

/** Boxes of 8 to 200 pixels in a picture of 640: the same for the same seed. */
export function sampleBoxes(count: number, seed: number): Float32Array {
  const boxes = new Float32Array(4 * count);
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  for (let i = 0; i < boxes.length; i += 4) {
    const [x, y] = [next() * 600, next() * 600];
    boxes.set([x, y, x + 8 + next() * 192, y + 8 + next() * 192], i);
  }
  return boxes;
}
