/** Precision-recall and threshold curves as Vega-Lite specifications with their data in them. */
import type { TopLevelSpec } from 'vega-lite';
import type { CocoEvaluation, ConfidenceCurves, VocClassResult } from '../evaluation/index.ts';
import {
  blue,
  green,
  type Layer,
  layered,
  lines,
  orange,
  palette,
  percent,
  quiet,
  short,
} from './eval-chart-style.ts';
import { meanPrecision } from './eval-report.ts';

/** More classes than this are drawn as quiet lines behind their mean. */
const namedClasses = 7;

/** Precision at each recall, a line an IoU threshold: means over the classes that have objects. */
export function precisionRecallChart(evaluation: CocoEvaluation): TopLevelSpec {
  const { iouThresholds, precision, recallThresholds, stats } = evaluation;
  const rows = iouThresholds.flatMap((iou, t) =>
    recallThresholds.map((recall, r) => ({
      recall: short(recall),
      precision: short(Math.max(0, meanPrecision(precision, t, r))),
      iou: iou.toFixed(2),
    })),
  );
  return layered(
    {
      text: 'Precision and recall by IoU threshold',
      subtitle: `mean over classes; AP ${percent(stats[0]!)}, AP50 ${percent(stats[1]!)}`,
    },
    { width: 460, height: 340 },
    [
      lines(
        rows,
        { field: 'recall', title: 'recall' },
        { field: 'precision', title: 'precision' },
        { strokeWidth: 2 },
        {
          color: {
            field: 'iou',
            type: 'ordinal',
            title: 'IoU',
            scale: { scheme: 'viridis', reverse: true },
          },
        },
      ),
    ],
  );
}

/** Precision at each recall at IoU 0.5, a line a class. */
export function classCurvesChart(evaluation: CocoEvaluation): TopLevelSpec {
  const { iouThresholds, perClass, precision, recallThresholds } = evaluation;
  const t = Math.max(
    0,
    iouThresholds.findIndex((iou) => Math.abs(iou - 0.5) < 1e-9),
  );
  const [, R, K, A, M] = precision.dims as [number, number, number, number, number];
  const at = (k: number, r: number): number => precision.data[((t * R + r) * K + k) * A * M + M - 1]!;
  const shown = perClass
    .map(({ name, ap50, objects }, k) => ({ name, ap: ap50, objects, at: (r: number) => at(k, r) }))
    .filter(({ objects }) => objects > 0);
  const title = `Precision and recall by class, IoU ${iouThresholds[t]!.toFixed(2)}`;
  return curvesByClass(title, 'AP50', recallThresholds, shown);
}

/** The same of Pascal VOC: the best precision at or beyond each recall, IoU 0.5. */
export function vocCurvesChart(perClass: readonly VocClassResult[]): TopLevelSpec {
  const recalls = Array.from({ length: 101 }, (_, r) => r / 100);
  const shown = perClass
    .filter(({ objects }) => objects > 0)
    .map(({ name, ap, recall, precision }) => {
      const best = recalls.map((wanted) =>
        precision.reduce((most, value, i) => (recall[i]! >= wanted && value > most ? value : most), 0),
      );
      return { name, ap, at: (r: number) => best[r]! };
    });
  return curvesByClass('Precision and recall by class, IoU above 0.50', 'AP', recalls, shown);
}

interface ClassCurve {
  readonly name: string;
  readonly ap: number;
  /** Precision at the recall of this index. */
  readonly at: (r: number) => number;
}

function curvesByClass(
  title: string,
  measure: string,
  recalls: readonly number[],
  shown: readonly ClassCurve[],
): TopLevelSpec {
  const label = (name: string, ap: number): string => `${name}  ${percent(ap)}`;
  const meanOf = (value: (of: ClassCurve) => number): number =>
    shown.reduce((sum, of) => sum + value(of), 0) / Math.max(1, shown.length);
  const rows = shown.flatMap(({ name, ap, at }) =>
    recalls.map((recall, r) => ({
      recall: short(recall),
      precision: short(at(r)),
      class: label(name, ap),
    })),
  );
  const name = label(
    'mean of all classes',
    meanOf(({ ap }) => ap),
  );
  const mean = recalls.map((recall, r) => ({
    recall: short(recall),
    precision: short(meanOf(({ at }) => at(r))),
    class: name,
  }));
  return layered(
    { text: title },
    { width: 460, height: 340 },
    classLayers(
      rows,
      mean,
      { field: 'recall', title: 'recall' },
      { field: 'precision', title: 'precision' },
      { classes: shown.length, measure },
    ),
  );
}

/** A coloured line a class where they are few, else quiet ones; the mean over all in bold. */
function classLayers(
  rows: readonly { readonly class: string }[],
  mean: readonly { readonly class: string }[],
  x: { field: string; title: string },
  y: { field: string; title: string },
  { classes, measure }: { readonly classes: number; readonly measure: string },
): Layer[] {
  const names = [...new Set(rows.map((row) => row.class))];
  const meanName = mean[0]?.class ?? 'mean of all classes';
  if (classes > namedClasses) {
    const scale = { domain: [meanName, 'each class'], range: [blue, quiet] };
    return [
      lines(
        [...rows],
        x,
        y,
        { strokeWidth: 1, opacity: 0.9 },
        {
          detail: { field: 'class' },
          color: { datum: 'each class', scale, title: measure },
        },
      ),
      lines([...mean], x, y, { strokeWidth: 3 }, { color: { datum: meanName, scale } }),
    ];
  }
  const scale = {
    domain: [meanName, ...names],
    range: ['#000000', ...names.map((_, i) => palette[i % palette.length]!)],
  };
  const color = { field: 'class', type: 'nominal', title: measure, scale };
  return [
    lines([...rows], x, y, { strokeWidth: 2 }, { color }),
    lines([...mean], x, y, { strokeWidth: 3 }, { color }),
  ];
}

/** Precision, recall and F1 over the score threshold, with the threshold to use. */
export function thresholdChart({ mean, operatingPoint, perClass, scores }: ConfidenceCurves): TopLevelSpec {
  // every fifth of a thousand points is as fine as the picture
  const step = Math.max(1, Math.round(scores.length / 200));
  const picked = scores.map((_, i) => i).filter((i) => i % step === 0 || i === scores.length - 1);
  const rows = (['precision', 'recall', 'f1'] as const).flatMap((measure) =>
    picked.map((i) => ({
      score: short(scores[i]!),
      value: short(mean[measure][i]!),
      measure: measure === 'f1' ? 'F1' : measure,
    })),
  );
  const each = perClass.flatMap(({ name, f1 }) =>
    picked.map((i) => ({ score: short(scores[i]!), value: short(f1[i]!), class: name })),
  );
  const { score, f1, precision, recall } = operatingPoint;
  const x = { field: 'score', title: 'score threshold' };
  const y = { field: 'value', title: 'mean over classes' };
  const scale = {
    domain: ['F1', 'precision', 'recall', 'F1 of each class'],
    range: [blue, orange, green, quiet],
  };
  return layered(
    {
      text: `Best mean F1 ${f1.toFixed(3)} at score ${score.toFixed(3)}`,
      subtitle: `precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)} there; IoU 0.50`,
    },
    { width: 460, height: 340 },
    [
      lines(
        each,
        x,
        y,
        { strokeWidth: 1, opacity: 0.9 },
        {
          detail: { field: 'class' },
          color: { datum: 'F1 of each class', scale, title: null },
        },
      ),
      lines(
        rows,
        x,
        y,
        { strokeWidth: 2.5 },
        { color: { field: 'measure', type: 'nominal', scale, title: null } },
      ),
      {
        data: { values: [{ score }] },
        mark: { type: 'rule', strokeDash: [5, 4], color: '#333', strokeWidth: 1.5 },
        encoding: { x: { field: 'score', type: 'quantitative' } },
      },
      {
        data: { values: [{ score, f1 }] },
        mark: { type: 'point', filled: true, size: 70, color: blue, opacity: 1 },
        encoding: {
          x: { field: 'score', type: 'quantitative' },
          y: { field: 'f1', type: 'quantitative' },
        },
      },
    ],
  );
}
