/** The JavaScript loops in a process of their own, see `../twin.ts`. */
import { setBackend } from '../../src/kernels/index.ts';
import { boxopsPeer, decodeAndSuppress } from './boxops.ts';
import { type BenchSet, sampleSync } from './peer.ts';

const peer = boxopsPeer('javascript');
let sets: readonly BenchSet[];
let output: Float32Array;

interface Question {
  readonly sets?: readonly BenchSet[];
  readonly output?: Float32Array;
  readonly budget: number;
  /** Decode and suppress a whole output, or suppress the sets. */
  readonly decode: boolean;
}

process.on('message', async (question: Question) => {
  const { budget, decode } = question;
  setBackend('javascript');
  sets = question.sets ?? sets;
  output = question.output ?? output;
  process.send!(
    decode ? sampleSync([() => decodeAndSuppress(output)], budget) : await peer.measure(sets, budget),
  );
});
