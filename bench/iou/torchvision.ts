/** torchvision in a fresh Python process: as it comes, or with glibc told to keep what it frees. */
import { readFileSync } from 'node:fs';
import { Python } from '../nms/python.ts';
import type { BenchJob, IouPeer } from './peer.ts';

/**
 * A block above 32 MB is a fresh mapping for glibc, whose page faults cost more than the arithmetic. With these it is
 * taken from the heap and recycled, which is as fast as torch can be without a change to the program.
 */
const recycling = { MALLOC_MMAP_THRESHOLD_: '4294967296', MALLOC_TRIM_THRESHOLD_: '4294967296' };

export interface TorchvisionPeer extends IouPeer {
  dispose(): void;
}

/** Null where there is no Python with torchvision. */
export async function torchvisionPeer(recycled: boolean): Promise<TorchvisionPeer | null> {
  const script = new URL('./torchvision_peer.py', import.meta.url);
  const python = await Python.start(script, recycled ? recycling : {});
  if (python === null) return null;
  const requestOf = ({ a, b, kind, metric }: BenchJob) => ({
    a: python.file(a),
    b: python.file(b),
    kind,
    metric,
  });
  return {
    name: `torchvision ${python.versions.torchvision}${recycled ? ' recycled' : ''}`,
    async answer(job) {
      const places = { values: python.path('values'), indices: python.path('indices') };
      await python.ask({ ...requestOf(job), ...places });
      const read = (path: string): ArrayBuffer => {
        const { buffer, byteOffset, length } = readFileSync(path);
        return (buffer as ArrayBuffer).slice(byteOffset, byteOffset + length);
      };
      const values = new Float32Array(read(places.values));
      return job.kind === 'pairwise' ? { values } : { values, indices: new Int32Array(read(places.indices)) };
    },
    async measure(job, budget) {
      const { milliseconds } = await python.ask<{ milliseconds: number }>({ ...requestOf(job), budget });
      return milliseconds;
    },
    dispose: () => python.dispose(),
  };
}
