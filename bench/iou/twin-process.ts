/** The JavaScript loops in a process of their own, see `twin.ts`. */
import { boxopsPeer } from './boxops.ts';
import type { BenchJob } from './peer.ts';

const peer = boxopsPeer('javascript');
let job: BenchJob;

process.on('message', async ({ next, budget }: { next?: BenchJob; budget?: number }) => {
  if (next !== undefined) job = next;
  process.send!(budget === undefined ? await peer.answer(job) : await peer.measure(job, budget));
});
