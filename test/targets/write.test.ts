/** Shards on disk: the same bytes however the work is done, and what is in them. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatasetBuilder } from '../../src/datasets/index.ts';
import {
  presetNames,
  readSafetensors,
  type Tensors,
  targetConfig,
  writeSafetensors,
} from '../../src/targets/index.ts';
import { type WriteTargetsOptions, writeTargets } from '../../src/targets/node/index.ts';
import { bundleWorker } from '../support/worker-bundle.ts';
import { retinaNet } from './reference.ts';
import { contents, makeDataset, values } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'boxops-targets-'));
afterAll(() => rmSync(folder, { recursive: true }));
let serial = 0;
const place = (): string => join(folder, `out-${serial++}`);

let workerUrl: URL;
beforeAll(async () => {
  workerUrl = await bundleWorker(new URL('../../workers/targets-node.ts', import.meta.url), 'targets-write');
});

const small = { fit: 'letterbox', width: 320, height: 320 };
const config = { preset: 'retinanet', input: small, regions: { mode: 'ignore' } };
const dataset = makeDataset(37);

async function make(options: Partial<WriteTargetsOptions> = {}) {
  const out = options.out ?? place();
  const summary = await writeTargets({ dataset, config, out, workers: 1, imagesPerShard: 5, ...options });
  return { out, summary };
}

function shard(out: string, index: number): Tensors {
  return readSafetensors(readFileSync(join(out, `shard-0000${index}.safetensors`))).tensors;
}

describe('the same bytes', () => {
  const formats = ['safetensors', 'tar'] as const;
  it('whatever the number of workers', async () => {
    const sampled = { ...config, sampler: { kind: 'random', count: 64, positiveFraction: 0.5 } };
    const one = await make({ formats, config: sampled });
    for (const workers of [2, 3]) {
      const many = await make({ formats, config: sampled, workers, workerUrl });
      expect(many.summary.counts).toEqual(one.summary.counts);
      expect(contents(many.out)).toEqual(contents(one.out));
    }
    const other = await make({ formats, config: { ...sampled, seed: 1 } });
    expect(readFileSync(join(other.out, 'shard-00000.safetensors'))).not.toEqual(
      readFileSync(join(one.out, 'shard-00000.safetensors')),
    );
  });

  it('however jobs share the shards', async () => {
    const whole = await make({ formats });
    const out = place();
    for (const index of [2, 0, 1]) {
      const { summary } = await make({ formats, out, shard: { index, count: 3 } });
      expect(summary.complete).toBe(index === 1);
      expect(readdirSync(out).includes('index.json')).toBe(index === 1);
    }
    expect(contents(out)).toEqual(contents(whole.out));
  });

  it('after shards were lost, cut short or changed', async () => {
    const whole = await make({ formats });
    const { out } = await make({ formats });
    rmSync(join(out, 'shard-00001.json'));
    rmSync(join(out, 'shard-00002.tar'));
    writeFileSync(
      join(out, 'shard-00003.safetensors'),
      readFileSync(join(out, 'shard-00003.safetensors')).subarray(0, 99),
    );
    writeFileSync(join(out, 'shard-00004.json'), '{"shard": 4, "fi');
    writeFileSync(join(out, 'shard-00001.tar.7-0.partial'), 'half');
    const tar = readFileSync(join(out, 'shard-00005.tar'));
    tar[600]! ^= 1;
    writeFileSync(join(out, 'shard-00005.tar'), tar);
    const { summary } = await make({ formats, out });
    expect(summary).toMatchObject({ written: 5, resumed: 3, complete: true });
    expect(contents(out)).toEqual(contents(whole.out));
    expect((await make({ formats, out })).summary).toMatchObject({ written: 0, resumed: 8 });
  });

  it('refuses a folder with other targets, or with something else', async () => {
    const { out } = await make();
    await expect(make({ out, config: { ...config, seed: 3 } })).rejects.toThrow(
      'config, configHash, seed differ',
    );
    await expect(make({ out, dataset: makeDataset(36) })).rejects.toThrow(
      'datasetHash, images, annotations differ',
    );
    writeFileSync(join(folder, 'mine'), 'x');
    await expect(make({ out: folder })).rejects.toThrow('holds something else');
  });
});

describe('what is in a shard', () => {
  it('is what RetinaNet matches and codes, restated', async () => {
    const { out } = await make({ imagesPerShard: 4 });
    const priors = readSafetensors(readFileSync(join(out, 'priors-320x320.safetensors'))).tensors;
    for (const index of [0, 3]) {
      const tensors = shard(out, index);
      const rows = values<Int32Array>(tensors, 'row_offsets');
      const gts = values<Int32Array>(tensors, 'gt_offsets');
      const regions = values<Int32Array>(tensors, 'ignore_offsets');
      const boxes = values<Float32Array>(tensors, 'gt_boxes');
      for (let image = 0; image < 4; image++) {
        const expected = retinaNet(
          values(priors, 'boxes'),
          boxes.subarray(4 * gts[image]!, 4 * gts[image + 1]!),
          values<Float32Array>(tensors, 'ignore_boxes').subarray(
            4 * regions[image]!,
            4 * regions[image + 1]!,
          ),
        );
        const [from, to] = [rows[image]!, rows[image + 1]!];
        expect([...values<Int32Array>(tensors, 'anchors').subarray(from, to)]).toEqual(expected.anchors);
        expect([...values<Int32Array>(tensors, 'gt_indices').subarray(from, to)]).toEqual(expected.gtIndices);
        const targets = values<Float32Array>(tensors, 'box_targets').subarray(4 * from, 4 * to);
        for (let i = 0; i < targets.length; i++) expect(targets[i]).toBeCloseTo(expected.targets[i]!, 4);
        const labels = values<Int32Array>(tensors, 'gt_labels').subarray(gts[image]!, gts[image + 1]!);
        expect([...values<Int32Array>(tensors, 'labels').subarray(from, to)]).toEqual(
          expected.gtIndices.map((gt) => (gt < 0 ? gt : labels[gt])),
        );
        expect([...values<Float32Array>(tensors, 'weights').subarray(from, to)]).toEqual(
          expected.gtIndices.map((gt) => (gt < 0 ? 0 : 1)),
        );
      }
    }
  });

  it('boxes lie in the input as the transform says', async () => {
    const { out } = await make();
    const tensors = shard(out, 1);
    const ids = values<BigInt64Array>(tensors, 'image_ids');
    expect([...ids]).toEqual([5, 6, 7, 8, 9].map((i) => BigInt(1000 + 3 * i)));
    const gts = values<Int32Array>(tensors, 'gt_offsets');
    const image = gts.findIndex((offset) => offset > 0) - 1;
    const [scaleX, scaleY, offsetX, offsetY] = values<Float32Array>(tensors, 'transforms').subarray(
      4 * image,
    );
    const row = dataset.annotations.ids.indexOf(Number(values<BigInt64Array>(tensors, 'gt_ids')[0]));
    const box = dataset.annotations.boxes.subarray(4 * row);
    const placed = values<Float32Array>(tensors, 'gt_boxes');
    expect(placed[0]).toBeCloseTo(box[0]! * scaleX! + offsetX!, 3);
    expect(placed[3]).toBeCloseTo(box[3]! * scaleY! + offsetY!, 3);
  });

  it('dense has a row for every prior and the same positives', async () => {
    const sparse = shard((await make({ imagesPerShard: 4 })).out, 2);
    const dense = shard((await make({ imagesPerShard: 4, dense: true })).out, 2);
    const gt = values<Int32Array>(dense, 'gt_indices');
    const rows = values<Int32Array>(dense, 'row_offsets');
    const [count] = [rows[1]!];
    expect([...rows]).toEqual([0, 1, 2, 3, 4].map((i) => i * count));
    const listed: number[] = [];
    for (let j = 0; j < gt.length; j++) if (gt[j] !== -1) listed.push(j);
    for (const name of ['gt_indices', 'labels', 'weights']) {
      const all = values<Int32Array>(dense, name);
      expect(listed.map((j) => all[j])).toEqual([...values<Int32Array>(sparse, name)]);
    }
    expect(listed.map((j) => j % count)).toEqual([...values<Int32Array>(sparse, 'anchors')]);
    const weights = values<Float32Array>(dense, 'weights');
    expect(gt.every((g, j) => (g === -1) === (weights[j] === 1 && g < 0))).toBe(true);
  });

  it.each(['ignore', 'drop'])(
    'dense and sampled: the rows that count, by any path (regions: %s)',
    async (mode) => {
      const sampled = {
        ...config,
        regions: { mode },
        seed: 3,
        sampler: { kind: 'random', count: 64, positiveFraction: 0.25 },
      };
      const sparse = shard((await make({ config: sampled })).out, 1);
      const dense = shard((await make({ config: sampled, dense: true })).out, 1);
      const gt = values<Int32Array>(dense, 'gt_indices');
      const weights = values<Float32Array>(dense, 'weights');
      const listed = [...gt.keys()].filter((j) => gt[j] !== -1 || weights[j] === 1);
      for (const name of ['anchors', 'gt_indices', 'labels', 'weights', 'overlaps']) {
        const all = values<Float32Array>(dense, name);
        expect(listed.map((j) => all[j])).toEqual([...values<Float32Array>(sparse, name)]);
      }
    },
  );

  it('samples as many as asked, by seed', async () => {
    const { out } = await make({ config: { preset: 'faster-rcnn-rpn', input: small } });
    const tensors = shard(out, 0);
    const rows = values<Int32Array>(tensors, 'row_offsets');
    const weights = values<Float32Array>(tensors, 'weights');
    const gt = values<Int32Array>(tensors, 'gt_indices');
    for (let image = 0; image < 5; image++) {
      let [positives, negatives] = [0, 0];
      for (let i = rows[image]!; i < rows[image + 1]!; i++) {
        if (weights[i] !== 1) continue;
        if (gt[i]! >= 0) positives++;
        else negatives++;
      }
      expect(positives).toBeLessThanOrEqual(128);
      expect(positives + negatives).toBe(256);
    }
  });

  it('samples the last matches of pairs when dense', async () => {
    const sampler = { kind: 'random', count: 64, positiveFraction: 0.25 };
    const made = await make({ config: { preset: 'yolov5', input: small, sampler }, dense: true });
    const tensors = shard(made.out, 0);
    const weights = values<Float32Array>(tensors, 'weights');
    const gt = values<Int32Array>(tensors, 'gt_indices');
    const rows = values<Int32Array>(tensors, 'row_offsets');
    let positives = 0;
    for (let image = 0; image < 5; image++) {
      const taken = gt
        .subarray(rows[image], rows[image + 1])
        .filter((_, i) => weights[rows[image]! + i] === 1);
      expect(taken.length).toBe(64);
      const found = taken.filter((g) => g >= 0).length;
      expect(found).toBeLessThanOrEqual(16);
      positives += found;
    }
    expect(positives).toBeGreaterThan(0);
  });

  it('counts what it made', async () => {
    const { out, summary } = await make();
    const { counts } = JSON.parse(readFileSync(join(out, 'index.json'), 'utf8'));
    expect(counts).toEqual(summary.counts);
    let rows = 0;
    for (let index = 0; index < 8; index++) rows += shard(out, index).anchors!.shape[0]!;
    expect(summary.counts.rows).toBe(rows);
    expect(summary.counts.objects + summary.counts.regions).toBe(dataset.annotations.count);
    const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0);
    expect(sum(summary.counts.priorsPerObject)).toBe(summary.counts.objects);
    expect(sum(summary.counts.positivesByLevel)).toBe(summary.counts.positives);
  });
});

describe('every preset', () => {
  const annotations = ['retinanet', 'ssd300', 'fcos', 'atss', 'yolov5', 'faster-rcnn-rpn'];
  const few = makeDataset(4);
  it.each(presetNames)('%s', async (preset) => {
    const base = targetConfig({ preset });
    const input =
      base.input.fit === 'shortest-edge'
        ? { input: { fit: 'shortest-edge', shortest: 256, longest: 400, multiple: 32 } }
        : {};
    const made = () => writeTargets({ dataset: few, config: { preset, ...input }, out: place(), workers: 1 });
    if (annotations.includes(preset)) {
      const { counts, complete } = await made();
      expect(complete).toBe(true);
      expect(counts.positives).toBeGreaterThan(counts.objects / 2);
      return;
    }
    await expect(made()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    const predictions = place();
    mkdirSync(join(predictions, 'set'), { recursive: true });
    const count = preset === 'detr' ? 30 : 8400;
    for (let i = 0; i < few.images.count; i++) {
      const boxes = Float32Array.from(
        { length: 4 * count },
        (_, k) => ((k * 37 + i * 11) % 200) + (k % 4 < 2 ? 0 : 150),
      );
      const scores = Float32Array.from({ length: 5 * count }, (_, k) => ((k * 13 + i) % 97) / 100);
      const bytes = writeSafetensors({
        boxes: { shape: [count, 4], data: boxes },
        scores: { shape: [count, 5], data: scores },
      });
      writeFileSync(join(predictions, 'set', `${i}.safetensors`), bytes);
    }
    const out = place();
    const { counts } = await writeTargets({
      dataset: few,
      config: { preset, ...input },
      out,
      workers: 1,
      predictions,
    });
    expect(counts.positives).toBeGreaterThan(0);
    if (preset === 'detr') expect(counts.positives).toBe(counts.objects);
    const wrong = writeSafetensors({
      boxes: { shape: [1, 4], data: new Float32Array(4) },
      scores: { shape: [1, 5], data: new Float32Array(5) },
    });
    writeFileSync(join(predictions, 'set', '1.safetensors'), wrong);
    if (preset !== 'detr') {
      await expect(
        writeTargets({ dataset: few, config: { preset, ...input }, out: place(), workers: 1, predictions }),
      ).rejects.toMatchObject({ code: 'SHAPE' });
    }
    rmSync(join(predictions, 'set', '1.safetensors'));
    await expect(
      writeTargets({ dataset: few, config: { preset, ...input }, out: place(), workers: 1, predictions }),
    ).rejects.toThrow('there are no predictions of set/1.jpg');
  });
});

it('yolox matches about the middle of cells, codes from their corners, and pads right and below', async () => {
  // one object about (104, 60), its cells of stride 8 about column 13, row 7
  const builder = new DatasetBuilder();
  const image = builder.addImage(1, '1.jpg', 320, 160);
  const box = { x1: 92, y1: 50, x2: 116, y2: 70 };
  builder.addAnnotation({ id: 1, image, label: 0, ...box, area: 480, flags: 0 });
  const one = builder.finish([{ id: 0, name: 'a' }]);
  const predictions = place();
  mkdirSync(predictions);
  const truth = [2 * box.x1, 2 * box.y1, 2 * box.x2, 2 * box.y2];
  const bytes = writeSafetensors({
    boxes: { shape: [8400, 4], data: Float32Array.from({ length: 4 * 8400 }, (_, k) => truth[k % 4]!) },
    scores: { shape: [8400, 1], data: new Float32Array(8400).fill(0.5) },
  });
  writeFileSync(join(predictions, '1.safetensors'), bytes);
  const { out } = await make({ dataset: one, config: { preset: 'yolox' }, predictions });
  const tensors = shard(out, 0);
  expect([...values<Float32Array>(tensors, 'transforms')]).toEqual([2, 2, 0, 0]);
  const anchors = values<Int32Array>(tensors, 'anchors');
  expect(anchors.length).toBe(10);
  const targets = values<Float32Array>(tensors, 'box_targets');
  anchors.forEach((anchor, i) => {
    const [stride, start] = anchor < 6400 ? [8, 0] : anchor < 8000 ? [16, 6400] : [32, 8000];
    const [column, row] = [(anchor - start) % (640 / stride), Math.floor((anchor - start) / (640 / stride))];
    for (const [cell, centre] of [
      [column, 208],
      [row, 120],
    ] as const) {
      expect(Math.abs((cell + 0.5) * stride - centre)).toBeLessThan(1.5 * stride);
    }
    const wanted = [208 / stride - column, 120 / stride - row, Math.log(48 / stride), Math.log(40 / stride)];
    wanted.forEach((value, k) => {
      expect(targets[4 * i + k]).toBeCloseTo(value, 5);
    });
  });
});

describe('workers', () => {
  it('a shard that fails ends the run with its error', async () => {
    const predictions = mkdtempSync(join(folder, 'none-'));
    await expect(
      make({ config: { preset: 'yolov8' }, predictions, workers: 3, workerUrl }),
    ).rejects.toMatchObject({ code: 'DATASET' });
  });
  it('can be stopped, and goes on later', async () => {
    const out = place();
    const stop = new AbortController();
    const run = make({
      out,
      workers: 2,
      workerUrl,
      signal: stop.signal,
      onProgress: ({ done }) => done >= 10 && stop.abort(new Error('enough')),
    });
    await expect(run).rejects.toThrow('enough');
    const { summary } = await make({ out, workers: 2, workerUrl });
    expect(summary.complete).toBe(true);
    expect(contents(out)).toEqual(contents((await make()).out));
  });
});
