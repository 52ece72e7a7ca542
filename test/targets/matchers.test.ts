/** Matchers and priors of a configuration are those of the SDK on the same image, objects and predictions. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  efficientDetAnchors,
  mmdetectionAnchors,
  mmdetectionSsdAnchors,
  pointPriors,
  retinaFacePriors,
  ultraFacePriors,
  yoloAnchors,
} from '../../src/anchors/index.ts';
import { pairwiseIou } from '../../src/iou/index.ts';
import {
  type Assignment,
  bestAnchorMatcher,
  dynamicSoftLabelMatcher,
  paaMatcher,
  topkHungarianMatcher,
  uniformMatcher,
} from '../../src/matching/index.ts';
import { readSafetensors, targetConfig, writeSafetensors } from '../../src/targets/index.ts';
import { writeTargets } from '../../src/targets/node/index.ts';
import { PriorSource } from '../../src/targets/priors.ts';
import { uniform } from '../golden/seeded.ts';
import { makeDataset, values } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'boxops-matchers-'));
afterAll(() => rmSync(folder, { recursive: true }));

const image = { width: 160, height: 160 };
const input = { fit: 'stretch', ...image };
const dataset = makeDataset(3, 4);
const classes = 5;
const anchors = mmdetectionAnchors({ image, strides: [16, 32], ratios: [1], scales: [2, 4] });
const points = pointPriors({ image, strides: [8, 16], offset: 0 });
const yolo = yoloAnchors({ image });

const ssdOptions = { inputSize: 300, strides: [8, 16, 32], ratios: [[2], [2, 3], [2]] };

const predictionsOf = (index: number, count: number) => {
  const random = uniform(700 + index, 4 * count, 0, 1);
  const boxes = Float32Array.from(random, (_, k) => {
    const low = 120 * random[(k & ~3) + (k & 1)]!;
    return k % 4 < 2 ? low : low + 5 + 60 * random[k]!;
  });
  const scores = Float32Array.from(uniform(800 + index, classes * count, -4, 2));
  return { boxes, scores };
};

/** Pairs anchor: object of an image, positives alone. */
const positives = ({ gtIndices }: Pick<Assignment, 'gtIndices'>): string[] =>
  [...gtIndices.entries()].filter(([, gt]) => gt >= 0).map(([anchor, gt]) => `${anchor}: ${gt}`);

/** What the command writes with this matcher, and what `direct` finds. */
async function compare(
  name: string,
  priors: object,
  count: number,
  matcher: object,
  direct: (boxes: Float32Array<ArrayBuffer>, labels: Int32Array<ArrayBuffer>, index: number) => Assignment,
  needs = true,
): Promise<void> {
  const predictions = join(folder, `${name}-predictions`);
  mkdirSync(join(predictions, 'set'), { recursive: true });
  for (let i = 0; i < dataset.images.count; i++) {
    const { boxes, scores } = predictionsOf(i, count);
    const bytes = writeSafetensors({
      boxes: { shape: [count, 4], data: boxes },
      scores: { shape: [count, classes], data: scores },
    });
    writeFileSync(join(predictions, 'set', `${i}.safetensors`), bytes);
  }
  const config = { input, priors, matcher, coder: { kind: 'none' }, regions: { mode: 'drop' } };
  const out = join(folder, name);
  if (needs) {
    await expect(writeTargets({ dataset, config, out, workers: 1 })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
  }
  await writeTargets({ dataset, config, out, workers: 1, ...(needs ? { predictions } : {}) });
  const { tensors } = readSafetensors(readFileSync(join(out, 'shard-00000.safetensors')));
  const rows = values<Int32Array>(tensors, 'row_offsets');
  const objects = values<Int32Array>(tensors, 'gt_offsets');
  let found = 0;
  for (let i = 0; i < dataset.images.count; i++) {
    const boxes = values<Float32Array<ArrayBuffer>>(tensors, 'gt_boxes').slice(
      4 * objects[i]!,
      4 * objects[i + 1]!,
    );
    const labels = values<Int32Array<ArrayBuffer>>(tensors, 'gt_labels').slice(objects[i]!, objects[i + 1]!);
    const written: string[] = [];
    for (let row = rows[i]!; row < rows[i + 1]!; row++) {
      const gt = values<Int32Array>(tensors, 'gt_indices')[row]!;
      if (gt >= 0) written.push(`${values<Int32Array>(tensors, 'anchors')[row]}: ${gt}`);
    }
    const expected = positives(direct(boxes, labels, i));
    expect(written).toEqual(expected);
    found += expected.length;
  }
  expect(found).toBeGreaterThan(5);
}

describe('a configuration with', () => {
  const pyramid = { kind: 'mmdetection', strides: [16, 32], ratios: [1], scales: [2, 4] };
  const count = anchors.boxes.length / 4;
  const pointCount = points.boxes.length / 4;

  it('dynamic-soft-label (RTMDet)', () =>
    compare(
      'soft',
      { kind: 'points', strides: [8, 16], offset: 0 },
      pointCount,
      { kind: 'dynamic-soft-label', topk: 9 },
      (boxes, groundTruthClasses, i) =>
        dynamicSoftLabelMatcher(points, boxes, {
          groundTruthClasses,
          predictions: predictionsOf(i, pointCount),
          topk: 9,
        }),
    ));

  it('uniform (YOLOF)', () =>
    compare('uniform', pyramid, count, { kind: 'uniform', matchTimes: 3 }, (boxes, _, i) =>
      uniformMatcher(anchors, boxes, { matchTimes: 3, predictions: predictionsOf(i, count) }),
    ));

  it('best-anchor (YOLOv3), with predictions only where their threshold is given', async () => {
    const all = yolo.boxes.length / 4;
    const kind = 'best-anchor';
    await compare(
      'best',
      { kind: 'yolo' },
      all,
      { kind, shapeThreshold: 0.3 },
      (boxes) => bestAnchorMatcher(yolo, boxes, { shapeThreshold: 0.3 }),
      false,
    );
    await compare(
      'best-predicted',
      { kind: 'yolo' },
      all,
      { kind, predictionThreshold: 0.5 },
      (boxes, _, i) =>
        bestAnchorMatcher(yolo, boxes, { predictionThreshold: 0.5, predictions: predictionsOf(i, all) }),
    );
  });

  it('paa, by the losses of PAAHead: focal over all classes + 1.3·(1 − GIoU)', () =>
    compare('paa', pyramid, count, { kind: 'paa', topk: 5 }, (boxes, labels, i) => {
      const predictions = predictionsOf(i, count);
      return paaMatcher(anchors, boxes, {
        topk: 5,
        losses: ({ gtIndices }) =>
          Float64Array.from(gtIndices, (gt, j) => {
            if (gt < 0) return 0;
            let focal = 0;
            for (let c = 0; c < classes; c++) {
              const p = 1 / (1 + Math.exp(-predictions.scores[j * classes + c]!));
              focal -= c === labels[gt] ? 0.25 * (1 - p) ** 2 * Math.log(p) : 0.75 * p ** 2 * Math.log(1 - p);
            }
            const [giou] = pairwiseIou(
              predictions.boxes.slice(4 * j, 4 * j + 4),
              boxes.slice(4 * gt, 4 * gt + 4),
              { metric: 'giou' },
            );
            return focal + 1.3 * (1 - giou!);
          }),
      });
    }));

  it('hungarian that gives an object k queries', () =>
    compare('hungarian', { kind: 'queries' }, 40, { kind: 'hungarian', k: 3 }, (boxes, labels, i) => {
      const { boxes: queries, scores } = predictionsOf(i, 40);
      return topkHungarianMatcher(queries, boxes, {
        k: 3,
        logits: scores,
        groundTruthClasses: labels,
        image,
      });
    }));
});

describe('the configurations of docs/targets.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/targets.md'), 'utf8');
  const [block] = [...page.matchAll(/```yaml\n(# [\s\S]*?)```/g)].map(([, text]) => text!);
  const parts = block!.split(/^# /m).slice(1);

  it.each(parts.map((text) => [text.slice(0, text.indexOf('\n')), text]))('%s', (title, text) => {
    const given = parse(text.slice(title.length)) as Record<string, unknown>;
    const { preset: _, ...own } = given;
    expect(targetConfig({ input, coder: { kind: 'none' }, ...given })).toMatchObject(own);
  });
});

describe('priors of a configuration', () => {
  it.each([
    ['retinaface', {}, () => retinaFacePriors({ image })],
    ['ultraface', {}, () => ultraFacePriors({ image })],
    ['efficientdet', { scalesPerOctave: 2 }, () => efficientDetAnchors({ image, scalesPerOctave: 2 })],
    ['mmdetection-ssd', ssdOptions, () => mmdetectionSsdAnchors({ image, ...ssdOptions })],
  ] as const)('%s are those of the generator', (kind, options, expected) => {
    const config = targetConfig({ preset: 'retinanet', priors: { kind, ...options } });
    expect(new PriorSource(config.priors).of(image)).toEqual(expected());
  });
});
