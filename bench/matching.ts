/**
 * Matching anchors with ground truths against torchvision on one core.
 *
 *   npx tsx bench/matching.ts [--rounds 7] [--budget 400] [--check]
 *
 * The peer is `Matcher(box_iou(…))` (or `SSDMatcher`), as it comes and with recycled memory (glibc told not to give freed
 * memory back). Matches are checked equal before anything is timed; both sides run in turn; times are processor time, what
 * is printed is the median and the median ratio. Python: BOXOPS_PYTHON, default /usr/bin/python3. `--check` exits with 1
 * when a promised ratio is not reached.
 */
import { parseArgs } from 'node:util';
import {
  ssd300DefaultBoxes,
  torchvisionRetinaNetAnchors,
  torchvisionRpnAnchors,
} from '../src/anchors/index.ts';
import {
  type Assignment,
  maxIouMatcher,
  maxIouPresets,
  type SparseAssignment,
  sparseMaxIouMatcher,
  ssdMatcher,
} from '../src/matching/index.ts';
import { groundTruths } from '../test/golden/matching/sets.ts';
import { TorchvisionPeer } from './matching/peer.ts';

const { values: args } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    budget: { type: 'string', default: '400' },
    check: { type: 'boolean', default: false },
  },
});
const rounds = Number(args.rounds);
const budget = Number(args.budget);
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Milliseconds of processor time a run, repeated for about `budget` milliseconds. */
function timed(run: () => void): number {
  let runs = 0;
  const end = performance.now() + budget;
  const start = process.cpuUsage();
  do {
    run();
    runs++;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / runs;
}

/** One entry an anchor. */
function wholeOf({ priorIndices, gtIndices }: SparseAssignment, count: number): Int32Array {
  const whole = new Int32Array(count).fill(-1);
  priorIndices.forEach((j, i) => {
    whole[j] = gtIndices[i]!;
  });
  return whole;
}

const image = { width: 800, height: 800 };
const retinanet = torchvisionRetinaNetAnchors({ image });
const rpn = torchvisionRpnAnchors({ image });
const ssd = ssd300DefaultBoxes();
const cases = [
  { rule: 'retinanet', anchors: retinanet, boxes: groundTruths(1000, 100, 800, 800), promised: [25, 12] },
  { rule: 'retinanet', anchors: retinanet, boxes: groundTruths(1100, 10, 800, 800), promised: [] },
  {
    rule: 'retinanet',
    anchors: retinanet,
    boxes: groundTruths(1000, 100, 800, 800),
    promised: [25, 12],
    plain: true,
  },
  {
    rule: 'retinanet',
    anchors: retinanet,
    boxes: groundTruths(1000, 100, 800, 800),
    promised: [],
    listed: true,
  },
  { rule: 'rpn', anchors: rpn, boxes: groundTruths(1200, 30, 800, 800), promised: [] },
  { rule: 'ssd', anchors: ssd, boxes: groundTruths(1300, 30, 300, 300), promised: [] },
] as const;

const peers = [await TorchvisionPeer.start(false), await TorchvisionPeer.start(true)];
if (peers[0] === null || peers[1] === null) {
  console.log('no Python with torchvision: nothing to compare with');
  process.exit(0);
}
let missed = 0;
for (const { rule, anchors, boxes, promised, ...rest } of cases) {
  const priors = 'plain' in rest ? anchors.boxes : anchors;
  let out: Assignment | undefined;
  const options = { ...(rule === 'ssd' ? {} : maxIouPresets[rule]) };
  const match = rule === 'ssd' ? ssdMatcher : maxIouMatcher;
  let list: SparseAssignment | undefined;
  const run =
    'listed' in rest
      ? () => {
          list = sparseMaxIouMatcher(priors, boxes, options);
        }
      : () => {
          out = match(priors, boxes, out === undefined ? options : { ...options, out });
        };
  const count = anchors.boxes.length / 4;
  const form = 'listed' in rest ? ', as a list' : priors === anchors ? '' : ', as a plain array';
  console.log(`${rule}: ${count} anchors × ${boxes.length / 4} boxes${form}`);
  run();
  const matches = list === undefined ? out!.gtIndices : wholeOf(list, count);
  const job = { rule, anchors: anchors.boxes, boxes };
  const equal = await Promise.all(
    peers.map(async (peer) => (await peer!.measure(job, 1)).matches.every((gt, j) => gt === matches[j])),
  );
  if (equal.includes(false)) {
    console.log('  matches differ: not timed');
    missed++;
    continue;
  }
  timed(run); // uncounted: the compiler has then done its work
  const own: number[] = [];
  const theirs: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    own.push(timed(run));
    for (const k of [0, 1] as const) theirs[k].push((await peers[k]!.measure(job, budget)).milliseconds);
  }
  console.log(`  boxops ${median(own).toFixed(2)} ms`);
  ['as it comes', 'recycled memory'].forEach((name, k) => {
    const times = theirs[k as 0 | 1];
    const ratio = median(times.map((time, round) => time / own[round]!));
    const least = promised[k];
    if (least !== undefined && ratio < least) missed++;
    const verdict = least === undefined ? '' : ratio >= least ? `  >= ${least}` : `  BELOW ${least}`;
    console.log(
      `  torchvision ${peers[k]!.version}, ${name}: ${median(times).toFixed(1)} ms, ${ratio.toFixed(1)}x${verdict}`,
    );
  });
}
for (const peer of peers) peer!.dispose();
if (args.check && missed > 0) process.exitCode = 1;
