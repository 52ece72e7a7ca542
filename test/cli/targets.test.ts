/** `boxops targets`: what a person types and gets. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/program.ts';
import { writeDataset } from '../../src/datasets/node/index.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { contents, makeDataset } from '../targets/support.ts';

const folder = mkdtempSync(join(tmpdir(), 'boxops-cli-targets-'));
afterAll(() => rmSync(folder, { recursive: true }));
const place = (name: string) => join(folder, name);

async function boxops(...parameters: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(['targets', ...parameters, '--workers', '1'], {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    interactive: false,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const annotations = place('instances.json');
writeDataset(annotations, { train: makeDataset(9) }, { format: 'coco' });
const yaml = place('config.yaml');
writeFileSync(
  yaml,
  '# small\npreset: retinanet\ninput: { fit: letterbox, width: 256, height: 256 }\nmatcher:\n  metric: giou\n',
);
const common = [annotations, '--config', yaml];

describe('usage', () => {
  it('explains itself, and exits 2 on a wrong command line', async () => {
    const { code, out } = await boxops('--help');
    expect(code).toBe(0);
    for (const part of ['--config', '--shard', '--predictions', 'faster-rcnn-rpn'])
      expect(out).toContain(part);
    expect((await boxops(annotations)).code).toBe(2);
    expect((await boxops(...common, '--out', place('x'), '--shard', '3/3')).code).toBe(2);
    expect((await boxops(...common, '--out', place('x'), '--write', 'parquet')).code).toBe(2);
  });
});

describe('the configuration', () => {
  const refused = async (name: string, content: string) => {
    writeFileSync(place(name), content);
    const { code, err } = await boxops(annotations, '--config', place(name), '--out', place('refused'));
    expect(code).toBe(2);
    expect(existsSync(place('refused'))).toBe(false);
    return err;
  };
  it('is refused with the key that is wrong', async () => {
    expect(await refused('a.json', '{"preset":"retinanet","matcher":{"positiveTreshold":1}}')).toContain(
      'matcher.positiveTreshold',
    );
    expect(await refused('b.yaml', 'preset: retinanet\nmatcher: {metric: iuo}\n')).toContain(
      'matcher.metric',
    );
    expect(await refused('c.yaml', 'preset: retina\n')).toContain('preset');
    expect(await refused('d.yaml', 'preset: [\n')).toMatch(/d\.yaml:\d+:\d+/);
    expect(await refused('e.yaml', 'input: {fit: letterbox, width: 0, height: 3}\n')).toContain(
      'input.width',
    );
    expect(await refused('f.yaml', 'seed: -1\npreset: atss\n')).toContain('seed');
  });
  it('names presets where there is no such file', async () => {
    const { err } = await boxops(annotations, '--config', 'retinanett', '--out', place('refused'));
    expect(err).toContain('presets are retinanet, ');
  });
  it('of a dynamic assigner needs predictions', async () => {
    for (const preset of ['yolov8', 'yolox', 'detr']) {
      const { code, err } = await boxops(annotations, '--config', preset, '--out', place('refused'));
      expect(code).toBe(1);
      expect(err).toContain('--predictions');
      expect(err).toContain('[UNSUPPORTED]');
    }
    expect(existsSync(place('refused'))).toBe(false);
  });
});

describe('a folder that is not there', () => {
  it.each(['images', 'predictions'])('is one error, and nothing is written: --%s', async (flag) => {
    const { code, out, err } = await boxops(
      ...common,
      '--out',
      place('unmade'),
      `--${flag}`,
      place('nowhere'),
    );
    expect([code, out]).toEqual([2, '']);
    expect(err).toBe(`boxops: there is no folder of ${flag} ${place('nowhere')} [OPTION]`);
    expect(existsSync(place('unmade'))).toBe(false);
  });
});

describe('output', () => {
  it('is shards, manifest, index, priors and a table', async () => {
    const { code, out } = await boxops(
      ...common,
      '--out',
      place('out'),
      '--images-per-shard',
      '4',
      '--write',
      'safetensors,tar',
    );
    expect(code).toBe(0);
    expect(out).toMatch(/objects +unmatched +positives/);
    expect(out).toContain('3 of 3 shards written');
    expect(readdirSync(place('out'))).toEqual([
      'index.json',
      'manifest.json',
      'priors-256x256.safetensors',
      ...[0, 1, 2].flatMap((i) => ['json', 'safetensors', 'tar'].map((end) => `shard-0000${i}.${end}`)),
    ]);
    const manifest = JSON.parse(readFileSync(place('out/manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({
      format: 'boxops-targets',
      seed: 0,
      shards: 3,
      unlisted: 'background',
      categories: ['a', 'b', 'c', 'd', 'e'],
      config: { matcher: { kind: 'max-iou', metric: 'giou' } },
    });
    const again = await boxops(
      ...common,
      '--out',
      place('out'),
      '--images-per-shard',
      '4',
      '--write',
      'safetensors,tar',
    );
    expect(again.out).toContain('0 of 3 shards written, 3 were there already');
  });

  it('is the same from array jobs', async () => {
    const flags = [...common, '--images-per-shard', '2'];
    await boxops(...flags, '--out', place('whole'));
    const first = await boxops(...flags, '--out', place('parts'), '--shard', '1/2');
    expect(first.out).toContain('shards of other jobs are missing');
    await boxops(...flags, '--out', place('parts'), '--shard', '0/2');
    expect(contents(place('parts'))).toEqual(contents(place('whole')));
  });

  it('is nothing where the annotations are corrupted, and every problem is listed', async () => {
    const text = readFileSync(annotations, 'utf8');
    const broken = text
      .replace(/("id":5,.*)"category_id":\d,/, '$1"category_id":44,')
      .replace(/("id":7,.*)"image_id":\d+,/, '$1"image_id":1,')
      .replace(/"bbox":\[/, '"bbox":["x",');
    writeFileSync(place('broken.json'), broken.slice(0, -40));
    const { code, err } = await boxops(place('broken.json'), '--config', yaml, '--out', place('none'));
    expect(code).toBe(1);
    for (const kind of ['unknown-image', 'unknown-category', 'wrong-type', 'truncated-file'])
      expect(err).toContain(`[${kind}]`);
    expect(err).toMatch(/broken\.json:\d+:\d+ annotations\[\d+\]/);
    expect(existsSync(place('none'))).toBe(false);
  });

  it('draws the assignment and its statistics', async () => {
    const { code, out } = await boxops(
      ...common,
      ...[
        '--out',
        place('drawn'),
        '--pictures',
        place('pictures'),
        '--picture-count',
        '3',
        '--plot',
        place('plot.svg'),
      ],
    );
    expect(code).toBe(0);
    expect(out).toContain('3 pictures');
    expect(readdirSync(place('pictures'))).toHaveLength(3);
    for (const name of readdirSync(place('pictures'))) {
      expect(
        readFileSync(place(`pictures/${name}`))
          .subarray(1, 4)
          .toString(),
      ).toBe('PNG');
    }
    expect(readFileSync(place('plot.svg'), 'utf8')).toContain('positives a level');
  });
});

describeWithData('real annotations', () => {
  it.each([
    ['retinanet', 1291],
    ['ssd300', 1291],
    ['atss', 1288],
  ])('pills for %s: %d of 1291 pills get priors', async (preset, matched) => {
    const path = dataPath('data/pills/train/_annotations.coco.json');
    const { code } = await boxops(path, '--config', preset, '--out', place(`pills-${preset}`));
    expect(code).toBe(0);
    const { counts } = JSON.parse(readFileSync(place(`pills-${preset}/index.json`), 'utf8'));
    expect(counts.objects - counts.unmatched).toBe(matched);
  });
});
