/** `boxops eval` as a person uses it: every protocol, the tables, the JSON, the pictures, readable errors. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/program.ts';
import { errorBreakdown, evaluateCoco, evaluateLvis, evaluateVoc } from '../../src/evaluation/index.ts';
import { detectionSet } from '../golden/evaluation/detection-sets.ts';

const folder = mkdtempSync(join(tmpdir(), 'boxops-eval-'));
afterAll(() => rmSync(folder, { recursive: true }));
const place = (name: string) => join(folder, name);
const json = (name: string) => JSON.parse(readFileSync(place(name), 'utf8'));

const { dataset, results } = detectionSet(3, false);
writeFileSync(place('gt.json'), JSON.stringify(dataset));
writeFileSync(place('dt.json'), JSON.stringify(results));

async function evaluate(...parameters: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const files = ['--ground-truth', place('gt.json'), '--detections', place('dt.json')];
  const code = await run(['eval', ...files, ...parameters], {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    interactive: false,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('boxops eval', () => {
  it('prints and writes the numbers of each protocol', async () => {
    const expected = {
      coco: evaluateCoco(dataset, results).stats,
      lvis: evaluateLvis(dataset, results, { type: 'bbox' }).stats,
      voc: [evaluateVoc(dataset, results).map],
      voc07: [evaluateVoc(dataset, results, { method: '11-point' }).map],
    };
    for (const [protocol, stats] of Object.entries(expected)) {
      const { code, out } = await evaluate(
        '--protocol',
        protocol,
        '--per-class',
        '--json',
        place(`${protocol}.json`),
      );
      expect(code).toBe(0);
      expect(out).toContain(stats[0]!.toFixed(3));
      for (const { name } of dataset.categories) expect(out).toContain(name);
      expect(json(`${protocol}.json`)).toMatchObject({ protocol, type: 'bbox', stats });
    }
  });
  it('says what costs average precision', async () => {
    const { out } = await evaluate('--errors', '--json', place('errors.json'));
    const { counts } = errorBreakdown(dataset, results);
    for (const [type, count] of Object.entries(counts)) {
      expect(out).toMatch(new RegExp(`${type} +${count} `));
    }
    for (const word of ['F1', 'oLRP']) expect(out).toContain(word);
    const { confidence, confusion, errors, lrp } = json('errors.json');
    expect(errors.counts).toEqual(counts);
    expect(confusion.matrix).toHaveLength(dataset.categories.length + 1);
    expect(confidence.f1).toHaveLength(1000);
    expect(lrp.olrp).toBeGreaterThan(0);
  });
  it('draws every picture as SVG, PNG and Vega-Lite', async () => {
    const { code, err } = await evaluate('--plots', place('plots'));
    expect(code).toBe(0);
    const names = [
      'overview',
      'precision-recall',
      'precision-recall-classes',
      'thresholds',
      'confusion',
      'errors',
    ];
    expect(readdirSync(place('plots')).sort()).toEqual(
      names.flatMap((name) => [`${name}.json`, `${name}.png`, `${name}.svg`]).sort(),
    );
    for (const name of names) {
      expect(err).toContain(`${name}.svg`);
      const svg = readFileSync(place(`plots/${name}.svg`), 'utf8');
      expect(svg).toMatch(/^<svg/);
      expect(svg).not.toContain('NaN');
      expect(json(`plots/${name}.json`).$schema).toContain('vega-lite');
      // something is drawn: the picture has more than a background
      const image = await loadImage(readFileSync(place(`plots/${name}.png`)));
      const context = createCanvas(image.width, image.height).getContext('2d');
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, image.width, image.height);
      let ink = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i]! + data[i + 1]! + data[i + 2]! < 700) ink++;
      expect(ink / (data.length / 4), name).toBeGreaterThan(0.01);
      expect(image.width).toBeGreaterThan(600);
    }
    const confusion = readFileSync(place('plots/confusion.svg'), 'utf8');
    for (const { name } of dataset.categories) expect(confusion).toContain(name);
  });
  it('draws the curves of Pascal VOC, and counts as whole numbers', async () => {
    const { code, out } = await evaluate('--protocol', 'voc', '--per-class', '--plots', place('voc-plots'));
    expect(code).toBe(0);
    const { perClass } = evaluateVoc(dataset, results);
    for (const { name, objects, truePositives, falsePositives } of perClass) {
      expect(out).toMatch(new RegExp(`${name} +${objects} +[\\d.–]+ +${truePositives} +${falsePositives} `));
    }
    const svg = readFileSync(place('voc-plots/precision-recall-classes.svg'), 'utf8');
    expect(svg).toContain('mean of all classes');
    // legends are as wide as their texts: no name is cut
    expect(svg).not.toContain('…');
  });
  it('checks the images where their folder is named, and says once that it is not there', async () => {
    mkdirSync(place('photos'));
    const named = {
      ...dataset,
      images: dataset.images.map((image) => ({ ...image, file_name: `${image.id}.png` })),
    };
    writeFileSync(place('named.json'), JSON.stringify(named));
    const missing = await evaluate('--ground-truth', place('named.json'), '--images', place('photos'));
    expect(missing.code).toBe(1);
    expect(missing.err).toContain('the image is not there [missing-image-file]');
    const { code, err } = await evaluate('--images', place('nowhere'));
    expect(code).toBe(2);
    expect(err).toBe(`boxops: there is no folder of images ${place('nowhere')} [OPTION]`);
  });
  it('evaluates masks too', async () => {
    const { code, out } = await evaluate('--type', 'segm', '--errors');
    expect(code).toBe(0);
    expect(out).toContain(evaluateCoco(dataset, results, { type: 'segm' }).stats[0]!.toFixed(3));
  });
  it('reads YOLO and Pascal VOC ground truth, and results that name their images', async () => {
    // whole pixels, which both formats keep; no crowds, which they do not know
    const whole = {
      ...dataset,
      images: dataset.images.map((image) => ({ ...image, file_name: `photo-${100 + image.id}.jpg` })),
      annotations: dataset.annotations
        .filter((row) => !row.iscrowd)
        .map(({ segmentation, ...row }) => {
          const [x, y, w, h] = row.bbox.map(Math.floor) as [number, number, number, number];
          const bbox = [x, y, Math.min(w, 399 - x), Math.min(h, 299 - y)];
          return { ...row, bbox, area: bbox[2]! * bbox[3]!, difficult: 0 };
        }),
    };
    writeFileSync(place('whole.json'), JSON.stringify(whole));
    // YOLO numbers classes from 0, VOC sorts them by name
    const names = whole.categories.map(({ name }) => name);
    const numbered = (order: readonly (string | undefined)[], from: number) =>
      results.map(({ segmentation, ...row }) => ({
        ...row,
        image_id: `photo-${100 + row.image_id}`,
        category_id: from + order.indexOf(whole.categories.find(({ id }) => id === row.category_id)!.name),
      }));
    const silent = { out: () => {}, err: () => {}, interactive: false };
    const expected = evaluateCoco(whole, results);
    for (const [to, path] of [
      ['yolo', 'yolo/data.yaml'],
      ['voc', 'voc'],
    ] as const) {
      const made = await run(
        ['dataset', 'convert', place('whole.json'), '--to', to, '--out', place(to)],
        silent,
      );
      expect(made).toBe(0);
      writeFileSync(place('none.json'), '[]');
      await run(
        [
          'eval',
          '--ground-truth',
          place(path),
          '--detections',
          place('none.json'),
          '--json',
          place('x.json'),
        ],
        silent,
      );
      const { perClass } = json('x.json') as { perClass: { name: string; categoryId: number }[] };
      const order = perClass.map(({ name }) => name);
      expect([...order].sort()).toEqual([...names].filter((name) => order.includes(name!)).sort());
      const from = perClass[0]!.categoryId;
      writeFileSync(place('named.json'), JSON.stringify(numbered(order, from)));
      const files = ['--ground-truth', place(path), '--detections', place('named.json')];
      expect(await run(['eval', ...files, '--json', place(`${to}.json`)], silent)).toBe(0);
      for (const row of json(`${to}.json`).perClass as { name: string; ap: number }[]) {
        const wanted = expected.perClass.find(({ name }) => name === row.name)!;
        expect(row.ap, `${to} ${row.name}`).toBeCloseTo(wanted.ap, 6);
      }
    }
  });
  it('takes ids that are texts, and the digits of ids', async () => {
    const text = (id: number) => `image ${id}`;
    const named = {
      ...dataset,
      images: dataset.images.map((image) => ({ ...image, id: text(image.id) })),
      annotations: dataset.annotations.map((row) => ({ ...row, image_id: text(row.image_id) })),
    };
    writeFileSync(place('text.json'), JSON.stringify(named));
    const silent = { out: () => {}, err: () => {}, interactive: false };
    const expected = evaluateCoco(dataset, results).stats;
    for (const [gt, id] of [
      ['text.json', text],
      ['gt.json', String],
    ] as const) {
      const rows = results.map((row) => ({ ...row, image_id: id(row.image_id) }));
      writeFileSync(place('rows.json'), JSON.stringify(rows));
      const files = ['--ground-truth', place(gt), '--detections', place('rows.json')];
      expect(await run(['eval', ...files, '--json', place('numbers.json')], silent)).toBe(0);
      expect(json('numbers.json').stats).toEqual(expected);
    }
  });
  it('names an image that is not there', async () => {
    writeFileSync(place('astray.json'), JSON.stringify([{ ...results[0], image_id: 'elsewhere' }]));
    const err: string[] = [];
    const files = ['--ground-truth', place('gt.json'), '--detections', place('astray.json')];
    const terminal = { out: () => {}, err: (text: string) => err.push(text), interactive: false };
    expect(await run(['eval', ...files], terminal)).toBe(1);
    expect(err.join()).toContain("'elsewhere'");
  });
  it('refuses what a protocol has not, by name', async () => {
    const { code, err } = await evaluate('--protocol', 'voc', '--type', 'segm');
    expect(code).toBe(2);
    expect(err).toContain('voc');
    expect((await evaluate('--protocol', 'imagenet')).code).toBe(2);
  });
});
