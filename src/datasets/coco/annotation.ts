/** One annotation element, read and checked by itself: what it refers to is looked up later. */
import { type Rle, rleFromCoco } from '../../masks/index.ts';
import { isCocoRle } from '../../masks/segmentation.ts';
import { labelledKeypoints } from '../access.ts';
import { float64Column, int32Column } from '../columns.ts';
import type { Place, ProblemReport } from '../problems.ts';
import { annotationFlag } from '../types.ts';
import { Fields } from './fields.ts';

/** Outline and keypoints of an annotation that has any. */
export interface Shapes {
  readonly polygons?: readonly ArrayLike<number>[];
  readonly mask?: Rle;
  readonly keypoints?: ArrayLike<number>;
}

/** An annotation as the file has it. */
export interface RawAnnotation {
  readonly id: number;
  readonly imageId: number;
  readonly categoryId: number;
  /** x, y, width, height. */
  readonly box: readonly number[];
  /** NaN where left out. */
  readonly area: number;
  readonly flags: number;
  readonly shapes: Shapes | undefined;
  /** Place in the array and in the file. */
  readonly element: number;
  readonly line: number;
  readonly column: number;
}

/** The annotation of an element; null (and findings) where something in it is wrong. */
export function readAnnotation(
  value: Record<string, unknown>,
  element: number,
  at: Place,
  report: ProblemReport,
): RawAnnotation | null {
  const fields = new Fields(value, at, report);
  const id = fields.id('id');
  const imageId = fields.id('image_id');
  const categoryId = fields.id('category_id');
  const box = fields.numbers('bbox', 4);
  if (id === null || imageId === null || categoryId === null || box === null) return null;
  const flags =
    (fields.flag('iscrowd') ? annotationFlag.crowd : 0) |
    (fields.flag('difficult') ? annotationFlag.difficult : 0) |
    (fields.flag('truncated') ? annotationFlag.truncated : 0);
  const area = fields.optionalNumber('area');
  const shapes = shapesOf(fields, at, report);
  if (shapes === null || area === null) return null;
  const { line = 0, column = 0 } = at;
  return { id, imageId, categoryId, box, area: area ?? Number.NaN, flags, shapes, element, line, column };
}

/** Outline and keypoints; undefined without any, null where they are wrong. */
function shapesOf(fields: Fields, at: Place, report: ProblemReport): Shapes | undefined | null {
  const { segmentation } = fields.value;
  const out: { polygons?: ArrayLike<number>[]; mask?: Rle; keypoints?: ArrayLike<number> } = {};
  const wrong = (code: 'bad-segmentation' | 'bad-keypoints', message: string, path: string): null => {
    report.add(code, message, { ...at, path: `${at.path}.${path}` });
    return null;
  };
  if (Array.isArray(segmentation)) {
    for (const [i, ring] of segmentation.entries()) {
      const problem = ringProblem(ring);
      if (problem !== null) return wrong('bad-segmentation', problem, `segmentation[${i}]`);
    }
    const rings = segmentation.filter((ring) => ring.length > 0);
    if (rings.length > 0) out.polygons = rings;
  } else if (typeof segmentation === 'object' && segmentation !== null) {
    if (!isCocoRle(segmentation)) {
      return wrong('bad-segmentation', 'expected size [height, width] and counts', 'segmentation');
    }
    try {
      out.mask = rleFromCoco(segmentation);
    } catch (error) {
      return wrong('bad-segmentation', (error as Error).message, 'segmentation');
    }
  }
  if (fields.value.keypoints !== undefined) {
    const keypoints = fields.numbers('keypoints');
    if (keypoints === null) return null;
    if (keypoints.length % 3 !== 0) {
      const message = `expected x, y, visibility a keypoint, got ${keypoints.length} numbers`;
      return wrong('bad-keypoints', message, 'keypoints');
    }
    const count = fields.optionalNumber('num_keypoints');
    const labelled = labelledKeypoints(keypoints);
    if (typeof count === 'number' && count !== labelled) {
      report.add('keypoint-count', `num_keypoints is ${count}, but ${labelled} are labelled`, at);
    }
    out.keypoints = keypoints;
  }
  const none = out.polygons === undefined && out.mask === undefined && out.keypoints === undefined;
  return none ? undefined : out;
}

function ringProblem(ring: unknown): string | null {
  if (!Array.isArray(ring)) return `expected an array of x, y, …, got ${JSON.stringify(ring)?.slice(0, 40)}`;
  // several tools write [[]] for an object without outline
  if (ring.length === 0) return null;
  if (ring.length < 6 || ring.length % 2 !== 0) {
    return `expected a polygon of at least three x, y pairs, got ${ring.length} numbers`;
  }
  const wrong = ring.find((value) => !Number.isFinite(value));
  return wrong === undefined ? null : `expected finite coordinates, got ${JSON.stringify(wrong)}`;
}

/** Annotations kept in columns until the images and categories they refer to are known. */
export class PendingAnnotations {
  readonly #ids = float64Column();
  readonly #imageIds = float64Column();
  readonly #categoryIds = float64Column();
  readonly #boxes = float64Column();
  readonly #areas = float64Column();
  readonly #flags = int32Column();
  readonly #elements = int32Column();
  readonly #lines = int32Column();
  readonly #columns = float64Column();
  readonly #shapes = new Map<number, Shapes>();

  get length(): number {
    return this.#ids.length;
  }

  push(row: RawAnnotation): void {
    if (row.shapes !== undefined) this.#shapes.set(this.#ids.length, row.shapes);
    this.#ids.push(row.id);
    this.#imageIds.push(row.imageId);
    this.#categoryIds.push(row.categoryId);
    this.#boxes.append(row.box);
    this.#areas.push(row.area);
    this.#flags.push(row.flags);
    this.#elements.push(row.element);
    this.#lines.push(row.line);
    this.#columns.push(row.column);
  }

  ids(): Float64Array {
    return this.#ids.from(0);
  }

  /** A row, whose outline and keypoints are then let go. */
  take(row: number): RawAnnotation {
    const raw = this.at(row);
    this.#shapes.delete(row);
    return raw;
  }

  at(row: number): RawAnnotation {
    return {
      id: this.#ids.at(row),
      imageId: this.#imageIds.at(row),
      categoryId: this.#categoryIds.at(row),
      box: [0, 1, 2, 3].map((k) => this.#boxes.at(4 * row + k)),
      area: this.#areas.at(row),
      flags: this.#flags.at(row),
      shapes: this.#shapes.get(row),
      element: this.#elements.at(row),
      line: this.#lines.at(row),
      column: this.#columns.at(row),
    };
  }
}
