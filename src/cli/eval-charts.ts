/** Confusion matrix and error breakdown as Vega-Lite specifications with their data in them. */
import type { TopLevelSpec } from 'vega-lite';
import { type ConfusionMatrix, type ErrorBreakdown, errorTypes } from '../evaluation/index.ts';
import { blue, common, layered, orange, percent, short } from './eval-chart-style.ts';

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
  const cell = size <= 8 ? 52 : size <= 16 ? 36 : size <= 24 ? 28 : 11;
  const labelAngle = names.every((name) => name.length * 7 < cell) ? 0 : cell < 20 ? -90 : -45;
  const axis = { labelFontSize: cell < 20 ? 8 : 11, grid: false, ticks: false, domain: false };
  const encoding = {
    x: {
      field: 'actual',
      type: 'nominal',
      sort: [...names],
      title: 'true class',
      axis: { ...axis, labelAngle },
    },
    y: { field: 'predicted', type: 'nominal', sort: [...names], title: 'predicted class', axis },
  };
  return {
    ...common,
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
              mark: { type: 'text', fontSize: cell < 30 ? 8 : cell < 40 ? 10 : 12 },
              encoding: {
                text: { field: 'count', type: 'quantitative', format: cell < 30 ? '.2~s' : 'd' },
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
