/**
 * Trains one small network a loss on handwritten digits, tells how well its features verify, and draws them.
 *
 *   npx tsx examples/recognition/run.ts [--losses softmax,arc] [--epochs 30] [--seed 1] [--out folder]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { table } from '../../src/cli/table.ts';
import { toPng, toSvg } from '../iou-regression/report/draw.ts';
import { digitSet } from './digits.ts';
import { experiment } from './experiment.ts';
import { type FeatureRow, featureRows, featureSpec } from './figure.ts';
import { objectives } from './objectives.ts';

const { values: given } = parseArgs({
  options: {
    losses: { type: 'string', default: Object.keys(objectives).join() },
    epochs: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: fileURLToPath(new URL('../../out/recognition', import.meta.url)) },
  },
});
const names = given.losses.split(',').map((name) => name.trim());
const epochs = Number(given.epochs);
const seed = Number(given.seed);
if (!Number.isInteger(epochs) || epochs < 1)
  throw new RangeError(`--epochs must be ≥ 1, got ${given.epochs}`);

const training = digitSet('training', Number.POSITIVE_INFINITY, seed);
const heldOut = digitSet('heldOut', Number.POSITIVE_INFINITY, seed);
console.log(`${training.labels.length} digits to train on, ${heldOut.labels.length} never seen`);
const percent = (value: number): string => (100 * value).toFixed(2);
const rows: FeatureRow[] = [];
const titles: string[] = [];
const panels: string[] = [];
const results: Record<string, { verification: number; nearestMean: number }> = {};
const seconds: string[] = [];
for (const name of names) {
  const bar = new SingleBar({
    format: `${name.padEnd(10)} {bar} {value}/{total} steps · {duration_formatted} · {eta_formatted} left`,
    stream: process.stderr,
  });
  const began = performance.now();
  let started = false;
  const result = experiment(name, {
    training,
    heldOut,
    epochs,
    seed,
    progress(step, steps) {
      if (!started) bar.start(steps, 0);
      started = true;
      bar.update(step);
    },
  });
  bar.stop();
  const { title, verification, nearestMean, features } = result;
  results[name] = { verification, nearestMean };
  seconds.push(((performance.now() - began) / 1000).toFixed(1));
  titles.push(title);
  const panel = `${title}: ${percent(verification)} %`;
  panels.push(panel);
  rows.push(...featureRows(panel, features));
}

mkdirSync(given.out, { recursive: true });
const svg = await toSvg(featureSpec(panels), { features: rows });
writeFileSync(join(given.out, 'features.svg'), svg);
writeFileSync(join(given.out, 'features.png'), await toPng(svg));
writeFileSync(
  join(given.out, 'results.json'),
  `${JSON.stringify({ epochs, seed, losses: results }, null, 1)}\n`,
);
console.log(
  table(
    ['loss', 'verification %', 'nearest mean %', 'seconds'],
    names.map((name, i) => {
      const { verification, nearestMean } = results[name]!;
      return [titles[i]!, percent(verification), percent(nearestMean), seconds[i]!];
    }),
  ),
);
console.log(`written to ${given.out}`);
