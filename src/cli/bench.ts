/**
 * `boxops bench`: how fast the hot loops are on this machine, SIMD beside the JavaScript twin, and, given a model, where
 * the time of one `detect` goes.
 *
 * Times are on the clock; of the kernels the median of interleaved rounds. Comparisons with other libraries are the repository's benchmarks.
 */
import { cpus } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { createDetector, type RawImage } from '../detector/index.ts';
import { bestMatch, nms, pairwiseIou } from '../index.ts';
import { setBackend } from '../kernels/index.ts';
import { defaultModel } from './default-model.ts';
import { besideJson, readBytes, readModel, writeJson } from './files.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface BenchFlags {
  readonly model?: string;
  readonly image?: string;
  readonly rounds: number;
  readonly json?: string;
}

interface Work {
  readonly name: string;
  readonly run: () => void;
}

/** One row of the result: milliseconds a call, and how many times the SIMD kernel is faster. */
export interface KernelTiming {
  readonly name: string;
  readonly simd: number | null;
  readonly javascript: number;
}

/** Boxes of 8 to 136 pixels anywhere in 1280×1280, the same in every run. */
function boxes(count: number, seed: number): { boxes: Float32Array; scores: Float32Array } {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const columns = new Float32Array(4 * count);
  const scores = Float32Array.from({ length: count }, random);
  for (let i = 0; i < 4 * count; i += 4) {
    const x = 1280 * random();
    const y = 1280 * random();
    columns.set([x, y, x + 8 + 128 * random(), y + 8 + 128 * random()], i);
  }
  return { boxes: columns, scores };
}

function works(): Work[] {
  const { boxes: anchors } = boxes(8400, 1);
  const { boxes: truths } = boxes(100, 2);
  const out = new Float32Array(8400 * 100);
  const few = boxes(1000, 3);
  const many = boxes(20_000, 4);
  return [
    { name: 'IoU matrix 8400×100', run: () => pairwiseIou(anchors, truths, { out }) },
    { name: 'CIoU matrix 8400×100', run: () => pairwiseIou(anchors, truths, { metric: 'ciou', out }) },
    { name: 'best match 8400×100', run: () => bestMatch(anchors, truths) },
    { name: 'NMS of 1000', run: () => nms(few.boxes, few.scores) },
    { name: 'NMS of 20 000', run: () => nms(many.boxes, many.scores) },
  ];
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

/** Milliseconds of one call, repeated until the clock can tell. */
function time(run: () => void): number {
  for (let calls = 1; ; calls *= 4) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) run();
    const spent = performance.now() - start;
    if (spent >= 2) return spent / calls;
  }
}

/** Times every loop on both engines, in turn. */
function timeKernels(rounds: number): KernelTiming[] {
  const engines = ['javascript', 'simd'] as const;
  const available = engines.filter((engine) => {
    try {
      setBackend(engine);
      return true;
    } catch {
      return false; // wasm SIMD is refused here
    }
  });
  try {
    return works().map(({ name, run }) => {
      const samples = { javascript: [] as number[], simd: [] as number[] };
      // the first round warms up
      for (let round = 0; round <= rounds; round++) {
        for (const engine of available) {
          setBackend(engine);
          const milliseconds = time(run);
          if (round > 0) samples[engine].push(milliseconds);
        }
      }
      return {
        name,
        javascript: median(samples.javascript),
        simd: samples.simd.length > 0 ? median(samples.simd) : null,
      };
    });
  } finally {
    setBackend('auto');
  }
}

/** Mean milliseconds of each stage of `detect`, after as many calls that warm up. */
async function timeDetector(flags: BenchFlags): Promise<Record<string, number>> {
  const detector = await createDetector({
    model: flags.model === undefined ? readBytes(defaultModel()) : readModel(flags.model),
    executionProviders: ['wasm'],
  });
  try {
    const grey: RawImage = { width: 640, height: 480, data: new Uint8Array(640 * 480 * 4).fill(128) };
    const image = flags.image === undefined ? grey : readBytes(flags.image);
    const repeat = async () => {
      for (let round = 0; round < flags.rounds; round++) await detector.detect(image);
      return (await detector.stats()).milliseconds;
    };
    const cold = await repeat();
    const all = await repeat();
    // both are means from the first call on, the second over twice as many
    return Object.fromEntries(
      (['preprocess', 'inference', 'postprocess'] as const).map((stage) => [
        stage,
        2 * all[stage] - cold[stage],
      ]),
    );
  } finally {
    detector.dispose();
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number of at least 1.');
  return value;
}

export function benchCommand(terminal: Terminal): Command {
  return new Command('bench')
    .description('how fast the kernels and a detector are on this machine')
    .option('--model <file>', 'an ONNX detector (default: the embedded one)')
    .option('--image <file>', 'the picture to run it on (default: grey, 640×480)')
    .option('--rounds <n>', 'rounds, of which the median counts', wholeNumber, 7)
    .option('--json <file>', 'write the numbers as JSON (-: standard output)')
    .action(async (flags: BenchFlags) => {
      const machine = `Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown processor'}`;
      const { out } = besideJson(terminal, flags.json);
      out(`${machine}; milliseconds, ${flags.rounds} rounds\n`);
      const kernels = timeKernels(flags.rounds);
      const rows = kernels.map(({ name, simd, javascript }) => [
        name,
        simd === null ? 'refused' : simd.toFixed(3),
        javascript.toFixed(3),
        simd === null ? '' : `${(javascript / simd).toFixed(1)}×`,
      ]);
      out(table(['one core', 'SIMD', 'JavaScript', 'ratio'], rows));
      const detector = await timeDetector(flags);
      const stages = Object.entries(detector).map(([stage, value]) => [stage, value.toFixed(2)]);
      out(`\n${table([`detect, ${flags.model ?? 'embedded model'}`, 'ms'], stages)}`);
      if (flags.json !== undefined)
        writeJson(terminal, flags.json, JSON.stringify({ machine, kernels, detector }, null, 2));
    });
}
