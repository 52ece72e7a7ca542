/**
 * Where the GPU wins: every size and metric on the CPU and on the GPU, and what `backend: 'auto'` would choose.
 *
 * `npx tsx bench/webgpu.ts` runs in Node on the npm package `webgpu` (Dawn). Without a GPU set VK_ICD_FILENAMES to a
 * software driver; the table then tells about that driver, and no GPU. `quick` leaves out the largest sizes. Results are
 * checked equal before they are timed.
 */
import { bestMatch, innerIou, type Metric, pairwiseIou } from '../src/iou/index.ts';
import { measurePoint, sampleBoxes } from '../src/webgpu/calibrate.ts';
import { createBatchIou } from '../src/webgpu/index.ts';
import { openDawn } from '../test/webgpu/dawn.ts';

const dawn = await openDawn();
if ('absent' in dawn) {
  console.error(`no WebGPU in Node: ${dawn.absent}`);
  process.exit(1);
}
const adapter = (await dawn.gpu.requestAdapter())!;
const { vendor, architecture, description } = adapter.info;
console.log(
  `adapter: ${vendor} ${architecture} ${description}${softwareNote(`${architecture} ${description}`)}\n`,
);

const quick = process.argv.includes('quick');
const sizes = (
  [
    [100, 100],
    [1000, 50],
    [8400, 100],
    [25200, 100],
    [120000, 100],
    [5000, 5000],
  ] as const
).slice(0, quick ? 4 : 6);
/** With a SIMD kernel on the CPU, with a generated loop, run by the evaluator; and rotated boxes, by ProbIoU. */
const metrics: readonly Metric[] = [
  'iou',
  'giou',
  'diou',
  'ciou',
  'eiou',
  'siou',
  innerIou({ base: 'ciou' }),
];
const nameOf = (metric: Metric): string => (typeof metric === 'string' ? metric : metric.name);
const angles = (count: number) => Float32Array.from({ length: count }, (_, i) => (i * 0.7) % 3);
const kinds = ['pairwise', 'bestMatch'] as const;

const gpu = await createBatchIou({ gpu: dawn.gpu, backend: 'auto' });
const [a, b] = [sampleBoxes(300, 1), sampleBoxes(70, 2)];
for (const metric of metrics) {
  const [matrix, best] = [pairwiseIou(a, b, { metric }), bestMatch(a, b, { metric })];
  const onGpu = await gpu.pairwise(a, b, { metric, backend: 'gpu' });
  const bestOnGpu = await gpu.bestMatch(a, b, { metric, backend: 'gpu' });
  const equal =
    matrix.every((value, i) => Math.abs(value - onGpu[i]!) <= 1e-5) &&
    best.values.every((value, i) => Math.abs(value - bestOnGpu.values[i]!) <= 1e-5);
  if (!equal) throw new Error(`${nameOf(metric)}: the CPU and the GPU disagree`);
}
await gpu.calibrate({ metrics, kinds });
// Calls with 'auto' measure what they need by themselves.
const rotated = { aAngles: angles(300), bAngles: angles(70) };
await gpu.pairwise(a, b, { rotated });
await gpu.bestMatch(a, b, { rotated });
const comparisons: readonly {
  readonly name: string;
  readonly metric?: Metric;
  readonly rotated?: typeof rotated;
}[] = [...metrics.map((metric) => ({ name: nameOf(metric), metric })), { name: 'probiou', rotated }];

console.log('job        metric       size           CPU ms    GPU ms    faster  auto  predicted CPU, GPU ms');
let right = 0;
let cells = 0;
for (const kind of kinds) {
  for (const { name, ...options } of comparisons) {
    for (const [n, m] of sizes) {
      const { cpuMs, gpuMs } = await measurePoint(gpu, kind, options, n, m);
      const told = gpu.explain(n, m, { kind, ...options });
      const faster = gpuMs < cpuMs ? 'gpu' : 'cpu';
      cells++;
      if (told.backend === faster) right++;
      console.log(
        `${kind.padEnd(11)}${name.padEnd(13)}${`${n}×${m}`.padEnd(13)}${milliseconds(cpuMs)}${milliseconds(gpuMs)}` +
          `    ${faster}     ${told.backend}  ${milliseconds(told.cpuMs!)}${milliseconds(told.gpuMs!)}`,
      );
    }
  }
}
console.log(
  `\nauto picks the faster one in ${right} of ${cells} cells (${Math.round((100 * right) / cells)} %)`,
);
gpu.dispose();

function milliseconds(value: number): string {
  return value.toFixed(value < 10 ? 3 : 1).padStart(10);
}

function softwareNote(text: string): string {
  return /swiftshader|llvmpipe|lavapipe/i.test(text) ? ' (a software driver: no GPU is measured here)' : '';
}
