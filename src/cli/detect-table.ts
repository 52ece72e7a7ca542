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

/** The table a person reads: one row a detection, best first. */
export function detectionTable(results: readonly ImageResult[]): string {
  const shown = extras.filter(({ present }) => results.some(({ detections }) => present(detections)));
  const rows = results.flatMap(({ path, detections }) =>
    detections.count === 0
      ? [[basename(path), '–', '', '', '', '', '', ...shown.map(() => '')]]
      : Array.from({ length: detections.count }, (_, i) => [
          basename(path),
          detections.classNameOf(i),
          detections.scores[i]!.toFixed(3),
          ...[...detections.boxes.subarray(4 * i, 4 * i + 4)].map(tenths),
          ...shown.map(({ present, cell }) => (present(detections) ? cell(detections, i) : '')),
        ]),
  );
  return table(
    ['image', 'class', 'score', 'x1', 'y1', 'x2', 'y2', ...shown.map(({ title }) => title)],
    rows,
    2,
  );
}
