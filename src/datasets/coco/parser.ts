/**
 * COCO annotation files as columns, piece by piece: elements are parsed one at a time and only their numbers are kept,
 * so the memory is that of the columns (about 90 bytes an annotation without outlines), not of the file.
 *
 * Sections may come in any order. Boxes become xyxy; labels are the categories' ranks by id. What is wrong goes into the
 * report, with line, column and path; the element is then left out.
 */
import { type CocoRle, type Rle, rleArea, rleFromCoco } from '../../masks/index.ts';
import { labelledKeypoints } from '../access.ts';
import { checkBox, defaultTolerance } from '../box-checks.ts';
import { DatasetBuilder } from '../builder.ts';
import { float64Column, int32Column } from '../columns.ts';
import { type Place, ProblemReport } from '../problems.ts';
import { annotationFlag, type Category, type Dataset } from '../types.ts';
import { Fields } from './fields.ts';
import { type ElementPlace, type SectionSink, SectionSplitter } from './sections.ts';

export interface CocoParserOptions {
  /** Named in places. */
  readonly file?: string;
  readonly report?: ProblemReport;
  /** Pixels a box may reach beyond its image before that is reported. Default 1. */
  readonly tolerance?: number;
  /** Whether outlines and keypoints are kept. Default true; false is enough for boxes and saves memory. */
  readonly shapes?: boolean;
}

/** What an annotation refers to and where it stands, kept until all images are known. */
interface Pending {
  readonly polygons?: readonly ArrayLike<number>[];
  readonly mask?: Rle;
  readonly keypoints?: ArrayLike<number>;
}

/** Reads a COCO file handed over in pieces: `push` them all, then `finish`. */
export class CocoParser implements SectionSink {
  readonly report: ProblemReport;
  readonly #file: string | undefined;
  readonly #tolerance: number;
  readonly #shapes: boolean;
  readonly #splitter = new SectionSplitter(this);
  readonly #builder = new DatasetBuilder();
  readonly #images = new Map<number, number>();
  readonly #imageNames = new Set<string>();
  readonly #categories: Category[] = [];
  readonly #seen = new Set<string>();
  // one entry an annotation
  readonly #ids = float64Column();
  readonly #imageIds = float64Column();
  readonly #categoryIds = float64Column();
  readonly #boxes = float64Column();
  readonly #areas = float64Column();
  readonly #flags = int32Column();
  readonly #elements = int32Column();
  readonly #lines = int32Column();
  readonly #columns = float64Column();
  readonly #pending = new Map<number, Pending>();

  constructor(options: CocoParserOptions = {}) {
    this.report = options.report ?? new ProblemReport();
    this.#file = options.file;
    this.#tolerance = options.tolerance ?? defaultTolerance;
    this.#shapes = options.shapes ?? true;
  }

  push(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
  }

  /** The dataset of what could be read; look at `report` before using it. */
  finish(): Dataset {
    this.#splitter.end();
    for (const section of ['images', 'annotations', 'categories']) {
      if (this.#seen.has(section) || this.report.counts.has('truncated-file')) continue;
      this.report.add('missing-key', `expected the array '${section}'`, this.#at(section));
    }
    this.#categories.sort((a, b) => a.id - b.id);
    this.#reportDuplicateIds();
    const labels = new Map(this.#categories.map(({ id }, label) => [id, label]));
    for (let row = 0; row < this.#ids.length; row++) this.#settle(row, labels);
    return this.#builder.finish(this.#categories);
  }

  // ---- what the splitter finds

  value(key: string, text: string, place: ElementPlace): void {
    if (key !== 'images' && key !== 'annotations' && key !== 'categories') return;
    this.#seen.add(key);
    this.report.add('wrong-type', `expected an array, got ${text.slice(0, 40)}`, this.#at(key, place));
  }

  problem(
    kind: 'malformed-json' | 'truncated-file',
    message: string,
    place: ElementPlace,
    path: string,
  ): void {
    this.report.add(kind, message, this.#at(path, place));
  }

  section(name: string): void {
    this.#seen.add(name);
  }

  element(section: string, index: number, text: string, place: ElementPlace): void {
    if (section !== 'images' && section !== 'annotations' && section !== 'categories') return;
    const at = this.#at(`${section}[${index}]`, place);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      const { message } = error as Error;
      this.report.add('malformed-json', message, { ...at, ...placeInside(text, message, place) });
      return;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.report.add('wrong-type', `expected an object, got ${text.slice(0, 40)}`, at);
      return;
    }
    const fields = new Fields(value as Record<string, unknown>, at, this.report);
    if (section === 'images') this.#image(fields, at);
    else if (section === 'categories') this.#category(fields, at);
    else this.#annotation(fields, at, index);
  }

  #at(path: string, place?: ElementPlace): Place {
    return { ...(this.#file === undefined ? {} : { file: this.#file }), ...place, path };
  }

  // ---- one element each

  #image(fields: Fields, at: Place): void {
    const id = fields.number('id');
    const width = fields.size('width');
    const height = fields.size('height');
    const name = fields.text('file_name');
    if (id === null || width === null || height === null || name === null) return;
    if (this.#images.has(id)) {
      this.report.add('duplicate-image-id', `image id ${id} is used twice`, at);
      return;
    }
    if (this.#imageNames.has(name)) {
      this.report.add('duplicate-file-name', `file name ${name} is used twice`, at);
      return;
    }
    this.#imageNames.add(name);
    this.#images.set(id, this.#builder.addImage(id, name, width, height));
  }

  #category(fields: Fields, at: Place): void {
    const id = fields.number('id');
    const name = fields.text('name');
    if (id === null || name === null) return;
    if (this.#categories.some((category) => category.id === id)) {
      this.report.add('duplicate-category-id', `category id ${id} is used twice`, at);
      return;
    }
    if (this.#categories.some((category) => category.name === name)) {
      this.report.add('duplicate-category-name', `category name ${name} is used twice`, at);
      return;
    }
    const supercategory = fields.optionalText('supercategory');
    const { keypoints, skeleton } = fields.value;
    this.#categories.push({
      id,
      name,
      ...(supercategory === undefined ? {} : { supercategory }),
      ...(Array.isArray(keypoints) ? { keypoints: keypoints.map(String) } : {}),
      ...(Array.isArray(skeleton) ? { skeleton: skeleton as [number, number][] } : {}),
    });
  }

  #annotation(fields: Fields, at: Place, index: number): void {
    const id = fields.number('id');
    const image = fields.number('image_id');
    const category = fields.number('category_id');
    const box = fields.numbers('bbox', 4);
    if (id === null || image === null || category === null || box === null) return;
    const crowd = fields.flag('iscrowd');
    const flags =
      (crowd ? annotationFlag.crowd : 0) |
      (fields.flag('difficult') ? annotationFlag.difficult : 0) |
      (fields.flag('truncated') ? annotationFlag.truncated : 0);
    const area = fields.optionalNumber('area');
    const shapes = this.#shapesOf(fields, at);
    if (shapes === null || area === null) return;
    const row = this.#ids.length;
    this.#ids.push(id);
    this.#imageIds.push(image);
    this.#categoryIds.push(category);
    this.#boxes.append(box);
    this.#areas.push(area ?? Number.NaN);
    this.#flags.push(flags);
    this.#elements.push(index);
    this.#lines.push(at.line ?? 0);
    this.#columns.push(at.column ?? 0);
    if (shapes !== undefined && (this.#shapes || shapes.mask !== undefined)) this.#pending.set(row, shapes);
  }

  /** Outline and keypoints; undefined without any, null where they are wrong. */
  #shapesOf(fields: Fields, at: Place): Pending | undefined | null {
    const { segmentation } = fields.value;
    const out: { polygons?: ArrayLike<number>[]; mask?: Rle; keypoints?: ArrayLike<number> } = {};
    if (Array.isArray(segmentation)) {
      for (const [i, ring] of segmentation.entries()) {
        const problem = ringProblem(ring);
        if (problem !== null) {
          const path = `${at.path}.segmentation[${i}]`;
          this.report.add('bad-segmentation', problem, { ...at, path });
          return null;
        }
      }
      if (segmentation.length > 0) out.polygons = segmentation;
    } else if (typeof segmentation === 'object' && segmentation !== null) {
      try {
        out.mask = rleFromCoco(segmentation as CocoRle);
      } catch (error) {
        const path = `${at.path}.segmentation`;
        this.report.add('bad-segmentation', (error as Error).message, { ...at, path });
        return null;
      }
    }
    if (fields.value.keypoints !== undefined) {
      const keypoints = fields.numbers('keypoints');
      if (keypoints === null) return null;
      if (keypoints.length % 3 !== 0) {
        const path = `${at.path}.keypoints`;
        this.report.add(
          'bad-keypoints',
          `expected x, y, visibility a keypoint, got ${keypoints.length} numbers`,
          { ...at, path },
        );
        return null;
      }
      const count = fields.optionalNumber('num_keypoints');
      const labelled = labelledKeypoints(keypoints);
      if (typeof count === 'number' && count !== labelled) {
        this.report.add('keypoint-count', `num_keypoints is ${count}, but ${labelled} are labelled`, at);
      }
      out.keypoints = keypoints;
    }
    return out.polygons === undefined && out.mask === undefined && out.keypoints === undefined
      ? undefined
      : out;
  }

  // ---- once everything is known

  #settle(row: number, labels: ReadonlyMap<number, number>): void {
    const at = (key: string): Place =>
      this.#at(`annotations[${this.#elements.at(row)}]${key}`, {
        line: this.#lines.at(row),
        column: this.#columns.at(row),
      });
    const image = this.#images.get(this.#imageIds.at(row));
    const label = labels.get(this.#categoryIds.at(row));
    if (image === undefined) {
      this.report.add('unknown-image', `no image has the id ${this.#imageIds.at(row)}`, at('.image_id'));
    }
    if (label === undefined) {
      this.report.add(
        'unknown-category',
        `no category has the id ${this.#categoryIds.at(row)}`,
        at('.category_id'),
      );
    }
    const [x, y, w, h] = [0, 1, 2, 3].map((k) => this.#boxes.at(4 * row + k)) as [
      number,
      number,
      number,
      number,
    ];
    const { width, height } = image === undefined ? { width: 0, height: 0 } : this.#builder.sizeOf(image);
    const box = [x, y, x + w, y + h] as const;
    const fits = checkBox(this.report, at('.bbox'), box, width, height, this.#tolerance);
    const pending = this.#pending.get(row);
    this.#pending.delete(row);
    const mask = pending?.mask;
    if (mask !== undefined && image !== undefined && (mask.size[0] !== height || mask.size[1] !== width)) {
      this.report.add(
        'bad-segmentation',
        `expected a mask of the image's size ${height}×${width} (height × width), got ${mask.size.join('×')}`,
        at('.segmentation.size'),
      );
      return;
    }
    if (image === undefined || label === undefined || !fits) return;
    const given = this.#areas.at(row);
    const area = Number.isNaN(given) ? (mask === undefined ? w * h : rleArea(mask)) : given;
    this.#builder.addAnnotation({
      id: this.#ids.at(row),
      image,
      label,
      x1: box[0],
      y1: box[1],
      x2: box[2],
      y2: box[3],
      area,
      flags: this.#flags.at(row),
      ...(this.#shapes ? pending : {}),
    });
  }

  #reportDuplicateIds(): void {
    const sorted = this.#ids.take().sort();
    if (sorted.every((id, i) => i === 0 || sorted[i - 1] !== id)) return;
    const first = new Map<number, number>();
    for (let row = 0; row < this.#ids.length; row++) {
      const id = this.#ids.at(row);
      const earlier = first.get(id);
      if (earlier === undefined) {
        first.set(id, row);
        continue;
      }
      this.report.add(
        'duplicate-annotation-id',
        `annotation id ${id} is used by annotations[${this.#elements.at(earlier)}] already`,
        this.#at(`annotations[${this.#elements.at(row)}].id`, {
          line: this.#lines.at(row),
          column: this.#columns.at(row),
        }),
      );
    }
  }
}

function ringProblem(ring: unknown): string | null {
  if (!Array.isArray(ring)) return `expected an array of x, y, …, got ${JSON.stringify(ring)?.slice(0, 40)}`;
  if (ring.length < 6 || ring.length % 2 !== 0) {
    return `expected a polygon of at least three x, y pairs, got ${ring.length} numbers`;
  }
  const wrong = ring.find((value) => !Number.isFinite(value));
  return wrong === undefined ? null : `expected finite coordinates, got ${JSON.stringify(wrong)}`;
}

/** Line and column of a syntax error inside an element, where the message says at which character it is. */
function placeInside(text: string, message: string, place: ElementPlace): Partial<ElementPlace> {
  const position = /position (\d+)/.exec(message)?.[1];
  if (position === undefined) return {};
  const before = text.slice(0, Number(position)).split('\n');
  const last = before.at(-1)!.length;
  return before.length === 1
    ? { line: place.line, column: place.column + last }
    : { line: place.line + before.length - 1, column: last + 1 };
}
