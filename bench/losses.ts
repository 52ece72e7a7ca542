/**
 * Losses with gradients against torchvision's forward + backward on one core, and ArcFace against this core's SIMD peak.
 *
 *   npx tsx bench/losses.ts [--rounds 7] [--check]
 *
 * Results are checked equal before anything is timed. Both sides run in turn; times are processor time, what is printed
 * is the median and the median ratio. Python: BOXOPS_PYTHON, default /usr/bin/python3; without torchvision those lines are
 * left out. `--check` exits with 1 when a promised ratio is not reached.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setBackend } from '../src/kernels/index.ts';
import { arcFaceLoss, iouLoss, type LossResult, sigmoidFocalLoss } from '../src/losses/index.ts';
import { integers, uniform } from '../test/golden/seeded.ts';
import { operationsPerTurn, peakKernel } from './losses/peak.ts';

const { values: args } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, check: { type: 'boolean', default: false } },
});
const rounds = Number(args.rounds);
let missed = 0;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const floats = (seed: number, count: number, low: number, high: number): Float32Array<ArrayBuffer> =>
  Float32Array.from(uniform(seed, count, low, high));

/** Milliseconds of processor time a run. */
function timed(run: () => void, runs = 1): number {
  const start = process.cpuUsage();
  for (let i = 0; i < runs; i++) run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / runs;
}

function verdict(value: number, promised: number): string {
  if (value >= promised) return `>= ${promised}`;
  missed++;
  return `BELOW ${promised}`;
}

/** ArcFace forward and both gradients, and the peak in turn. */
async function recognition(): Promise<void> {
  const [samples, dimensions, classes] = [512, 512, 10_000];
  const features = floats(1, samples * dimensions, -1, 1);
  const classWeights = floats(2, classes * dimensions, -1, 1);
  const labels = integers(3, samples, classes);
  const out = new Float32Array(features.length);
  const weightOut = new Float32Array(classWeights.length);

  const few = [32, 1000] as const;
  const part = [
    features.subarray(0, few[0] * dimensions),
    classWeights.subarray(0, few[1] * dimensions),
  ] as const;
  const partLabels = integers(3, few[0], few[1]);
  const [kernel, loop] = (['simd', 'javascript'] as const).map((backend) => {
    setBackend(backend);
    return arcFaceLoss(...part, partLabels, { dimensions, classes: few[1] });
  });
  setBackend('auto');
  expectEqual('ArcFace', kernel!.gradient, loop!.gradient);
  expectEqual('ArcFace weights', kernel!.weightGradient, loop!.weightGradient);

  const peak = await peakKernel();
  const turns = 300_000;
  peak(turns);
  const operations = 3 * 2 * samples * dimensions * classes;
  const rates: number[] = [];
  const peaks: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const before = (turns * operationsPerTurn) / timed(() => peak(turns)) / 1e6;
    const rate =
      operations /
      timed(() => arcFaceLoss(features, classWeights, labels, { dimensions, classes, out, weightOut })) /
      1e6;
    const after = (turns * operationsPerTurn) / timed(() => peak(turns)) / 1e6;
    if (round < 0) continue;
    rates.push(rate);
    peaks.push(Math.max(before, after));
  }
  const share = median(rates.map((rate, i) => rate / peaks[i]!));
  console.log(
    `ArcFace forward and both gradients, ${samples} features of ${dimensions} × ${classes} classes`,
  );
  console.log(
    `  SIMD multiply-add peak  ${median(peaks).toFixed(1)} GFLOP/s (best ${Math.max(...peaks).toFixed(1)})`,
  );
  console.log(
    `  ArcFace                 ${median(rates).toFixed(1)} GFLOP/s (best ${Math.max(...rates).toFixed(1)})`,
  );
  console.log(`  share of the peak       ${share.toFixed(2)}  ${verdict(share, 0.4)}`);
}

/** Within float32 rounding of the largest. */
function expectEqual(name: string, got: ArrayLike<number>, expected: ArrayLike<number>): void {
  let largest = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    worst = Math.max(worst, Math.abs(got[i]! - expected[i]!));
  }
  if (!(worst <= 1e-5 * largest)) throw new Error(`${name}: differs by ${worst}, the largest is ${largest}`);
}

async function againstTorchvision(): Promise<void> {
  const [samples, classes, pairs] = [120_000, 80, 100_000];
  const logits = floats(4, samples * classes, -8, 2);
  const labels = integers(5, samples, 40 * classes).map((label) => Math.min(label, classes));
  const predicted = boxes(6, pairs);
  const target = boxes(7, pairs);
  const folder = mkdtempSync(join(tmpdir(), 'boxops-losses-'));
  for (const [name, data] of Object.entries({ logits, labels, predicted, target })) {
    writeFileSync(join(folder, `${name}.bin`), data);
  }
  const script = fileURLToPath(new URL('./losses/torchvision_peer.py', import.meta.url));
  const child = spawn(
    process.env.BOXOPS_PYTHON ?? '/usr/bin/python3',
    [script, folder, String(samples), String(classes)],
    { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, OMP_NUM_THREADS: '1' } },
  );
  child.on('error', () => {});
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const hello = await lines.next();
    if (hello.done === true) {
      console.log('no Python with torchvision: its lines are left out');
      return;
    }
    console.log(`against ${hello.value}, forward + backward`);
    const gradient = new Float32Array(logits.length);
    const slopes = new Float32Array(predicted.length);
    const iou = (metric: 'giou' | 'ciou') => (): LossResult =>
      iouLoss(predicted, target, { metric, reduction: 'sum', out: slopes });
    const cases: readonly [name: string, run: () => LossResult, runs: number, promised: number][] = [
      ['focal', () => sigmoidFocalLoss(logits, labels, { classes, reduction: 'sum', out: gradient }), 1, 1.5],
      ['giou', iou('giou'), 10, 8],
      ['ciou', iou('ciou'), 10, 8],
    ];
    for (const [name, run, runs, promised] of cases) {
      const ask = async (): Promise<{ milliseconds: number; value: number }> => {
        child.stdin.write(`${name} ${runs}\n`);
        return JSON.parse((await lines.next()).value as string);
      };
      const reference = await ask();
      const own = run();
      if (!(Math.abs(own.value - reference.value) <= 1e-4 * Math.abs(reference.value))) {
        throw new Error(`${name}: ${own.value}, torchvision has ${reference.value}`);
      }
      const file = readFileSync(join(folder, `${name}.bin`));
      expectEqual(name, own.gradient, new Float32Array(file.buffer, file.byteOffset, file.length / 4));
      timed(run, 10 * runs); // compiled by then, as torch is
      const ours: number[] = [];
      const theirs: number[] = [];
      for (let round = 0; round < rounds; round++) {
        theirs.push((await ask()).milliseconds);
        ours.push(timed(run, runs));
      }
      const ratio = median(theirs.map((time, i) => time / ours[i]!));
      console.log(
        `  ${name.padEnd(6)} boxops ${median(ours).toFixed(2)} ms, torchvision ${median(theirs).toFixed(2)} ms: ${ratio.toFixed(1)}x  ${verdict(ratio, promised)}`,
      );
    }
  } finally {
    child.stdin.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Boxes of sides 1–101 within 0–200. */
function boxes(seed: number, count: number): Float32Array<ArrayBuffer> {
  const out = floats(seed, 4 * count, 0, 100);
  for (let i = 0; i < out.length; i += 4) {
    out[i + 2]! += out[i]! + 1;
    out[i + 3]! += out[i + 1]! + 1;
  }
  return out;
}

await recognition();
await againstTorchvision();
if (args.check && missed > 0) process.exitCode = 1;
