/**
 * Writes scenes as pictures with COCO annotations, to look at or to check the model against a fresh seed:
 *
 *   npx tsx models/digits/scenes.ts --seed 7 --count 300 --out .cache/scenes [--split heldOut|training] [--size 160]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCanvas, ImageData } from '@napi-rs/canvas';
import { Command, InvalidArgumentError } from 'commander';
import { distribution, type Split } from './distribution.ts';
import { type GroundTruth, SceneSynthesiser } from './synthesis/scene.ts';

const options = new Command('scenes')
  .description('synthesise scenes of handwritten digits, with COCO annotations')
  .option('--seed <n>', 'seed of the scenes', wholeNumber, 1)
  .option('--count <n>', 'how many', wholeNumber, 300)
  .option('--split <name>', 'heldOut or training', splitName, 'heldOut' as Split)
  .option('--size <pixels>', 'width and height', wholeNumber, distribution.size)
  .requiredOption('--out <folder>', 'where pictures and annotations.json go')
  .parse()
  .opts<{ seed: number; count: number; split: Split; size: number; out: string }>();

const { seed, count, split, size, out } = options;
mkdirSync(out, { recursive: true });
const synthesiser = await SceneSynthesiser.create({ seed, split, width: size, height: size });
const images: object[] = [];
const annotations: object[] = [];
for (let index = 0; index < count; index++) {
  const scene = synthesiser.scene(index);
  const name = `${split}-${seed}-${String(index).padStart(5, '0')}.png`;
  const canvas = createCanvas(size, size);
  canvas.getContext('2d').putImageData(new ImageData(scene.data, size, size), 0, 0);
  writeFileSync(join(out, name), canvas.toBuffer('image/png'));
  images.push({ id: index + 1, file_name: name, width: size, height: size });
  annotations.push(...annotationsOf(scene, index + 1, annotations.length + 1));
}
const categories = Array.from({ length: 10 }, (_, digit) => ({ id: digit, name: String(digit) }));
writeFileSync(join(out, 'annotations.json'), JSON.stringify({ images, annotations, categories }));
process.stdout.write(`${count} ${split} scenes of seed ${seed} in ${out}\n`);

function annotationsOf({ boxes, classIds }: GroundTruth, imageId: number, firstId: number): object[] {
  return Array.from(classIds, (category, i) => {
    const [x1, y1, x2, y2] = boxes.subarray(i * 4, i * 4 + 4);
    const bbox = [x1, y1, x2 - x1, y2 - y1];
    return {
      id: firstId + i,
      image_id: imageId,
      category_id: category,
      bbox,
      area: bbox[2] * bbox[3],
      iscrowd: 0,
    };
  });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('expected a whole number.');
  return value;
}

function splitName(text: string): Split {
  if (text !== 'heldOut' && text !== 'training')
    throw new InvalidArgumentError('expected heldOut or training.');
  return text;
}
