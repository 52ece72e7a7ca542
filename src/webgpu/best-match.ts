/** Best matches on the GPU, read back: of the rows, and if asked of the columns too. */
import type { DeviceSession } from './device.ts';
import { type Job, swapSides } from './pack.ts';
import { runToHost } from './run.ts';
import { resultWords } from './shaders.ts';
import { planColumnTiles, planTiles } from './tiles.ts';
import type { GpuBestMatch, TileLimits } from './types.ts';

export async function matchToHost(
  session: DeviceSession,
  job: Job,
  limits: TileLimits,
  { columnBest = false }: { readonly columnBest?: boolean },
  out: GpuBestMatch,
): Promise<void> {
  const rows = rowsToHost(session, job, limits, out);
  if (!columnBest) return rows;
  const both = [rows, columnsToHost(session, swapSides(job), limits, out)];
  // neither may go on when the other has failed
  await Promise.allSettled(both);
  await Promise.all(both);
}

async function rowsToHost(
  session: DeviceSession,
  job: Job,
  limits: TileLimits,
  { values, indices, secondValues, secondIndices }: GpuBestMatch,
): Promise<void> {
  const words = resultWords[job.kernel];
  await runToHost(
    session,
    job,
    planTiles(job.kernel, job.images, limits),
    limits.workgroups,
    (tile, data) => {
      const floats = new Float32Array(data);
      const integers = new Int32Array(data);
      for (const { at, target, aFrom, aTo } of tile.segments) {
        for (let i = 0; i < aTo - aFrom; i++) {
          const from = words * (at + i);
          values[target + i] = floats[from]!;
          indices[target + i] = integers[from + 1]!;
          if (words === 2) continue;
          secondValues![target + i] = floats[from + 2]!;
          secondIndices![target + i] = integers[from + 3]!;
        }
      }
    },
  );
}

/** Merges the bests of the chunks of rows; tiles may arrive in any order, so a tie asks for the lower index. */
async function columnsToHost(
  session: DeviceSession,
  job: Job,
  limits: TileLimits,
  { columnValues, columnIndices }: GpuBestMatch,
): Promise<void> {
  const values = columnValues!.fill(Number.NEGATIVE_INFINITY, 0, job.rows);
  const indices = columnIndices!.fill(-1, 0, job.rows);
  await runToHost(session, job, planColumnTiles(job.images, limits), limits.workgroups, (tile, data) => {
    const floats = new Float32Array(data);
    const integers = new Int32Array(data);
    for (const { at, target, aFrom, aTo } of tile.segments) {
      for (let i = 0; i < aTo - aFrom; i++) {
        const value = floats[2 * (at + i)]!;
        const index = integers[2 * (at + i) + 1]!;
        const column = target + i;
        const best = values[column]!;
        if (
          index >= 0 &&
          (indices[column]! < 0 || value > best || (value === best && index < indices[column]!))
        ) {
          values[column] = value;
          indices[column] = index;
        }
      }
    }
  });
}
