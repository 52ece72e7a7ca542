/**
 * The experiment in the terminal: a progress bar a loss, the errors as a table and as JSON, the curves and the map drawn.
 *
 *   npx tsx examples/iou-regression/run.ts                          5,000 points, 200 iterations, the paper's four losses
 *   npx tsx examples/iou-regression/run.ts --points 200 --losses iou,giou,siou,eiou --parametrisation centre
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { table } from '../../src/cli/table.ts';
import { type CurveRow, curveRows, curveSpec, mapSpec, type PointRow, pointRows } from './report/charts.ts';
import { toPng, toSvg } from './report/draw.ts';
import { Pool } from './run/pool.ts';
import { casesPerPoint, type Parametrisation, scatterPoints } from './simulation/cases.ts';
import { lossNames, lossTitle, metricNamed, paperLosses } from './simulation/metrics.ts';

const { values: given } = parseArgs({
  options: {
    losses: { type: 'string', default: paperLosses.join() },
    points: { type: 'string', default: '5000' },
    iterations: { type: 'string', default: '200' },
    parametrisation: { type: 'string', default: 'corners' },
    workers: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: fileURLToPath(new URL('../../out/iou-regression', import.meta.url)) },
    help: { type: 'boolean', default: false },
  },
});

if (given.help) {
  console.log(`options: --losses a,b --points n --iterations n --parametrisation corners|centre --workers n --seed n --out folder
losses: ${lossNames.join(', ')}`);
  process.exit();
}

const losses = given.losses.split(',').map((name) => name.trim());
for (const name of losses) metricNamed(name);
const points = whole('points', 1);
const iterations = whole('iterations', 1);
const workers = whole('workers', 1);
const seed = whole('seed', 0);
const parametrisation = given.parametrisation as Parametrisation;
if (parametrisation !== 'corners' && parametrisation !== 'centre') {
  throw new RangeError(`--parametrisation must be corners or centre, got ${given.parametrisation}`);
}

const pool = new Pool(workers);
const places = scatterPoints(points, seed);
const curves: CurveRow[] = [];
const finals: PointRow[] = [];
const seconds: string[] = [];
const summary: Record<string, { finalError: number; meanFinalError: number; curve: number[] }> = {};
try {
  for (const loss of losses) {
    const bar = new SingleBar({
      format: `${loss.padEnd(10)} {bar} {value}/{total} points · {duration_formatted} · {eta_formatted} left`,
      stream: process.stderr,
    });
    bar.start(points, 0);
    const began = performance.now();
    const task = { loss, parametrisation, iterations, points, seed };
    const { curve, final } = await pool.run(task, (done) => bar.increment(done));
    bar.stop();
    seconds.push(((performance.now() - began) / 1000).toFixed(1));
    const finalError = curve[iterations]!;
    summary[loss] = {
      finalError,
      meanFinalError: finalError / (points * casesPerPoint),
      curve: [...curve],
    };
    curves.push(...curveRows(loss, curve, points));
    finals.push(...pointRows(loss, places, final));
  }
} finally {
  await pool.close();
}

mkdirSync(given.out, { recursive: true });
const file = (name: string): string => join(given.out, `${parametrisation}-${name}`);
const cases = points * casesPerPoint;
writeFileSync(
  file('errors.json'),
  `${JSON.stringify({ points, cases, iterations, parametrisation, seed, losses: summary }, null, 1)}\n`,
);
const curveSvg = await toSvg(curveSpec(losses, iterations), { curve: curves });
const mapSvg = await toSvg(mapSpec(losses, points), { points: finals });
writeFileSync(file('curves.svg'), curveSvg);
writeFileSync(file('curves.png'), await toPng(curveSvg));
writeFileSync(file('map.svg'), mapSvg);
writeFileSync(file('map.png'), await toPng(mapSvg));

console.log(
  `${cases.toLocaleString('en')} cases, ${iterations} iterations, updates of the ${parametrisation}`,
);
console.log(
  table(
    ['loss', 'sum of final errors', 'of a case', 'seconds'],
    losses.map((loss, i) => {
      const { finalError, meanFinalError } = summary[loss]!;
      return [lossTitle(loss), finalError.toFixed(1), meanFinalError.toFixed(6), seconds[i]!];
    }),
  ),
);
console.log(`written to ${given.out}`);

function whole(name: 'points' | 'iterations' | 'workers' | 'seed', least: number): number {
  const value = Number(given[name]);
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(`--${name} must be a whole number ≥ ${least}, got ${given[name]}`);
  }
  return value;
}
