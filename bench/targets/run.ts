/** One measured run of `writeTargets`, in a process of its own: `node run.js <annotations> <out> <workers> <worker url>`. */
import { openSlices } from '../../src/datasets/node/index.ts';
import { defaultImagesPerShard, writeTargets } from '../../src/targets/node/index.ts';

const [annotations, out, workers, workerUrl] = process.argv.slice(2) as [string, string, string, string];
// the peer's clock starts after its imports too
const begin = performance.now();
const started = process.cpuUsage();
const { dataset, dispose } = openSlices(annotations, defaultImagesPerShard(false));
await writeTargets({
  dataset,
  config: { preset: 'retinanet' },
  out,
  workers: Number(workers),
  workerUrl,
});
dispose();
const { user, system } = process.cpuUsage(started);
console.log(
  JSON.stringify({
    images: dataset.images,
    processorSeconds: (user + system) / 1e6,
    wallSeconds: (performance.now() - begin) / 1000,
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
  }),
);
