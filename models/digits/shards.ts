/**
 * Writes scenes as raw shards for the trainer, which reads them as memory maps:
 *
 *   npx tsx models/digits/shards.ts --seed 1 --first 0 --shards 20 --out .cache/digits/training
 *
 * Shard `k` holds scenes k·2000 … k·2000 + 1999: `images-kkkk.u8` is uint8 [2000, 160, 160, 3] and `labels-kkkk.f32` is
 * float32 [2000, 8, 5] with class, x1, y1, x2, y2 a digit and class −1 where there is none. A shard is renamed into
 * place when it is complete.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { distribution, type Split } from './distribution.ts';
import { SceneSynthesiser } from './synthesis/scene.ts';

const scenesAShard = 2000;

const options = new Command('shards')
  .description('synthesise training shards')
  .option('--seed <n>', 'seed of the scenes', Number, 1)
  .option('--first <k>', 'first shard', Number, 0)
  .option('--shards <n>', 'how many', Number, 1)
  .option(
    '--step <n>',
    'distance from one shard to the next, so that processes can share the work',
    Number,
    1,
  )
  .option('--split <name>', 'training or heldOut', 'training')
  .requiredOption('--out <folder>')
  .parse()
  .opts<{ seed: number; first: number; shards: number; step: number; split: Split; out: string }>();

mkdirSync(options.out, { recursive: true });
const synthesiser = await SceneSynthesiser.create({ seed: options.seed, split: options.split, channels: 3 });
const { size } = distribution;
const most = distribution.digits.count[1];
const images = new Uint8Array(scenesAShard * size * size * 3);
const labels = new Float32Array(scenesAShard * most * 5);
for (let n = 0; n < options.shards; n++) {
  const shard = options.first + n * options.step;
  const number = String(shard).padStart(4, '0');
  const imageFile = join(options.out, `images-${number}.u8`);
  if (existsSync(imageFile)) continue;
  const start = performance.now();
  labels.fill(0);
  for (let i = 0; i < scenesAShard; i++) {
    const { data, boxes, classIds } = synthesiser.scene(shard * scenesAShard + i);
    images.set(data, i * data.length);
    for (let row = 0; row < most; row++) {
      const at = (i * most + row) * 5;
      labels[at] = row < classIds.length ? classIds[row] : -1;
      if (row < classIds.length) labels.set(boxes.subarray(row * 4, row * 4 + 4), at + 1);
    }
  }
  writeFileSync(join(options.out, `labels-${number}.f32`), labels);
  writeFileSync(`${imageFile}.part`, images);
  renameSync(`${imageFile}.part`, imageFile);
  const milliseconds = (performance.now() - start) / scenesAShard;
  process.stdout.write(`shard ${number}: ${milliseconds.toFixed(2)} ms a scene\n`);
}
