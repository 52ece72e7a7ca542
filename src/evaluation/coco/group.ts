/**
 * Sorts annotations and results into (image, category) groups: the unit in which COCO matches.
 *
 * A group's annotations keep the file's order; its detections are ordered by score, ties in file order, and cut to the
 * largest number of detections, as pycocotools does.
 */
import { DatasetError } from '../../errors.ts';
import type { CocoAnnotation, CocoDataset, CocoResult } from './types.ts';

/** What one image holds of one category. */
export interface Group {
  readonly image: number;
  readonly truths: CocoAnnotation[];
  /** Best score first. */
  detections: CocoResult[];
}

export interface Grouping {
  readonly categoryIds: readonly number[];
  /** One list a category, in the order of ascending image id; only images that hold something. */
  readonly groups: readonly (readonly Group[])[];
}

const byScore = (a: CocoResult, b: CocoResult): number => b.score - a.score;

/** Throws `DatasetError` where a row refers to an image that is not there, or a score is not a finite number. */
export function groupByImageAndCategory(
  dataset: CocoDataset,
  results: readonly CocoResult[],
  largest: number,
  classAgnostic: boolean,
): Grouping {
  const imageIds = [...new Set(dataset.images.map((image) => image.id))].sort((a, b) => a - b);
  const categoryIds = classAgnostic
    ? [-1]
    : [...new Set(dataset.categories.map((category) => category.id))].sort((a, b) => a - b);
  const imageRank = new Map(imageIds.map((id, i) => [id, i]));
  const categoryRank = new Map(categoryIds.map((id, i) => [id, i]));
  const cells: Map<number, Group>[] = categoryIds.map(() => new Map());

  const groupOf = (image: number, category: number): Group | undefined => {
    const k = classAgnostic ? 0 : categoryRank.get(category);
    if (k === undefined) return undefined;
    const rank = imageRank.get(image)!;
    let group = cells[k]!.get(rank);
    if (group === undefined) cells[k]!.set(rank, (group = { image, truths: [], detections: [] }));
    return group;
  };

  dataset.annotations.forEach((annotation) => {
    // an annotation of an image that is not listed is not evaluated
    if (imageRank.has(annotation.image_id)) {
      groupOf(annotation.image_id, annotation.category_id)?.truths.push(annotation);
    }
  });
  results.forEach((result, i) => {
    if (!imageRank.has(result.image_id)) {
      throw new DatasetError(
        `results[${i}] belongs to image ${result.image_id}, which is not in the ground truth`,
        { index: i, imageId: result.image_id },
      );
    }
    if (!Number.isFinite(result.score)) {
      throw new DatasetError(`results[${i}].score must be a finite number, got ${result.score}`, {
        index: i,
      });
    }
    groupOf(result.image_id, result.category_id)?.detections.push(result);
  });

  const groups = cells.map((cell) =>
    [...cell.entries()]
      .sort(([a], [b]) => a - b)
      .map(([, group]) => {
        group.detections.sort(byScore);
        if (group.detections.length > largest) group.detections.length = largest;
        return group;
      }),
  );
  return { categoryIds, groups };
}
