/**
 * `boxops targets` against a torchvision loop: RetinaNet's targets of 5 000 synthesised images at torchvision's default
 * size (640×480 comes to 1066×800, padded to 1088×800: 163 200 anchors; 1 to 15 boxes), annotations on disk to targets on disk.
 *
 *   npx tsx bench/targets.ts [--images 5000] [--peer-images 60] [--rounds 2] [--check]
 *
 * The assignments and box targets are compared first. What is printed is processor time an image, one worker against
 * one thread, runs in turn; the peer makes fewer images, its time an image does not depend on how many. Peak memory is
 * that of a process with a tenth of the images and with all.
 *
 * Python with torch and torchvision: BOXOPS_PYTHON, default /usr/bin/python3. `--check` exits with 1 below 20x.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { writeFileWhole } from '../src/datasets/node/index.ts';
import { readSafetensors } from '../src/targets/index.ts';
import { synthesise } from './targets/synthesise.ts';

const { values: args } = parseArgs({
  options: {
    images: { type: 'string', default: '5000' },
    'peer-images': { type: 'string', default: '60' },
    rounds: { type: 'string', default: '2' },
    check: { type: 'boolean', default: false },
  },
});
const images = Number(args.images);
const peerImages = Number(args['peer-images']);
const rounds = Number(args.rounds);
const promised = 20;
const python = process.env.BOXOPS_PYTHON ?? '/usr/bin/python3';
const root = resolve(import.meta.dirname, '..');
const program = join(root, 'node_modules/.cache/boxops-bench');
const folder = mkdtempSync(join(tmpdir(), 'boxops-bench-targets-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

await build({
  absWorkingDir: root,
  entryPoints: { run: 'bench/targets/run.ts', 'worker-targets': 'workers/targets-node.ts' },
  outdir: program,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
});

interface Run {
  readonly images: number;
  readonly processorSeconds: number;
  readonly wallSeconds: number;
  readonly peakMegabytes: number;
}

function boxops(annotations: string, name: string, workers: number): Run {
  const out = join(folder, name);
  rmSync(out, { recursive: true, force: true });
  const url = `file://${join(program, 'worker-targets.js')}`;
  const parameters = [join(program, 'run.js'), annotations, out, String(workers), url];
  return JSON.parse(execFileSync(process.execPath, parameters, { encoding: 'utf8' }));
}

function torchvision(annotations: string): Run & { torchvision: string; torch: string } {
  const script = join(root, 'bench/targets/torchvision_loop.py');
  const parameters = [script, annotations, String(peerImages), join(folder, 'peer')];
  const env = { ...process.env, OMP_NUM_THREADS: '1' };
  return JSON.parse(execFileSync(python, parameters, { encoding: 'utf8', env }));
}

/** Compares the peer's images with the first shard; throws on a difference, gives the largest of the box targets. */
function compare(): number {
  const { tensors } = readSafetensors(readFileSync(join(folder, 'all/shard-00000.safetensors')));
  const bytes = readFileSync(join(folder, 'peer'));
  const numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const rows = tensors.row_offsets!.data as Int32Array;
  const [anchors, gts] = [tensors.anchors!.data as Int32Array, tensors.gt_indices!.data as Int32Array];
  const targets = tensors.box_targets!.data as Float32Array;
  let at = 0;
  const next = (): number => numbers.getInt32((at += 4) - 4, true);
  let worst = 0;
  for (let image = 0; image < Math.min(peerImages, rows.length - 1); image++) {
    const [listed, positives] = [next(), next()];
    const [from, to] = [rows[image]!, rows[image + 1]!];
    if (listed !== to - from) throw new Error(`image ${image}: ${to - from} rows, torchvision has ${listed}`);
    for (let i = from; i < to; i++) {
      if (next() !== anchors[i]) throw new Error(`image ${image}: another anchor in row ${i - from}`);
    }
    const positive: number[] = [];
    for (let i = from; i < to; i++) {
      if (next() !== gts[i]) throw new Error(`image ${image}: another ground truth in row ${i - from}`);
      if (gts[i]! >= 0) positive.push(i);
    }
    if (positive.length !== positives) throw new Error(`image ${image}: another number of positives`);
    for (const i of positive) {
      for (let k = 0; k < 4; k++) {
        const delta = numbers.getFloat32((at += 4) - 4, true);
        worst = Math.max(worst, Math.abs(delta - targets[4 * i + k]!));
      }
    }
  }
  return worst;
}

const all = join(folder, 'all.json');
const tenth = join(folder, 'tenth.json');
writeFileWhole(all, synthesise(images));
writeFileWhole(tenth, synthesise(Math.max(1, Math.round(images / 10))));

const small = boxops(tenth, 'tenth', 1);
const own: Run[] = [];
const peer: (Run & { torchvision: string; torch: string })[] = [];
for (let round = 0; round < rounds; round++) {
  own.push(boxops(all, 'all', 1));
  peer.push(torchvision(all));
  if (round === 0) {
    const worst = compare();
    console.log(
      `${peerImages} images compared: the same anchors, ignored anchors and ground truths; box targets differ by at most ${worst.toExponential(1)}`,
    );
  }
}
const perImage = (runs: readonly Run[]): number => {
  const times = runs.map((run) => (1000 * run.processorSeconds) / run.images).sort((a, b) => a - b);
  return times[times.length >> 1]!;
};
const [ours, theirs] = [perImage(own), perImage(peer)];
const ratio = theirs / ours;
const { torch, torchvision: version } = peer[0]!;
console.log(
  `boxops ${ours.toFixed(2)} ms of processor time an image (${images} images, reading and writing included)`,
);
console.log(`torchvision ${version}, torch ${torch}: ${theirs.toFixed(2)} ms an image (one thread)`);
console.log(`${ratio.toFixed(1)}x${ratio >= promised ? `  >= ${promised}` : `  BELOW ${promised}`}`);
console.log(
  `peak memory ${small.peakMegabytes.toFixed(0)} MB with ${small.images} images, ${Math.max(...own.map(({ peakMegabytes }) => peakMegabytes)).toFixed(0)} MB with ${images}`,
);
if (args.check && ratio < promised) process.exitCode = 1;
