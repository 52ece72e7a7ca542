/**
 * Sorts annotations and results into groups, the unit in which every evaluation matches: what one image holds of one
 * category, or of all categories.
 *
 * Rows become columns once, by stable counting sorts: categories ascending, images ascending within, then the file's
 * order for annotations and falling scores (ties in file order) for detections. Group g spans
 * `truthStarts[g]…truthStarts[g + 1]` and `detectionStarts[g]…detectionStarts[g + 1]`.
 */
import { DatasetError } from '../errors.ts';
import { orderByScore } from '../nms/order.ts';
import type { CocoAnnotation, CocoDataset, CocoResult } from './types.ts';

export interface Groups {
  readonly imageIds: readonly number[];
  /** Ascending. */
  readonly categoryIds: readonly number[];
  /** [categories + 1], or [2] when all categories are one: the groups of each. */
  readonly categoryStarts: Uint32Array;
  /** Rank of a group's image in `imageIds`, ascending within a category; only images that hold something. */
  readonly images: Int32Array;
  readonly truthStarts: Uint32Array;
  readonly detectionStarts: Uint32Array;
  /** Rows in the order of the groups. */
  readonly truths: readonly CocoAnnotation[];
  readonly detections: readonly CocoResult[];
  readonly scores: Float64Array;
  /** Rank in `categoryIds` of each row. */
  readonly truthCategories: Int32Array;
  readonly detectionCategories: Int32Array;
}

export interface GroupOptions {
  /** Detections kept of a group, best scores first. Default all. */
  readonly largest?: number;
  /** True makes one group of an image, whatever the categories. Default false. */
  readonly classAgnostic?: boolean;
  /** With `classAgnostic`: true puts rows of equal rank in the order of their categories, as pycocotools has it. */
  readonly categoriesFirst?: boolean;
  /** False drops a detection before anything else looks at it. */
  readonly accepts?: (result: CocoResult) => boolean;
}

const ascending = (a: number, b: number): number => a - b;
const uniqueAscending = (ids: readonly number[]): number[] => [...new Set(ids)].sort(ascending);

/**
 * Rows of unlisted categories, and annotations of unlisted images, take no part. Throws `DatasetError` where a result
 * refers to an image that is not there or its score is not a finite number.
 */
export function groupRows(
  dataset: CocoDataset,
  results: readonly CocoResult[],
  options: GroupOptions = {},
): Groups {
  const { largest = Infinity, classAgnostic = false, categoriesFirst = false, accepts } = options;
  expectRows(dataset, results);
  const imageIds = uniqueAscending(dataset.images.map((image) => image.id));
  const categoryIds = uniqueAscending(dataset.categories.map((category) => category.id));
  const imageRank = new Map(imageIds.map((id, i) => [id, i]));
  const categoryRank = new Map(categoryIds.map((id, i) => [id, i]));

  const truthSide = new Side(dataset.annotations.length);
  dataset.annotations.forEach((annotation, i) => {
    truthSide.add(i, imageRank.get(annotation.image_id), categoryRank.get(annotation.category_id));
  });
  const detectionSide = new Side(results.length);
  const scores = new Float64Array(results.length);
  results.forEach((result, i) => {
    const image = imageRank.get(result.image_id);
    if (image === undefined) {
      throw new DatasetError(
        `results[${i}] belongs to image ${result.image_id}, which is not in the ground truth`,
        { index: i, imageId: result.image_id },
      );
    }
    if (typeof result.score !== 'number' || !Number.isFinite(result.score)) {
      throw new DatasetError(`results[${i}].score must be a finite number, got ${result.score}`, {
        index: i,
      });
    }
    scores[i] = result.score;
    if (accepts === undefined || accepts(result)) {
      detectionSide.add(i, image, categoryRank.get(result.category_id));
    }
  });

  const [I, K] = [imageIds.length, categoryIds.length];
  const order = (side: Side, byScore: boolean): Uint32Array<ArrayBuffer> => {
    let rows = side.order.slice(0, side.count);
    if (classAgnostic && categoriesFirst) rows = countingSort(rows, side.categories, K);
    if (byScore && rows.length > 0) rows = orderByScore(scores, rows);
    rows = countingSort(rows, side.images, I);
    return classAgnostic ? rows : countingSort(rows, side.categories, K);
  };
  return mergeGroups(
    { imageIds, categoryIds, classAgnostic, largest },
    { side: truthSide, order: order(truthSide, false), rows: dataset.annotations },
    { side: detectionSide, order: order(detectionSide, true), rows: results },
    scores,
  );
}

/** Throws `DatasetError` where a row of ground truth or results is no object. */
export function expectRows(dataset: CocoDataset, results: readonly CocoResult[]): void {
  const { images, annotations, categories } = dataset ?? {};
  for (const [name, rows] of Object.entries({ images, annotations, categories, results })) {
    if (!Array.isArray(rows)) throw new DatasetError(`${name} must be an array`, { name });
    const index = rows.findIndex((row) => typeof row !== 'object' || row === null);
    if (index < 0) continue;
    throw new DatasetError(`${name}[${index}] must be an object, got ${JSON.stringify(rows[index])}`, {
      name,
      index,
    });
  }
}

/** Rows that take part, with the ranks of their image and category. */
class Side {
  readonly order: Uint32Array<ArrayBuffer>;
  readonly images: Int32Array;
  readonly categories: Int32Array;
  count = 0;

  constructor(rows: number) {
    this.order = new Uint32Array(rows);
    this.images = new Int32Array(rows);
    this.categories = new Int32Array(rows);
  }

  add(row: number, image: number | undefined, category: number | undefined): void {
    if (image === undefined || category === undefined) return;
    this.images[row] = image;
    this.categories[row] = category;
    this.order[this.count++] = row;
  }
}

/** Stable sort of `order` by `keys[order[i]]`, which lie below `bound`. */
function countingSort(
  order: Uint32Array<ArrayBuffer>,
  keys: Int32Array,
  bound: number,
): Uint32Array<ArrayBuffer> {
  const starts = new Uint32Array(bound + 1);
  for (let i = 0; i < order.length; i++) starts[keys[order[i]!]! + 1]!++;
  for (let k = 0; k < bound; k++) starts[k + 1]! += starts[k]!;
  const sorted = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    sorted[starts[keys[row]!]!++] = row;
  }
  return sorted;
}

interface Ordered<Row> {
  readonly side: Side;
  readonly order: Uint32Array;
  readonly rows: readonly Row[];
}

/** Walks both sorted sides together and notes where groups begin. */
function mergeGroups(
  head: Pick<Groups, 'imageIds' | 'categoryIds'> & { classAgnostic: boolean; largest: number },
  truth: Ordered<CocoAnnotation>,
  detection: Ordered<CocoResult>,
  scores: Float64Array,
): Groups {
  const { imageIds, categoryIds, classAgnostic, largest } = head;
  const categories = classAgnostic ? 1 : categoryIds.length;
  const categoryStarts = new Uint32Array(categories + 1);
  const images: number[] = [];
  const truthStarts: number[] = [0];
  const detectionStarts: number[] = [0];
  const kept = new Uint32Array(detection.order.length);
  let keptCount = 0;
  const truths = truth.order.length;
  const detections = detection.order.length;
  let t = 0;
  let d = 0;
  for (let k = 0; k < categories; k++) {
    const of = (side: Side, row: number): boolean => classAgnostic || side.categories[row] === k;
    while (true) {
      const nextTruth = t < truths && of(truth.side, truth.order[t]!);
      const nextDetection = d < detections && of(detection.side, detection.order[d]!);
      if (!nextTruth && !nextDetection) break;
      const truthImage = nextTruth ? truth.side.images[truth.order[t]!]! : Infinity;
      const detectionImage = nextDetection ? detection.side.images[detection.order[d]!]! : Infinity;
      const image = Math.min(truthImage, detectionImage);
      while (t < truths && of(truth.side, truth.order[t]!) && truth.side.images[truth.order[t]!] === image)
        t++;
      let rank = 0;
      while (d < detections) {
        const row = detection.order[d]!;
        if (!of(detection.side, row) || detection.side.images[row] !== image) break;
        if (rank++ < largest) kept[keptCount++] = row;
        d++;
      }
      images.push(image);
      truthStarts.push(t);
      detectionStarts.push(keptCount);
    }
    categoryStarts[k + 1] = images.length;
  }
  const truthCategories = new Int32Array(truths);
  const sortedTruths = Array.from(truth.order, (row, i) => {
    truthCategories[i] = truth.side.categories[row]!;
    return truth.rows[row]!;
  });
  const detectionCategories = new Int32Array(keptCount);
  const sortedScores = new Float64Array(keptCount);
  const sortedDetections = Array.from({ length: keptCount }, (_, i) => {
    const row = kept[i]!;
    detectionCategories[i] = detection.side.categories[row]!;
    sortedScores[i] = scores[row]!;
    return detection.rows[row]!;
  });
  return {
    imageIds,
    categoryIds,
    categoryStarts,
    images: Int32Array.from(images),
    truthStarts: Uint32Array.from(truthStarts),
    detectionStarts: Uint32Array.from(detectionStarts),
    truths: sortedTruths,
    detections: sortedDetections,
    scores: sortedScores,
    truthCategories,
    detectionCategories,
  };
}

/** Rows of the largest group: what a work array for one group must hold. */
export function largestGroup(groups: Groups): { truths: number; detections: number; pairs: number } {
  let [truths, detections, pairs] = [0, 0, 0];
  for (let g = 0; g < groups.images.length; g++) {
    const n = groups.truthStarts[g + 1]! - groups.truthStarts[g]!;
    const m = groups.detectionStarts[g + 1]! - groups.detectionStarts[g]!;
    truths = Math.max(truths, n);
    detections = Math.max(detections, m);
    pairs = Math.max(pairs, n * m);
  }
  return { truths, detections, pairs };
}

/** Names of the categories by rank; the id where a category has none. */
export function categoryNames(dataset: CocoDataset, categoryIds: readonly number[]): string[] {
  const names = new Map(dataset.categories.map(({ id, name }) => [id, name ?? String(id)]));
  return categoryIds.map((id) => names.get(id)!);
}
