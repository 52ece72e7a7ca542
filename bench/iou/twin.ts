/**
 * The JavaScript loops as a page without wasm has them: in a process that never ran the kernels. V8 compiles code that
 * both have run to something a quarter slower.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answer, BenchJob, IouPeer } from './peer.ts';

export interface TwinPeer extends IouPeer {
  dispose(): void;
}

export function twinPeer(): TwinPeer {
  const program = fileURLToPath(new URL('./twin-process.ts', import.meta.url));
  const child = fork(program, { execArgv: ['--import', 'tsx'], serialization: 'advanced' });
  let last: BenchJob | undefined;
  const ask = async <T>(job: BenchJob, budget?: number): Promise<T> => {
    const next = job === last ? undefined : job;
    last = job;
    const reply = once(child, 'message') as Promise<[T]>;
    child.send({ next, budget });
    return (await reply)[0];
  };
  return {
    name: 'boxops javascript',
    answer: (job) => ask<Answer>(job),
    measure: (job, budget) => ask<number>(job, budget),
    dispose: () => void child.kill(),
  };
}
