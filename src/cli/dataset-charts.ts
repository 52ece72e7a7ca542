/** A dataset's numbers as bar charts: one picture, SVG or PNG. */
import { extname } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import type { DatasetStats, Histogram } from '../datasets/index.ts';
import { writeFileWhole } from '../datasets/node/index.ts';
import { OptionError } from '../errors.ts';
import { type BinName, measureBin, wholeBin } from './dataset-tables.ts';
import { blue, common } from './eval-chart-style.ts';
import { specToSvg, svgToPng } from './eval-draw.ts';

/** One chart: a bar a label. */
export interface BarChart {
  readonly title: string;
  /** What is counted. */
  readonly counted: string;
  readonly labels: readonly string[];
  readonly values: readonly number[];
}

const width = 380;
const height = 190;
/** More classes than this do not fit side by side; the rest are summed up. */
const mostClasses = 24;

/** The charts two a row. */
function chartsSpec(charts: readonly BarChart[]): TopLevelSpec {
  const concat = charts.map(({ title, counted, labels, values }) => ({
    title,
    width,
    height,
    data: { values: values.map((count, i) => ({ label: labels[i]!, count, order: i })) },
    mark: { type: 'bar', color: blue, tooltip: true },
    encoding: {
      x: {
        field: 'label',
        type: 'ordinal',
        sort: { field: 'order' },
        title: null,
        axis: { labelAngle: -40, labelLimit: 90 },
      },
      y: { field: 'count', type: 'quantitative', title: counted },
    },
  }));
  return { ...common, columns: 2, concat } as unknown as TopLevelSpec;
}

/** A histogram as a chart; empty bins at both ends are left out. */
function histogramChart(
  title: string,
  counted: string,
  { edges, counts }: Histogram,
  name: BinName,
): BarChart {
  const first = Math.max(
    0,
    counts.findIndex((count) => count > 0),
  );
  const end = counts.findLastIndex((count) => count > 0) + 1;
  return {
    title,
    counted,
    labels: counts
      .slice(first, end)
      .map((_, i) => name(edges[first + i]!, edges[first + i + 1]!).replaceAll(' ', '')),
    values: counts.slice(first, end),
  };
}

/** Charts of everything in the statistics. */
export function datasetCharts(stats: DatasetStats): BarChart[] {
  const sorted = [...stats.categories].sort((a, b) => b.objects - a.objects);
  const shown = sorted.slice(0, mostClasses);
  const rest = sorted.slice(mostClasses).reduce((sum, { objects }) => sum + objects, 0);
  const others = sorted.length > mostClasses ? [`${sorted.length - mostClasses} others`] : [];
  return [
    {
      title: 'objects a class',
      counted: 'objects',
      labels: [...shown.map(({ name }) => name), ...others],
      values: [...shown.map(({ objects }) => objects), ...others.map(() => rest)],
    },
    histogramChart('objects an image', 'images', stats.objectsPerImage, wholeBin),
    histogramChart('box size √(w·h), pixels', 'objects', stats.boxSize, measureBin(0)),
    histogramChart('height / width of the boxes', 'objects', stats.aspectRatio, measureBin(2)),
    histogramChart('box size √(share of the image)', 'objects', stats.relativeSize, measureBin(1)),
  ];
}

/** Writes charts as `.svg` or `.png`. */
export async function saveCharts(path: string, charts: readonly BarChart[]): Promise<void> {
  const extension = extname(path).toLowerCase();
  if (extension !== '.svg' && extension !== '.png') {
    throw new OptionError(`expected a .svg or .png file, got ${path}`, { path });
  }
  const svg = await specToSvg(chartsSpec(charts));
  writeFileWhole(path, [extension === '.svg' ? `${svg}\n` : await svgToPng(svg)]);
}
