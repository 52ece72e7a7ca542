/** Images and categories of a COCO file by id, and annotations checked against them on their way into a dataset. */
import { rleArea } from '../../masks/index.ts';
import { checkBox } from '../box-checks.ts';
import type { DatasetSink } from '../builder.ts';
import type { Place, ProblemReport } from '../problems.ts';
import type { Category } from '../types.ts';
import type { RawAnnotation } from './annotation.ts';
import { Fields } from './fields.ts';

export interface CocoTableOptions {
  readonly file: string | undefined;
  readonly report: ProblemReport;
  readonly tolerance: number;
  /** Whether outlines and keypoints are handed on. */
  readonly shapes: boolean;
  readonly sink: DatasetSink;
}

export class CocoTables {
  readonly #options: CocoTableOptions;
  readonly #images = new Map<number, number>();
  readonly #names = new Set<string>();
  /** Ids of elements that were reported and left out. */
  readonly #refused = { images: new Set<number>(), categories: new Set<number>() };
  /** Sections of which every element was seen. */
  #complete: ReadonlySet<string> = new Set();
  readonly categories: Category[] = [];
  #labels: ReadonlyMap<number, number> | null = null;

  constructor(options: CocoTableOptions) {
    this.#options = options;
  }

  addImage(value: Record<string, unknown>, at: Place): void {
    const { report, sink } = this.#options;
    const fields = new Fields(value, at, report);
    const id = fields.id('id');
    const width = fields.size('width');
    const height = fields.size('height');
    const name = fields.text('file_name');
    if (id === null) return;
    if (width === null || height === null || name === null) {
      this.refuse('images', id);
      return;
    }
    if (this.#images.has(id)) {
      report.add('duplicate-image-id', `image id ${id} is used twice`, at);
      return;
    }
    if (this.#names.has(name)) {
      report.add('duplicate-file-name', `file name ${name} is used twice`, at);
      this.refuse('images', id);
      return;
    }
    this.#names.add(name);
    this.#images.set(id, sink.addImage(id, name, width, height));
  }

  addCategory(value: Record<string, unknown>, at: Place): void {
    const { report } = this.#options;
    const fields = new Fields(value, at, report);
    const id = fields.id('id');
    const name = fields.text('name');
    if (id === null) return;
    if (name === null) {
      this.refuse('categories', id);
      return;
    }
    if (this.categories.some((category) => category.id === id)) {
      report.add('duplicate-category-id', `category id ${id} is used twice`, at);
      return;
    }
    if (this.categories.some((category) => category.name === name)) {
      report.add('duplicate-category-name', `category name ${name} is used twice`, at);
      this.refuse('categories', id);
      return;
    }
    const supercategory = fields.optionalText('supercategory');
    const { keypoints, skeleton } = fields.value;
    this.categories.push({
      id,
      name,
      ...(supercategory === undefined ? {} : { supercategory }),
      ...(Array.isArray(keypoints) ? { keypoints: keypoints.map(String) } : {}),
      ...(Array.isArray(skeleton) ? { skeleton: skeleton as [number, number][] } : {}),
    });
  }

  /** An element was reported: annotations that refer to it are left out without a word. */
  refuse(section: 'images' | 'annotations' | 'categories', id: number): void {
    if (section !== 'annotations') this.#refused[section].add(id);
  }

  /**
   * All images and categories that there are have been read: names are forgotten, labels are the categories' ranks by
   * id. Of a section that was not read to its end any id may be right.
   */
  close(complete: ReadonlySet<string>): void {
    this.#complete = complete;
    this.#names.clear();
    this.categories.sort((a, b) => a.id - b.id);
    this.#labels = new Map(this.categories.map(({ id }, label) => [id, label]));
  }

  #isUnknown(section: 'images' | 'categories', id: number): boolean {
    return this.#complete.has(section) && !this.#refused[section].has(id);
  }

  /** Hands an annotation on, if its image and category are there and its box is one. After `close`. */
  settle(raw: RawAnnotation): void {
    const { report, sink, tolerance, shapes, file } = this.#options;
    const { line, column, element } = raw;
    const at = (key: string): Place => ({
      ...(file === undefined ? {} : { file }),
      line,
      column,
      path: `annotations[${element}]${key}`,
    });
    const image = this.#images.get(raw.imageId);
    const label = this.#labels!.get(raw.categoryId);
    if (image === undefined && this.#isUnknown('images', raw.imageId)) {
      report.add('unknown-image', `no image has the id ${raw.imageId}`, at('.image_id'));
    }
    if (label === undefined && this.#isUnknown('categories', raw.categoryId)) {
      report.add('unknown-category', `no category has the id ${raw.categoryId}`, at('.category_id'));
    }
    const [x, y, w, h] = raw.box as [number, number, number, number];
    const { width, height } = image === undefined ? { width: 0, height: 0 } : sink.sizeOf(image);
    const box = [x, y, x + w, y + h] as const;
    const fits = checkBox(report, at('.bbox'), box, width, height, tolerance);
    const mask = raw.shapes?.mask;
    if (mask !== undefined && image !== undefined && (mask.size[0] !== height || mask.size[1] !== width)) {
      report.add(
        'bad-segmentation',
        `expected a mask of the image's size ${height}×${width} (height × width), got ${mask.size.join('×')}`,
        at('.segmentation.size'),
      );
      return;
    }
    if (image === undefined || label === undefined || !fits) return;
    const whole = mask === undefined ? w * h : rleArea(mask);
    sink.addAnnotation({
      id: raw.id,
      image,
      label,
      x1: box[0],
      y1: box[1],
      x2: box[2],
      y2: box[3],
      area: Number.isNaN(raw.area) ? whole : raw.area,
      flags: raw.flags,
      ...(shapes ? raw.shapes : {}),
    });
  }
}
