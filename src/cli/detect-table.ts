/** The table of `boxops detect`: a row a detection, with the columns a model gives besides boxes. */
import { basename } from 'node:path';
import type { Detections } from '../boxes/detections.ts';
import { rleArea } from '../masks/index.ts';
import { table } from './table.ts';

export interface ImageResult {
  readonly path: string;
  readonly detections: Detections;
}

/** Columns only some models give: the angle of the box, keypoints above score 0.5, the area of the mask. */
const extras: readonly {
  readonly title: string;
  readonly present: (detections: Detections) => boolean;
  readonly cell: (detections: Detections, index: number) => string;
}[] = [
  {
    title: 'angle °',
    present: ({ angles }) => angles !== undefined,
    cell: ({ angles }, i) => ((angles![i]! * 180) / Math.PI).toFixed(1),
  },
  {
    title: 'keypoints',
    present: ({ keypoints }) => keypoints !== undefined,
    cell: ({ keypoints, keypointCount }, i) => {
      const scores = keypoints!.subarray(3 * keypointCount * i, 3 * keypointCount * (i + 1));
      return `${scores.filter((value, k) => k % 3 === 2 && value > 0.5).length} of ${keypointCount}`;
    },
  },
  {
    title: 'mask px',
    present: ({ maskSize }) => maskSize !== undefined,
    cell: (detections, i) => String(rleArea(detections.maskAt(i)!)),
  },
];

/** One decimal, and never "-0.0". */
const tenths = (value: number): string => (Math.round(10 * value) / 10 + 0).toFixed(1);

/** More rows than a person reads are not laid out: a table library takes minutes for a hundred thousand. */
const rowLimit = 200;

/** The table a person reads: one row a detection, best first; a line says how many did not fit. */
export function detectionTable(results: readonly ImageResult[]): string {
  const shown = extras.filter(({ present }) => results.some(({ detections }) => present(detections)));
  const rows: string[][] = [];
  let left = 0;
  for (const { path, detections } of results) {
    const fits = Math.min(detections.count, rowLimit - rows.length);
    left += detections.count - fits;
    if (detections.count === 0 && rows.length < rowLimit)
      rows.push([basename(path), '–', '', '', '', '', '', ...shown.map(() => '')]);
    for (let i = 0; i < fits; i++) {
      rows.push([
        basename(path),
        detections.classNameOf(i),
        detections.scores[i]!.toFixed(3),
        ...[...detections.boxes.subarray(4 * i, 4 * i + 4)].map(tenths),
        ...shown.map(({ present, cell }) => (present(detections) ? cell(detections, i) : '')),
      ]);
    }
  }
  const titles = ['image', 'class', 'score', 'x1', 'y1', 'x2', 'y2', ...shown.map(({ title }) => title)];
  const text = table(titles, rows, 2);
  return left === 0 ? text : `${text}\n… and ${left} more detections; --json writes them all`;
}
