/**
 * Suppression against its peers: torchvision and OpenCV (Python), onnxruntime native and web, tfjs-wasm, a hand-written
 * loop. Results are checked equal before anything is timed; peers run in turn, several rounds; what is printed is the
 * median processor time of a run and its ratio to boxops' SIMD kernel.
 *
 *   npx tsx bench/nms.ts [--full] [--rounds 5] [--budget 60] [--only 'N=1000 '] [--check]
 *
 * Python: BOXOPS_PYTHON, default /usr/bin/python3 (BOXOPS_PYTHON_OPENCV where OpenCV is another's). onnxruntime-node and tfjs: npm install --prefix bench. `--full` adds
 * 100 000 boxes and more thresholds; `--only` runs the cases whose title contains the text; `--check` exits with 1 when a promised ratio is not reached.
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { setBackend } from '../src/kernels/index.ts';
import { boxopsPeer, confidence, decodeAndSuppress, handWritten, twinPeer } from './nms/boxops.ts';
import { ortDecode, ortPeer, tfjsPeer } from './nms/javascript-peers.ts';
import { type Peer, type Sample, sampleSync } from './nms/peer.ts';
import { Python } from './nms/python.ts';
import { makeBenchSets, random, type SetKind } from './nms/sets.ts';

const { values: args } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    budget: { type: 'string', default: '60' },
    only: { type: 'string', default: '' },
  },
});
const rounds = Number(args.rounds);
const budget = Number(args.budget);

interface Case {
  readonly kind: SetKind;
  readonly count: number;
  readonly classes: number;
  readonly threshold: number;
  /** Least ratio promised to a peer whose name starts so; of `twin`, torchvision's to the JavaScript loops. */
  readonly promised?: Readonly<Record<string, number>>;
}

const one = (kind: SetKind, count: number, promised: Case['promised'] = {}, threshold = 0.5): Case => ({
  kind,
  count,
  classes: 1,
  threshold,
  promised,
});

const cases: Case[] = [
  ...(['uniform', 'detector'] as const).flatMap((kind) => [
    one(kind, 100),
    one(kind, 1000, { torchvision: 8, twin: 1 }),
    one(kind, 5000, { torchvision: 25, 'onnxruntime-node': 8, twin: 1 }),
    one(kind, 20_000, { torchvision: 50, 'onnxruntime-node': 15, twin: 1 }),
    { kind, count: 20_000, classes: 80, threshold: 0.5, promised: { torchvision: 12 } },
    ...(args.full
      ? [
          one(kind, 100_000, { torchvision: 50, twin: 1 }),
          one(kind, 5000, {}, 0.45),
          one(kind, 5000, {}, 0.7),
          { kind, count: 1000, classes: 80, threshold: 0.5 },
          { kind, count: 100_000, classes: 80, threshold: 0.5 },
        ]
      : []),
  ]),
  one('outliers', 4000, { torchvision: 1 }),
  one('nested', 4000, { torchvision: 1 }),
];

const python = await Python.start();
const opencv =
  python?.versions.opencv || process.env.BOXOPS_PYTHON_OPENCV === undefined
    ? python
    : await Python.start(undefined, {}, process.env.BOXOPS_PYTHON_OPENCV);
const missing: string[] = [];
const available = (name: string, peer: Peer | null): Peer[] => {
  if (peer === null) missing.push(name);
  return peer === null ? [] : [peer];
};
const twin = twinPeer();
const peers: Peer[] = [
  boxopsPeer('simd'),
  twin,
  ...available('torchvision', python?.versions.torchvision ? python.peer('torchvision') : null),
  ...available('OpenCV', opencv?.versions.opencv ? opencv.peer('opencv') : null),
  ...available('onnxruntime-node', await ortPeer('onnxruntime-node')),
  ...available('onnxruntime-web', await ortPeer('onnxruntime-web')),
  ...available('tfjs-wasm', await tfjsPeer()),
  handWritten,
];
const batched = python?.versions.torchvision ? python.peer('torchvision', false) : null;
if (missing.length > 0) console.log(`not installed, left out: ${missing.join(', ')}\n`);

let broken = 0;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Runs all peers in turn; the first is the one ratios refer to. */
async function compare(
  title: string,
  entries: readonly {
    name: string;
    measure: (budget: number) => Promise<Sample | null>;
    mayDiffer?: boolean;
  }[],
  promised: Readonly<Record<string, number>> = {},
): Promise<void> {
  if (!title.includes(args.only)) return;
  console.log(title);
  const first = (await entries[0]!.measure(1))!;
  const running: {
    name: string;
    measure: (budget: number) => Promise<Sample | null>;
    times: number[];
    note: string;
  }[] = [];
  for (const { name, measure, mayDiffer = false } of entries) {
    const result = await measure(1);
    if (result === null) continue;
    const equal =
      result.keep.length === first.keep.length && result.keep.every((index, i) => index === first.keep[i]);
    if (!equal && !mayDiffer) {
      console.log(`  ${name}: keeps ${result.keep.length}, not the same ${first.keep.length}; not timed`);
      broken++;
      continue;
    }
    running.push({ name, measure, times: [], note: equal ? '' : `  (keeps others: ${result.keep.length})` });
  }
  // Once uncounted: compilers have then done their work.
  for (const entry of running) await entry.measure(budget);
  for (let round = 0; round < rounds; round++) {
    for (const entry of round % 2 === 0 ? running : [...running].reverse()) {
      entry.times.push((await entry.measure(budget))!.milliseconds);
    }
  }
  console.log(`  all keep the same ${first.keep.length}`);
  const base = running[0]!.times;
  for (const { name, times, note } of running) {
    const ratio = median(times.map((time, round) => time / base[round]!));
    const least = Object.entries(promised).find(([peer]) => name.startsWith(peer))?.[1];
    let verdict = least === undefined ? '' : ratio >= least ? `  >= ${least}` : `  BELOW ${least}`;
    if (least !== undefined && ratio < least) broken++;
    if (promised.twin !== undefined && name.startsWith('torchvision') && !name.includes('batched')) {
      const loops = median(times.map((time, round) => time / running[1]!.times[round]!));
      verdict += `, ${loops >= promised.twin ? '>=' : 'BELOW'} ${promised.twin} (${loops.toFixed(2)}x javascript)`;
      if (loops < promised.twin) broken++;
    }
    console.log(
      `  ${name.padEnd(32)} ${median(times).toFixed(3).padStart(10)} ms ${ratio.toFixed(1).padStart(8)}x${verdict}${note}`,
    );
  }
}

for (const { kind, count, classes, threshold, promised } of cases) {
  const sets = makeBenchSets(kind, count, classes, threshold);
  // the others take minutes
  const able = count > 20_000 ? peers.filter(({ name }) => /^(boxops|torchvision)/.test(name)) : peers;
  const entries = able.map((peer) => ({
    name: peer.name,
    measure: (time: number) => peer.measure(sets, time),
    // OpenCV takes widths and heights, and separates classes by an offset: both lose digits; tfjs also drops a box exactly
    // at the threshold.
    mayDiffer: /^(opencv|tfjs)/.test(peer.name),
  }));
  if (classes > 1 && count <= 20_000 && batched !== null) {
    entries.push({ name: batched.name, measure: (time) => batched.measure(sets, time), mayDiffer: true });
  }
  await compare(sets[0].name, entries, promised);
}

/** A YOLOv8 output: 420 of 8400 anchors, around 30 objects, with one class above the confidence. */
function makeOutput(): Float32Array {
  const anchors = 8400;
  const next = random(8400);
  const output = new Float32Array(84 * anchors);
  for (let i = 0; i < anchors; i++) {
    const found = i % 20 === 0;
    const object = Math.floor(next() * 30);
    const spread = (seed: number): number => random(object * 7 + seed)();
    const box = found
      ? [
          640 * spread(1) + 6 * next(),
          640 * spread(2) + 6 * next(),
          20 + 150 * spread(3),
          20 + 150 * spread(4),
        ]
      : [640 * next(), 640 * next(), 100 * next(), 100 * next()];
    box.forEach((value, c) => {
      output[c * anchors + i] = value;
    });
    for (let c = 0; c < 80; c++) output[(4 + c) * anchors + i] = 0.2 * next();
    if (found) output[(4 + (object % 80)) * anchors + i] = 0.26 + 0.7 * next();
  }
  return output;
}

const output = makeOutput();
const anchorOf: number[] = [];
for (let i = 0; i < 8400; i += 20) anchorOf.push(i);
const decodeBySimd = async (time: number): Promise<Sample> => {
  setBackend('simd');
  return sampleSync([() => decodeAndSuppress(output)], time);
};
const decodeEntries: { name: string; measure: (time: number) => Promise<Sample | null> }[] = [
  { name: 'boxops simd', measure: decodeBySimd },
  { name: twin.name, measure: (time) => twin.decode(output, time) },
];
if (python?.versions.torchvision) {
  const file = python.file(output);
  decodeEntries.push({
    name: `torchvision ${python.versions.torchvision}`,
    measure: (time) => python.ask({ peer: 'decode', output: file, confidence, threshold: 0.5, budget: time }),
  });
}
for (const module of ['onnxruntime-node', 'onnxruntime-web'] as const) {
  const run = await ortDecode(module, 0.5, confidence);
  if (run === null) continue;
  decodeEntries.push({
    name: module,
    // NonMaxSuppression answers class by class and in anchors: bring it into score order and candidate numbers.
    measure: async (time) => {
      const result = await run(output, time);
      if (result === null) return null;
      const score = (anchor: number): number => {
        let best = 0;
        for (let c = 4; c < 84; c++) best = Math.max(best, output[c * 8400 + anchor]!);
        return best;
      };
      const keep = [...result.keep]
        .sort((a, b) => score(b) - score(a) || a - b)
        .map((anchor) => anchorOf.indexOf(anchor));
      return { ...result, keep };
    },
  });
}
await compare('decode + NMS of [1,84,8400] at confidence 0.25', decodeEntries, {
  torchvision: 5,
  'onnxruntime-node': 1.5,
  // within 1.3 times
  twin: 0.77,
});

twin.dispose();
python?.dispose();
if (opencv !== python) opencv?.dispose();
setBackend('auto');
const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
console.log(
  `\nboxops ${version}, Node ${process.version}; ${broken} results differ or lie below what is promised`,
);
if (args.check && broken > 0) process.exitCode = 1;
