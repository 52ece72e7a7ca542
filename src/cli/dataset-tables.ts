/** A dataset's numbers as tables for the terminal. */
import type { DatasetStats, Histogram } from '../datasets/index.ts';
import { table } from './table.ts';

const bar = (share: number): string => '█'.repeat(Math.round(24 * share));

function histogramTable(
  title: string,
  { edges, counts }: Histogram,
  format: (edge: number) => string,
): string {
  const most = Math.max(1, ...counts);
  const rows = counts.map((count, i) => [
    `${format(edges[i]!)} – ${format(edges[i + 1]!)}`,
    count,
    bar(count / most),
  ]);
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
  const whole = (edge: number): string => String(Math.round(edge));
  return [
    head,
    classes,
    histogramTable('objects an image', stats.objectsPerImage, whole),
    histogramTable('box size √(w·h)', stats.boxSize, whole),
    histogramTable('height / width', stats.aspectRatio, (edge) => edge.toFixed(2)),
  ].join('\n\n');
}
