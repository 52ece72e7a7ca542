/**
 * YOLO label files: one object a line, the class number and coordinates divided by the image's width and height.
 *
 * `class cx cy w h` (detect), `class x1 y1 x2 y2 x3 y3 …` (segment), the same with four corners (obb),
 * `class cx cy w h px py [v] …` (pose). Source: the dataset formats of Ultralytics.
 */
import type { Size } from '../../boxes/types.ts';
import { type Place, ProblemReport } from '../problems.ts';
import type { YoloTask } from '../types.ts';

export interface YoloLabelOptions {
  /** What a line of more than five numbers is. Default `'segment'`; a pose file needs `keypointShape`. */
  readonly task?: YoloTask;
  /** `kpt_shape` of data.yaml: keypoints an object, numbers a keypoint (2 or 3). */
  readonly keypointShape?: readonly [count: number, dimensions: number];
  /** Classes there are (`nc`); a number from there on is reported. Default: any. */
  readonly classes?: number;
  readonly file?: string;
  readonly report?: ProblemReport;
}

/** One line, in pixels. */
export interface YoloObject {
  readonly classId: number;
  readonly box: readonly [x1: number, y1: number, x2: number, y2: number];
  /** x, y, … of its outline or its four corners. */
  readonly polygon?: readonly number[];
  /** x, y, visibility a keypoint. */
  readonly keypoints?: readonly number[];
  readonly line: number;
}

/** Reads a label file; lines that are wrong are reported and left out, a repeated line is reported and kept once. */
export function parseYoloLabels(text: string, image: Size, options: YoloLabelOptions = {}): YoloObject[] {
  const report = options.report ?? new ProblemReport();
  const objects: YoloObject[] = [];
  const seen = new Set<string>();
  let line = 0;
  for (const raw of text.split('\n')) {
    line++;
    const row = raw.trim();
    if (row === '') continue;
    const place: Place = { ...(options.file === undefined ? {} : { file: options.file }), line };
    const numbers = numbersOf(row, place, report);
    if (numbers === null) continue;
    const object = objectOf(numbers, image, options, place, report);
    if (object === null) continue;
    if (seen.has(row)) {
      report.add('duplicate-annotation', 'the same line stands above already', place);
      continue;
    }
    seen.add(row);
    objects.push(object);
  }
  return objects;
}

function numbersOf(row: string, place: Place, report: ProblemReport): number[] | null {
  const numbers: number[] = [];
  for (const [i, token] of row.split(/\s+/).entries()) {
    const value = Number(token);
    if (!Number.isFinite(value)) {
      report.add('malformed-number', `expected a number, got '${token}' as number ${i + 1}`, place);
      return null;
    }
    numbers.push(value);
  }
  return numbers;
}

function objectOf(
  numbers: readonly number[],
  image: Size,
  options: YoloLabelOptions,
  place: Place,
  report: ProblemReport,
): YoloObject | null {
  const { task = 'segment', keypointShape } = options;
  const [classId, ...rest] = numbers as [number, ...number[]];
  const wrong = (code: 'malformed-row' | 'unknown-category' | 'bad-keypoints', message: string): null => {
    report.add(code, message, place);
    return null;
  };
  if (!Number.isSafeInteger(classId) || classId < 0) {
    return wrong('malformed-row', `expected a class number, got ${classId}`);
  }
  if (options.classes !== undefined && classId >= options.classes) {
    return wrong('unknown-category', `expected a class below ${options.classes}, got ${classId}`);
  }
  const line = place.line!;
  const { width, height } = image;
  if (task === 'pose') {
    const [count, dimensions] = keypointShape ?? [0, 3];
    const expected = 4 + count * dimensions;
    if (rest.length !== expected) {
      return wrong('bad-keypoints', `expected ${expected + 1} numbers, got ${numbers.length}`);
    }
    const keypoints: number[] = [];
    for (let i = 4; i < rest.length; i += dimensions) {
      const visibility = dimensions === 3 ? rest[i + 2]! : rest[i]! === 0 && rest[i + 1]! === 0 ? 0 : 2;
      keypoints.push(rest[i]! * width, rest[i + 1]! * height, visibility);
    }
    return { classId, box: boxOf(rest, image), keypoints, line };
  }
  if (rest.length === 4) {
    if (task === 'obb') return wrong('malformed-row', 'expected a class and four corners, got 5 numbers');
    return { classId, box: boxOf(rest, image), line };
  }
  if (task === 'detect') return wrong('malformed-row', `expected 5 numbers, got ${numbers.length}`);
  if (task === 'obb' && rest.length !== 8) {
    return wrong('malformed-row', `expected a class and four corners (9 numbers), got ${numbers.length}`);
  }
  if (rest.length < 6 || rest.length % 2 !== 0) {
    return wrong(
      'malformed-row',
      `expected a class and a box, or a polygon of at least three points, got ${numbers.length} numbers`,
    );
  }
  const polygon = rest.map((value, i) => value * (i % 2 === 0 ? width : height));
  return { classId, box: hullOf(polygon), polygon, line };
}

function boxOf(rest: readonly number[], { width, height }: Size): [number, number, number, number] {
  const [cx, cy, w, h] = rest as [number, number, number, number];
  return [(cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height];
}

/** The smallest box around points x, y, … */
export function hullOf(points: ArrayLike<number>): [number, number, number, number] {
  const box: [number, number, number, number] = [
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ];
  for (let i = 0; i < points.length; i += 2) {
    box[0] = Math.min(box[0], points[i]!);
    box[1] = Math.min(box[1], points[i + 1]!);
    box[2] = Math.max(box[2], points[i]!);
    box[3] = Math.max(box[3], points[i + 1]!);
  }
  return box;
}
