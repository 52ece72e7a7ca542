/** Puts a {@link Dataset} together row by row, in any order of images; the rows are sorted by image at the end. */
import type { Rle } from '../masks/types.ts';
import { float64Column, gather, gatherRagged, int32Column, uint8Column } from './columns.ts';
import type { AnnotationColumns, Category, Dataset, ImageColumns, PolygonColumns } from './types.ts';

/** The parts of an annotation beside its box. */
export interface AnnotationRow {
  readonly id: number;
  /** Index of the image. */
  readonly image: number;
  readonly label: number;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly area: number;
  readonly flags?: number;
  /** Rings x, y, x, y, … */
  readonly polygons?: readonly ArrayLike<number>[];
  readonly mask?: Rle;
  /** x, y, visibility a keypoint. */
  readonly keypoints?: ArrayLike<number>;
}

/** What takes a dataset row by row: columns in memory, or a file. */
export interface DatasetSink {
  /** Adds an image and gives its index. */
  addImage(id: number, fileName: string, width: number, height: number): number;
  sizeOf(image: number): { readonly width: number; readonly height: number };
  addAnnotation(row: AnnotationRow): void;
}

/** Columns of a dataset that is told image by image and annotation by annotation, in any order. */
export class DatasetBuilder implements DatasetSink {
  readonly #imageIds = float64Column();
  readonly #fileNames: string[] = [];
  readonly #widths = int32Column();
  readonly #heights = int32Column();
  readonly #ids = float64Column();
  readonly #images = int32Column();
  readonly #labels = int32Column();
  readonly #boxes = float64Column();
  readonly #areas = float64Column();
  readonly #flags = uint8Column();
  readonly #points = float64Column();
  readonly #ringEnds = int32Column();
  readonly #rings = int32Column();
  readonly #masks = new Map<number, Rle>();
  readonly #keypoints = float64Column();
  readonly #keypointEnds = int32Column();

  constructor() {
    for (const column of [this.#ringEnds, this.#rings, this.#keypointEnds]) column.push(0);
  }

  get imageCount(): number {
    return this.#fileNames.length;
  }

  get annotationCount(): number {
    return this.#ids.length;
  }

  addImage(id: number, fileName: string, width: number, height: number): number {
    this.#imageIds.push(id);
    this.#fileNames.push(fileName);
    this.#widths.push(width);
    this.#heights.push(height);
    return this.#fileNames.length - 1;
  }

  sizeOf(image: number): { readonly width: number; readonly height: number } {
    return { width: this.#widths.at(image), height: this.#heights.at(image) };
  }

  addAnnotation(row: AnnotationRow): void {
    if (row.mask !== undefined) this.#masks.set(this.#ids.length, row.mask);
    this.#ids.push(row.id);
    this.#images.push(row.image);
    this.#labels.push(row.label);
    this.#boxes.push(row.x1);
    this.#boxes.push(row.y1);
    this.#boxes.push(row.x2);
    this.#boxes.push(row.y2);
    this.#areas.push(row.area);
    this.#flags.push(row.flags ?? 0);
    for (const ring of row.polygons ?? []) {
      this.#points.append(ring);
      this.#ringEnds.push(this.#points.length);
    }
    this.#rings.push(this.#ringEnds.length - 1);
    if (row.keypoints !== undefined) this.#keypoints.append(row.keypoints);
    this.#keypointEnds.push(this.#keypoints.length);
  }

  /** The dataset: annotations by image, those of one image in the order they came. The builder is done then. */
  finish(categories: readonly Category[]): Dataset {
    const images: ImageColumns = {
      count: this.#fileNames.length,
      ids: this.#imageIds.release(),
      fileNames: this.#fileNames,
      widths: this.#widths.release(),
      heights: this.#heights.release(),
    };
    const imageOf = this.#images.release();
    const annotations: AnnotationColumns = {
      count: imageOf.length,
      offsets: rowsOfImages(imageOf, images.count),
      ids: this.#ids.release(),
      labels: this.#labels.release(),
      boxes: this.#boxes.release(),
      areas: this.#areas.release(),
      flags: this.#flags.release(),
      polygons: {
        values: this.#points.release(),
        offsets: this.#ringEnds.release(),
        rings: this.#rings.release(),
      },
      masks: this.#masks,
      keypoints: { values: this.#keypoints.release(), offsets: this.#keypointEnds.release() },
    };
    const order = orderByImage(imageOf, annotations.offsets);
    return {
      categories,
      images,
      annotations: order === null ? annotations : selectRows(annotations, order, annotations.offsets),
    };
  }
}

/** Images + 1 offsets from the image of every row. */
function rowsOfImages(imageOf: Int32Array, images: number): Int32Array<ArrayBuffer> {
  const offsets = new Int32Array(images + 1);
  for (let i = 0; i < imageOf.length; i++) offsets[imageOf[i]! + 1]!++;
  for (let i = 0; i < images; i++) offsets[i + 1]! += offsets[i]!;
  return offsets;
}

/** A stable counting sort; null where the rows are sorted already. */
function orderByImage(imageOf: Int32Array, offsets: Int32Array): Int32Array<ArrayBuffer> | null {
  if (imageOf.every((image, i) => i === 0 || imageOf[i - 1]! <= image)) return null;
  const next = offsets.slice();
  const order = new Int32Array(imageOf.length);
  for (let i = 0; i < imageOf.length; i++) order[next[imageOf[i]!]!++] = i;
  return order;
}

/** The rows `order` of the columns, with the offsets the new order has. */
export function selectRows(
  annotations: AnnotationColumns,
  order: Int32Array,
  offsets: Int32Array<ArrayBuffer>,
): AnnotationColumns {
  const masks = new Map<number, Rle>();
  if (annotations.masks.size > 0) {
    for (let i = 0; i < order.length; i++) {
      const mask = annotations.masks.get(order[i]!);
      if (mask !== undefined) masks.set(i, mask);
    }
  }
  return {
    count: order.length,
    offsets,
    ids: gather(annotations.ids, order),
    labels: gather(annotations.labels, order),
    boxes: gather(annotations.boxes, order, 4),
    areas: gather(annotations.areas, order),
    flags: gather(annotations.flags, order),
    polygons: gatherPolygons(annotations.polygons, order),
    masks,
    keypoints: gatherRagged(annotations.keypoints, order),
  };
}

function gatherPolygons(polygons: PolygonColumns, order: Int32Array): PolygonColumns {
  const rings = new Int32Array(order.length + 1);
  const ringOrder = int32Column();
  for (let i = 0; i < order.length; i++) {
    for (let ring = polygons.rings[order[i]!]!; ring < polygons.rings[order[i]! + 1]!; ring++) {
      ringOrder.push(ring);
    }
    rings[i + 1] = ringOrder.length;
  }
  return { ...gatherRagged(polygons, ringOrder.take()), rings };
}
