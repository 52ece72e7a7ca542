/** The JavaScript loops of the IoU benchmark in a process of their own. */
import { startTwin } from '../twin.ts';
import type { Answer, BenchJob, IouPeer } from './peer.ts';

export interface TwinPeer extends IouPeer {
  dispose(): void;
}

export function twinPeer(): TwinPeer {
  const { ask, dispose } = startTwin(new URL('./twin-process.ts', import.meta.url));
  let last: BenchJob | undefined;
  // the boxes travel once
  const question = (job: BenchJob, budget?: number) => {
    const next = job === last ? undefined : job;
    last = job;
    return { next, budget };
  };
  return {
    name: 'boxops javascript',
    answer: (job) => ask<Answer>(question(job)),
    measure: (job, budget) => ask<number>(question(job, budget)),
    dispose,
  };
}
