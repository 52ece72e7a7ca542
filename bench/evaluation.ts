/**
 * COCO evaluation against pycocotools on a synthesised data set of COCO's size. The twelve numbers are checked equal
 * before anything is compared; runs alternate; what is printed is processor time and its ratio.
 *
 *   npx tsx bench/evaluation.ts [--images 5000] [--detections 100] [--rounds 3] [--check]
 *
 * Python: BOXOPS_PYTHON, default python3; needs pycocotools. pycocotools is timed twice: evaluating what it has loaded
 * and indexed, and from the files. boxops reads parsed JSON in the first and the files in the second; it has nothing to
 * index, so its grouping is part of both. `--check` exits with 1 when the numbers differ or the ratio is below 8.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type CocoDataset, type CocoResult, evaluateCoco } from '../src/evaluation/index.ts';
import { syntheticCoco } from './evaluation/dataset.ts';

const { values: args } = parseArgs({
  options: {
    images: { type: 'string', default: '5000' },
    detections: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    check: { type: 'boolean', default: false },
  },
});
const promised = 8;
const folder = mkdtempSync(join(tmpdir(), 'boxops-evaluation-'));
const truthFile = join(folder, 'gt.json');
const resultFile = join(folder, 'dt.json');

interface Sample {
  readonly stats: readonly number[];
  /** Processor seconds from parsed data, and from the files. */
  readonly evaluate: number;
  readonly whole: number;
}

function processor(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function boxops(): Sample {
  const start = processor();
  const dataset = JSON.parse(readFileSync(truthFile, 'utf8')) as CocoDataset;
  const results = JSON.parse(readFileSync(resultFile, 'utf8')) as CocoResult[];
  const loaded = processor();
  const { stats } = evaluateCoco(dataset, results);
  const end = processor();
  return { stats, evaluate: end - loaded, whole: end - start };
}

let version = '';
function pycocotools(): Sample {
  const peer = new URL('./evaluation/pycocotools_peer.py', import.meta.url).pathname;
  const python = process.env.BOXOPS_PYTHON ?? 'python3';
  const answer = JSON.parse(
    execFileSync(python, [peer, truthFile, resultFile], {
      encoding: 'utf8',
      env: { ...process.env, OMP_NUM_THREADS: '1' },
    }),
  );
  version = answer.version;
  return { stats: answer.stats, evaluate: answer.evaluate, whole: answer.load + answer.evaluate };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

try {
  const { dataset, results } = syntheticCoco(Number(args.images), Number(args.detections));
  writeFileSync(truthFile, JSON.stringify(dataset));
  writeFileSync(resultFile, JSON.stringify(results));
  const objects = dataset.annotations.length;
  console.log(`${args.images} images, ${objects} objects, ${results.length} detections, 80 classes`);
  const ours: Sample[] = [];
  const theirs: Sample[] = [];
  for (let round = 0; round < Number(args.rounds); round++) {
    ours.push(boxops());
    theirs.push(pycocotools());
  }
  const difference = Math.max(
    ...theirs.flatMap(({ stats }, i) => stats.map((value, n) => Math.abs(value - ours[i]!.stats[n]!))),
  );
  console.log(`largest difference of the twelve numbers: ${difference.toExponential(1)}`);
  if (!(difference < 1e-10)) throw new Error('the numbers differ: nothing to compare');
  const report = (what: string, of: (sample: Sample) => number): number => {
    const ratio = median(theirs.map((sample, i) => of(sample) / of(ours[i]!)));
    const [a, b] = [median(ours.map(of)), median(theirs.map(of))];
    console.log(
      `${what.padEnd(22)} boxops ${a.toFixed(2)} s   pycocotools ${version} ${b.toFixed(2)} s   ${ratio.toFixed(1)}x`,
    );
    return ratio;
  };
  const ratio = report('evaluate', ({ evaluate }) => evaluate);
  report('files to numbers', ({ whole }) => whole);
  if (args.check && ratio < promised) {
    console.error(`below the promised ${promised}x`);
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
