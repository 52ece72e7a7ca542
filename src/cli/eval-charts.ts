/** The pictures of an evaluation as Vega-Lite specifications with their data in them. */
import type { TopLevelSpec } from 'vega-lite';
import {
  type CocoEvaluation,
  type ConfidenceCurves,
  type ConfusionMatrix,
  type ErrorBreakdown,
  errorTypes,
} from '../evaluation/index.ts';
import { meanPrecision } from './eval-report.ts';

/** Okabe and Ito's colours, which people with any colour vision tell apart. */
const palette = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#8c8c8c', '#000000'];
const [blue, orange, green] = palette as [string, string, string];
const quiet = '#c8ccd2';

/** More classes than this are drawn as quiet lines behind their mean. */
const namedClasses = 7;

const common = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  background: 'white',
  padding: 12,
  config: {
    font: 'DejaVu Sans, Verdana, Helvetica, Arial, sans-serif',
    title: { fontSize: 14, fontWeight: 'bold', anchor: 'start', offset: 10, subtitleColor: '#555' },
    axis: {
      labelFontSize: 11,
      labelLimit: 220,
      titleFontSize: 12,
      titleFontWeight: 'normal',
      gridColor: '#e8e8e8',
    },
    legend: {
      labelFontSize: 11,
      labelLimit: 260,
      titleFontSize: 11,
      titleFontWeight: 'normal',
      symbolStrokeWidth: 3,
      symbolOpacity: 1,
    },
    view: { stroke: null },
  },
} as const;

const share = { domain: [0, 1], nice: false } as const;
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
/** Four digits are more than a picture shows. */
const short = (value: number): number => Math.round(1e4 * value) / 1e4;

type Layer = object;
const layered = (
  title: { text: string; subtitle?: string },
  size: { width: number; height: number },
  layer: Layer[],
  more: object = {},
): TopLevelSpec => ({ ...common, title, ...size, layer, ...more }) as unknown as TopLevelSpec;

const lines = (
  values: object[],
  x: { field: string; title: string },
  y: { field: string; title: string },
  mark: object,
  encoding: object,
): Layer => ({
  data: { values },
  mark: { type: 'line', clip: true, ...mark },
  encoding: {
    x: { field: x.field, type: 'quantitative', title: x.title, scale: share },
    y: { field: y.field, type: 'quantitative', title: y.title, scale: share },
    ...encoding,
  },
});

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
  const shown = perClass.map((row, k) => ({ ...row, k })).filter(({ objects }) => objects > 0);
  const at = (k: number, r: number): number => precision.data[((t * R + r) * K + k) * A * M + M - 1]!;
  const label = (name: string, ap: number): string => `${name}  ${percent(ap)}`;
  const rows = shown.flatMap(({ k, name, ap50 }) =>
    recallThresholds.map((recall, r) => ({
      recall: short(recall),
      precision: short(at(k, r)),
      class: label(name, ap50),
    })),
  );
  const mean = recallThresholds.map((recall, r) => ({
    recall: short(recall),
    precision: short(shown.reduce((sum, { k }) => sum + at(k, r), 0) / Math.max(1, shown.length)),
    class: label(
      'mean of all classes',
      shown.reduce((sum, { ap50 }) => sum + ap50, 0) / Math.max(1, shown.length),
    ),
  }));
  return layered(
    { text: `Precision and recall by class, IoU ${iouThresholds[t]!.toFixed(2)}` },
    { width: 460, height: 340 },
    classLayers(
      rows,
      mean,
      { field: 'recall', title: 'recall' },
      { field: 'precision', title: 'precision' },
      shown.length,
    ),
  );
}

/** A coloured line a class where they are few, else quiet ones; the mean over all in bold. */
function classLayers(
  rows: readonly { readonly class: string }[],
  mean: readonly { readonly class: string }[],
  x: { field: string; title: string },
  y: { field: string; title: string },
  classes: number,
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
        { strokeWidth: 1, opacity: 0.7 },
        {
          detail: { field: 'class' },
          color: { datum: 'each class', scale, title: 'AP50' },
        },
      ),
      lines([...mean], x, y, { strokeWidth: 3 }, { color: { datum: meanName, scale } }),
    ];
  }
  const scale = {
    domain: [meanName, ...names],
    range: ['#000000', ...names.map((_, i) => palette[i % palette.length]!)],
  };
  const color = { field: 'class', type: 'nominal', title: 'AP50', scale };
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
        { strokeWidth: 1, opacity: 0.7 },
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

/** Shares of each true class; counts in the cells while they can be read. */
export function confusionChart(confusion: ConfusionMatrix): TopLevelSpec {
  const { matrix, names, rows, size } = confusion;
  const count = (predicted: number, actual: number): number =>
    rows === 'predicted' ? matrix[predicted * size + actual]! : matrix[actual * size + predicted]!;
  const cells: object[] = [];
  for (let actual = 0; actual < size; actual++) {
    let total = 0;
    for (let predicted = 0; predicted < size; predicted++) total += count(predicted, actual);
    for (let predicted = 0; predicted < size; predicted++) {
      const value = count(predicted, actual);
      cells.push({
        actual: names[actual],
        predicted: names[predicted],
        count: value,
        share: total === 0 ? 0 : short(value / total),
      });
    }
  }
  const cell = size <= 12 ? 52 : size <= 24 ? 30 : 11;
  const encoding = {
    x: {
      field: 'actual',
      type: 'nominal',
      sort: [...names],
      title: 'true class',
      axis: { labelAngle: cell < 20 ? -90 : -45, orient: 'bottom' },
    },
    y: { field: 'predicted', type: 'nominal', sort: [...names], title: 'predicted class' },
  };
  const axis = { labelFontSize: cell < 20 ? 8 : 11, grid: false, ticks: false, domain: false };
  return {
    ...common,
    config: { ...common.config, axis: { ...common.config.axis, ...axis } },
    title: {
      text: 'Confusion matrix',
      subtitle: `colour: share of the true class${cell < 20 ? '' : '; numbers: detections'}`,
    },
    width: cell * size,
    height: cell * size,
    data: { values: cells },
    encoding,
    layer: [
      {
        mark: { type: 'rect', stroke: '#e4e7eb', strokeWidth: cell < 20 ? 0.5 : 1 },
        encoding: {
          color: {
            field: 'share',
            type: 'quantitative',
            scale: { domain: [0, 0.5, 1], range: ['#ffffff', '#6aaed6', '#08306b'], interpolate: 'rgb' },
            legend: { title: 'share', format: '.0%' },
          },
        },
      },
      ...(cell < 20
        ? []
        : [
            {
              transform: [{ filter: 'datum.count > 0' }],
              mark: { type: 'text', fontSize: cell < 40 ? 9 : 12 },
              encoding: {
                text: { field: 'count', type: 'quantitative', format: cell < 40 ? '~s' : 'd' },
                color: { condition: { test: 'datum.share > 0.55', value: 'white' }, value: '#222' },
              },
            },
          ]),
    ],
  } as unknown as TopLevelSpec;
}

/** AP that repairing each kind of error would gain. */
export function errorChart(errors: ErrorBreakdown): TopLevelSpec {
  const names: Record<string, string> = {
    classification: 'class',
    localization: 'localisation',
    both: 'class and localisation',
    duplicate: 'duplicate',
    background: 'background',
    missed: 'missed',
  };
  const main = 'one kind of error';
  const special = 'all of a side';
  const rows = [
    ...errorTypes.map((type) => ({
      error: names[type],
      group: main,
      gain: 100 * errors.deltaAp[type],
      note: `${(100 * errors.deltaAp[type]).toFixed(1)}   (${errors.counts[type].toLocaleString('en')})`,
    })),
    {
      error: 'false positives',
      group: special,
      gain: 100 * errors.falsePositives,
      note: (100 * errors.falsePositives).toFixed(1),
    },
    {
      error: 'false negatives',
      group: special,
      gain: 100 * errors.falseNegatives,
      note: (100 * errors.falseNegatives).toFixed(1),
    },
  ];
  const most = Math.max(1, ...rows.map(({ gain }) => gain));
  const encoding = {
    y: { field: 'error', type: 'nominal', sort: rows.map(({ error }) => error), title: null },
    x: {
      field: 'gain',
      type: 'quantitative',
      title: 'AP points gained by repairing it (in brackets: how many)',
      scale: { domain: [0, most * 1.3] },
    },
  };
  return layered(
    {
      text: 'Where average precision is lost',
      subtitle: `AP50 ${percent(errors.ap)}, a class with detections but no objects counted as 0`,
    },
    { width: 420, height: 260 },
    [
      {
        mark: { type: 'bar', height: { band: 0.7 } },
        encoding: {
          ...encoding,
          color: {
            field: 'group',
            type: 'nominal',
            title: 'repairing',
            scale: { domain: [main, special], range: [blue, orange] },
          },
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 5, fontSize: 11, color: '#333' },
        encoding: { ...encoding, text: { field: 'note' } },
      },
    ],
    { data: { values: rows } },
  );
}
