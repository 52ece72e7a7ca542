/**
 * The boxes of the trainer's shards as one COCO file, from which `boxops targets` makes training targets:
 *
 *   npx tsx models/digits/annotations.ts --data .cache/digits/training --out .cache/digits/instances.json
 *
 * Image id k·2000 + i is scene i of shard k. The file is written as it goes, an image at a time, and renamed into place
 * when it is complete.
 */
import { closeSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { distribution } from './distribution.ts';

const { data, out } = new Command('annotations')
  .description('shards of scenes to COCO annotations')
  .requiredOption('--data <folder>', 'folder with labels-kkkk.f32')
  .requiredOption('--out <file>')
  .parse()
  .opts<{ data: string; out: string }>();

const most = distribution.digits.count[1];
const columns = 5;
const { size } = distribution;
const shards = readdirSync(data)
  .map((name) => /^labels-(\d+)\.f32$/.exec(name)?.[1])
  .filter((number) => number !== undefined)
  .sort();

const file = openSync(`${out}.part`, 'w');
const lines: string[] = [];
function flush(): void {
  writeSync(file, lines.join(''));
  lines.length = 0;
}

/** Every scene of every shard: its id and its rows of class, x1, y1, x2, y2. */
function* scenes(): Generator<{ id: number; rows: Float32Array[] }> {
  for (const number of shards) {
    const bytes = readFileSync(join(data, `labels-${number}.f32`));
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const count = values.length / (most * columns);
    for (let i = 0; i < count; i++) {
      const rows = Array.from({ length: most }, (_, row) => {
        const start = (i * most + row) * columns;
        return values.subarray(start, start + columns);
      });
      yield { id: Number(number) * count + i, rows: rows.filter(([digit]) => digit! >= 0) };
    }
    flush();
  }
}

const categories = Array.from({ length: 10 }, (_, digit) => ({ id: digit, name: String(digit) }));
lines.push(`{"categories":${JSON.stringify(categories)},\n"images":[`);
let separator = '\n';
for (const { id } of scenes()) {
  lines.push(separator, JSON.stringify({ id, width: size, height: size, file_name: `scene-${id}` }));
  separator = ',\n';
}
lines.push('],\n"annotations":[');
separator = '\n';
let annotation = 0;
for (const { id: image_id, rows } of scenes()) {
  for (const [category_id, x1, y1, x2, y2] of rows) {
    const bbox = [x1!, y1!, x2! - x1!, y2! - y1!];
    const row = { id: ++annotation, image_id, category_id, bbox, area: bbox[2]! * bbox[3]!, iscrowd: 0 };
    lines.push(separator, JSON.stringify(row));
    separator = ',\n';
  }
}
lines.push(']}\n');
flush();
closeSync(file);
renameSync(`${out}.part`, out);
console.log(`${shards.length} shards, ${annotation} digits: ${out}`);
