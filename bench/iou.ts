/**
 * IoU matrices and best matches against their peers: torchvision (as it comes, and with recycled memory), onnxruntime
 * native and web, tfjs-wasm. Every result is checked equal before anything is timed; peers run in turn, several rounds;
 * what is printed is the median processor time of a run, its ratio to boxops' SIMD kernel, and what share of the time the
 * memory alone would take (writing a warm array of the result's size).
 *
 *   npx tsx bench/iou.ts [--full] [--rounds 7] [--budget 60] [--check]
 *
 * One core. Python: BOXOPS_PYTHON, default /usr/bin/python3. onnxruntime-node and tfjs: npm install --prefix bench.
 * Without `--full` only the cases with a promise run, and the largest ones; `--check` exits with 1 when a promised ratio
 * is not reached or a result differs.
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { setBackend } from '../src/kernels/index.ts';
import { boxopsPeer, memoryLimit } from './iou/boxops.ts';
import { ortPeer, tfjsPeer } from './iou/javascript-peers.ts';
import { type BenchKind, type BenchMetric, difference, type IouPeer } from './iou/peer.ts';
import { makeJob, type SetKind } from './iou/sets.ts';
import { torchvisionPeer } from './iou/torchvision.ts';
import { twinPeer } from './iou/twin.ts';

const { values: args } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    budget: { type: 'string', default: '60' },
  },
});
const rounds = Number(args.rounds);
const budget = Number(args.budget);

/** Least ratio of a peer's time to the SIMD kernel's, or where `of` says so to the JavaScript loop's. */
interface Promised {
  readonly peer: 'torchvision' | 'recycled' | 'onnxruntime-node';
  readonly least: number;
  readonly of?: 'javascript';
}

interface Case {
  readonly kind: BenchKind;
  readonly metric: BenchMetric;
  readonly set: SetKind;
  readonly rows: number;
  readonly columns: number;
  readonly promised: readonly Promised[];
}

const torchvision = (least: number, recycled: number): Promised[] => [
  { peer: 'torchvision', least },
  { peer: 'recycled', least: recycled },
];
const matrixPromise: readonly Promised[] = [
  ...torchvision(25, 12),
  { peer: 'onnxruntime-node', least: 6 },
  { peer: 'torchvision', least: 2.5, of: 'javascript' },
  { peer: 'recycled', least: 1.3, of: 'javascript' },
];

const sizes = [
  [8400, 100],
  [25_200, 100],
  [120_000, 100],
  [5000, 5000],
] as const;
const metrics: readonly BenchMetric[] = ['iou', 'giou', 'diou', 'ciou'];

const promises = (kind: BenchKind, metric: BenchMetric, rows: number): readonly Promised[] => {
  if (kind === 'bestMatch') return metric === 'iou' && rows === 120_000 ? torchvision(25, 12) : [];
  if (rows !== 8400) return [];
  return metric === 'iou' ? matrixPromise : metric === 'ciou' ? torchvision(12, 6) : [];
};

const cases: Case[] = [];
for (const kind of ['pairwise', 'bestMatch'] as const) {
  for (const [rows, columns] of sizes) {
    for (const metric of metrics) {
      const promised = promises(kind, metric, rows);
      for (const set of ['spread', 'crowded'] as const) {
        if (set === 'crowded' && promised.length === 0) continue;
        if (args.full || promised.length > 0 || metric === 'iou') {
          cases.push({ kind, metric, set, rows, columns, promised });
        }
      }
    }
  }
}

const [asItComes, recycled] = [await torchvisionPeer(false), await torchvisionPeer(true)];
const missing: string[] = [];
const available = (name: string, peer: IouPeer | null): IouPeer[] => {
  if (peer === null) missing.push(name);
  return peer === null ? [] : [peer];
};
const twin = twinPeer();
const peers: IouPeer[] = [
  boxopsPeer('simd'),
  twin,
  ...available('torchvision', asItComes),
  ...available('torchvision recycled', recycled),
  ...available('onnxruntime-node', await ortPeer('onnxruntime-node')),
  ...available('onnxruntime-web', await ortPeer('onnxruntime-web')),
  ...available('tfjs-wasm', await tfjsPeer()),
];
if (missing.length > 0) console.log(`not installed, left out: ${missing.join(', ')}\n`);

let broken = 0;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const milliseconds = (value: number): string => value.toFixed(value < 100 ? 3 : 1).padStart(10);

interface Entry {
  readonly name: string;
  readonly measure: (budget: number) => Promise<number>;
  readonly times: number[];
}

async function compare({ kind, metric, set, rows, columns, promised }: Case): Promise<void> {
  console.log(`${kind} ${metric} ${rows}×${columns}, ${set} boxes`);
  const job = makeJob(kind, metric, set, rows, columns);
  // Plain IoU is rounded alike everywhere; the others are the same formula in another order of float32 steps.
  const tolerance = metric === 'iou' ? 1e-6 : 1e-5;
  const expected = (await peers[0]!.answer(job))!;
  const entries: Entry[] = [];
  for (const peer of peers) {
    const got = peer === peers[0] ? expected : await peer.answer(job);
    if (got === null) continue;
    const apart = difference(got, expected, tolerance);
    if (apart > tolerance) {
      console.log(`  ${peer.name}: differs by ${apart}; not timed`);
      broken++;
      continue;
    }
    entries.push({ name: peer.name, measure: (time) => peer.measure(job, time), times: [] });
  }
  const limit = memoryLimit(job, budget / 4);
  entries.push({ name: 'memory: fill', measure: limit.fill, times: [] });
  entries.push({ name: 'memory: copy', measure: limit.copy, times: [] });
  // Once uncounted: compilers have then done their work.
  for (const entry of entries) await entry.measure(budget);
  for (let round = 0; round < rounds; round++) {
    for (const entry of round % 2 === 0 ? entries : [...entries].reverse()) {
      entry.times.push(await entry.measure(budget));
    }
  }
  report(entries, promised);
}

function report(entries: readonly Entry[], promised: readonly Promised[]): void {
  const [simd, javascript] = entries as [Entry, Entry];
  const fill = entries.find(({ name }) => name === 'memory: fill')!;
  const ratioTo = (of: Entry, to: Entry): number => median(of.times.map((time, i) => time / to.times[i]!));
  for (const entry of entries) {
    const verdicts = promised
      .filter(({ peer }) =>
        peer === 'recycled'
          ? entry.name.endsWith('recycled')
          : entry.name.startsWith(peer) && !entry.name.endsWith('recycled'),
      )
      .map(({ least, of }) => {
        const ratio = ratioTo(entry, of === 'javascript' ? javascript : simd);
        if (ratio < least) broken++;
        return `${ratio < least ? 'BELOW' : '>='} ${least}${of === undefined ? '' : ` (${ratio.toFixed(2)}x ${of})`}`;
      });
    const share = entry.name.startsWith('memory')
      ? ''
      : `${(100 * ratioTo(fill, entry)).toFixed(0).padStart(5)} %`;
    console.log(
      `  ${entry.name.padEnd(32)}${milliseconds(median(entry.times))} ms${ratioTo(entry, simd).toFixed(2).padStart(8)}x` +
        `${share.padStart(8)}  ${verdicts.join(', ')}`,
    );
  }
}

for (const one of cases) await compare(one);
twin.dispose();
asItComes?.dispose();
recycled?.dispose();
setBackend('auto');
const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
console.log(
  `\nboxops ${version}, Node ${process.version}; the per cent are of the memory's limit; ` +
    `${broken} results differ or lie below what is promised`,
);
if (args.check && broken > 0) process.exitCode = 1;
