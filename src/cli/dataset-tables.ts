/** A dataset's numbers as tables for the terminal. */
import type { DatasetStats, Histogram } from '../datasets/index.ts';
import { table } from './table.ts';

/** A bar that starts at the left of its column, whose numbers stand to the right. */
const bar = (share: number): string => '█'.repeat(Math.round(24 * share)).padEnd(24);

/** The name of a bin from `low` to below `high`. */
export type BinName = (low: number, high: number) => string;

/** Bins of whole numbers: both ends are in them. */
export const wholeBin: BinName = (low, high) => (high - low === 1 ? String(low) : `${low} – ${high - 1}`);

/** Bins of measures, with so many decimals. */
export const measureBin =
  (decimals: number): BinName =>
  (low, high) =>
    `${low.toFixed(decimals)} – ${high.toFixed(decimals)}`;

function histogramTable(title: string, { edges, counts }: Histogram, name: BinName): string {
  const most = Math.max(1, ...counts);
  const rows = counts.map((count, i) => [name(edges[i]!, edges[i + 1]!), count, bar(count / most)]);
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  return table([title, 'count', ''], first < 0 ? [] : rows.slice(first, last + 1), 1);
}

/** Tables of everything in the statistics. */
export function statsTables(stats: DatasetStats): string {
  const head = table(
    ['images', 'empty', 'annotations', 'crowd', 'outlines', 'keypoints'],
    [
      [
        stats.images,
        stats.emptyImages,
        stats.annotations,
        stats.crowd,
        stats.withOutline,
        stats.withKeypoints,
      ],
    ],
    0,
  );
  const classes = table(
    ['class', 'objects', 'images', 'crowd', 'small', 'medium', 'large', 'median w', 'median h'],
    [...stats.categories]
      .sort((a, b) => b.objects - a.objects)
      .map((row) => [
        row.name,
        row.objects,
        row.images,
        row.crowd,
        row.small,
        row.medium,
        row.large,
        row.medianWidth.toFixed(1),
        row.medianHeight.toFixed(1),
      ]),
  );
  return [
    head,
    classes,
    histogramTable('objects an image', stats.objectsPerImage, wholeBin),
    histogramTable('box size √(w·h)', stats.boxSize, measureBin(0)),
    histogramTable('height / width', stats.aspectRatio, measureBin(2)),
  ].join('\n\n');
}
