/** What is wrong is said before anything is written: configurations, folders, predictions. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { targetConfig, writeSafetensors } from '../../src/targets/index.ts';
import { writeTargets } from '../../src/targets/node/index.ts';
import { contents, makeDataset } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'boxops-target-errors-'));
afterAll(() => rmSync(folder, { recursive: true }));
let serial = 0;
const place = (): string => join(folder, `out-${serial++}`);

const small = { fit: 'letterbox', width: 96, height: 96 };
const dataset = makeDataset(3);
const make = (config: object, options: object = {}) =>
  writeTargets({ dataset, config, out: place(), workers: 1, ...options });

describe('a configuration', () => {
  const preset = 'retinanet';
  it.each([
    [{ preset: 'retina' }, /preset: .*"retinanet" \| "faster-rcnn-rpn"/],
    [{ preset, matchers: {} }, 'matchers: there is no such key; expected preset, input, priors, matcher,'],
    [
      { preset, matcher: { positive: 1 } },
      /matcher\.positive: there is no such key; expected kind, metric, pos/,
    ],
    [{ preset, matcher: { metric: 'gou' } }, /matcher\.metric: .*"ciou" \| "diou"/],
    [{ preset: 'yolov8', matcher: { rule: 'x' } }, /matcher\.rule: .*"ultralytics" \| "mmyolo"/],
    [{ preset: 'yolox', matcher: { rule: 'x' } }, /matcher\.rule: .*"yolox" \| "mmdetection"/],
    [{ preset, matcher: { kind: 'x' } }, /matcher\.kind: .*"max-iou" \| "ssd"/],
    [
      { preset, regions: { part: 1 } },
      'regions.part: there is no such key; expected mode, threshold, withoutObjects',
    ],
    [
      { preset, sampler: { kind: 'random' } },
      'sampler.count: is missing; sampler.positiveFraction: is missing',
    ],
    [{ input: small }, 'priors: is missing: name a preset, or give every part; matcher: is missing'],
    [[], 'my.yaml: expected keys and values (preset, input, priors, …), got a list'],
    [null, 'got nothing'],
    [3, 'got 3'],
  ])('%j is refused, with what could stand there', (config, message) => {
    expect(() => targetConfig(config, 'my.yaml')).toThrow(message);
    expect(() => targetConfig(config, 'my.yaml')).toThrow(expect.objectContaining({ code: 'OPTION' }));
  });

  it.each([
    [
      { preset, matcher: { negativeThreshold: 0.9 } },
      'matcher: expected negativeThreshold ≤ positiveThreshold',
    ],
    [{ preset, priors: { strides: [8, 16] } }, 'priors: expected sizes for 2 levels, got 5'],
    [{ preset, coder: { std: [0, 1, 1, 1] } }, 'coder: std must be four numbers > 0'],
    [{ preset: 'ssd300', input: { width: 512 } }, 'priors: the default boxes of ssd300 are for'],
    [{ preset: 'yolov5', matcher: { anchorRatio: 0.5 } }, 'matcher: anchorRatio must be a number ≥ 1'],
    [{ preset: 'detr', matcher: { kind: 'max-iou' } }, "matcher: the matcher 'max-iou' needs priors"],
    [
      { preset: 'yolov5', sampler: { kind: 'random', count: 8, positiveFraction: 0.5 } },
      "sampler: 'random' takes priors, and the matcher 'yolov5' lists pairs of a prior and an object; expected the sampler 'none', or dense targets",
    ],
  ])('%j, whose parts do not go together, leaves nothing on disk', async (config, message) => {
    const out = place();
    await expect(make(config, { out })).rejects.toThrow(message);
    expect(existsSync(out)).toBe(false);
  });
});

it.each([undefined, null, 'instances.json', { dataset }])('%j is no dataset', async (given) => {
  const made = make({ preset: 'atss', input: small }, { dataset: given });
  await expect(made).rejects.toThrow("dataset: expected a dataset (what readDataset gives as 'dataset')");
  await expect(made).rejects.toMatchObject({ code: 'OPTION' });
});

describe('formats', () => {
  it.each([[['npz']], [['safetensors', 'npy']], [[]]])('%j would leave shards out', async (formats) => {
    const out = place();
    const made = make({ preset: 'atss', input: small }, { out, formats });
    await expect(made).rejects.toMatchObject({ code: 'OPTION' });
    await expect(made).rejects.toThrow(`expected a list of safetensors, tar, got [${formats.join(', ')}]`);
    expect(existsSync(out)).toBe(false);
  });
});

describe('the folder', () => {
  it('that cannot be made or written is named', async () => {
    const file = place();
    writeFileSync(file, '');
    await expect(make({ preset: 'atss', input: small }, { out: join(file, 'x') })).rejects.toThrow(
      `cannot make the folder ${join(file, 'x')}`,
    );
    const out = place();
    mkdirSync(join(out, 'manifest.json'), { recursive: true });
    await expect(make({ preset: 'atss', input: small }, { out })).rejects.toMatchObject({ code: 'OPTION' });
  });

  it('with a manifest cut short is refused', async () => {
    const out = place();
    await make({ preset: 'atss', input: small }, { out });
    writeFileSync(join(out, 'manifest.json'), '{"format": "boxo');
    await expect(make({ preset: 'atss', input: small }, { out })).rejects.toThrow(
      'cannot be read as a manifest',
    );
  });

  it('may be begun by several jobs at once', async () => {
    const config = { preset: 'atss', input: small };
    const whole = place();
    await make(config, { out: whole, imagesPerShard: 1 });
    const out = place();
    const jobs = [0, 1, 2].map((index) =>
      make(config, { out, imagesPerShard: 1, shard: { index, count: 3 } }),
    );
    expect((await Promise.all(jobs)).some(({ complete }) => complete)).toBe(true);
    expect(contents(out)).toEqual(contents(whole));
  });
});

describe('predictions', () => {
  const config = { preset: 'yolov8', input: small };
  const count = 144 + 36 + 9;
  const predict = (path: string, value: number): void => {
    mkdirSync(join(path, 'set'), { recursive: true });
    for (let i = 0; i < 3; i++) {
      const boxes = { shape: [count, 4], data: new Float32Array(4 * count).fill(value) };
      const scores = { shape: [count, 5], data: new Float32Array(5 * count).fill(0.5) };
      writeFileSync(join(path, 'set', `${i}.safetensors`), writeSafetensors({ boxes, scores }));
    }
  };

  it('of another network are not mistaken for those the folder was begun with', async () => {
    const [out, predictions] = [place(), place()];
    predict(predictions, 1);
    await make(config, { out, predictions });
    await make(config, { out, predictions });
    predict(predictions, 2);
    await expect(make(config, { out, predictions })).rejects.toThrow('predictionsHash differ');
  });

  it('of an image that are missing are named before anything is written', async () => {
    const [out, predictions] = [place(), place()];
    predict(predictions, 1);
    const last = join(predictions, 'set', '2.safetensors');
    renameSync(last, `${last}.later`);
    await expect(make(config, { out, predictions })).rejects.toThrow('there are no predictions of set/2.jpg');
    expect(existsSync(out)).toBe(false);
    renameSync(`${last}.later`, last);
    await expect(make(config, { out, predictions })).resolves.toMatchObject({ complete: true });
  });

  it('must be a folder', async () => {
    const file = place();
    writeFileSync(file, '');
    for (const predictions of [file, place()]) {
      await expect(make(config, { predictions })).rejects.toThrow(
        `there is no folder of predictions ${predictions}`,
      );
    }
    const out = place();
    await expect(make(config, { out })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect(existsSync(out)).toBe(false);
  });
});
