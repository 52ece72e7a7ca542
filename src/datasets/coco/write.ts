/** COCO annotation files, as text in pieces: one element a line, so that a file of any size streams and diffs well. */
import { compressRuns } from '../../masks/rle-string.ts';
import { keypointsOf, labelledKeypoints, ringsOf } from '../access.ts';
import { annotationFlag, type Category, type Dataset } from '../types.ts';

export interface CocoWriteOptions {
  /** Goes into the file's `info`. Default `{}`. */
  readonly info?: Readonly<Record<string, unknown>>;
}

/**
 * The pieces of `instances.json`; ids of images, annotations and categories are the dataset's own.
 *
 * Sizes are written with the fewest digits that give the same x2 and y2 again, so boxes that came from a COCO file go
 * into the next one bit by bit, and others within a unit in the last place of x2. A crowd's mask is written as a list of runs, another mask as a compressed string, as COCO does.
 */
export function* writeCoco(dataset: Dataset, options: CocoWriteOptions = {}): Generator<string> {
  const { categories, images } = dataset;
  yield `{"info":${JSON.stringify(options.info ?? {})},\n"categories":[`;
  yield* lines(categories.length, (i) => JSON.stringify(categoryOf(categories[i]!)));
  yield '],\n"images":[';
  yield* lines(images.count, (i) =>
    JSON.stringify({
      id: images.ids[i],
      file_name: images.fileNames[i],
      width: images.widths[i],
      height: images.heights[i],
    }),
  );
  yield '],\n"annotations":[';
  let image = 0;
  const { offsets, count } = dataset.annotations;
  yield* lines(count, (row) => {
    while (offsets[image + 1]! <= row) image++;
    return annotationText(dataset, image, row);
  });
  yield ']}\n';
}

/** Elements joined by commas, about 64 kB a piece. */
function* lines(count: number, element: (index: number) => string): Generator<string> {
  let piece = '';
  for (let i = 0; i < count; i++) {
    piece += `${i === 0 ? '\n' : ',\n'}${element(i)}`;
    if (piece.length > 65_536) {
      yield piece;
      piece = '';
    }
  }
  yield piece;
}

function categoryOf(category: Category): Record<string, unknown> {
  const { id, name, supercategory, keypoints, skeleton } = category;
  return {
    id,
    name,
    ...(supercategory === undefined ? {} : { supercategory }),
    ...(keypoints === undefined ? {} : { keypoints }),
    ...(skeleton === undefined ? {} : { skeleton }),
  };
}

function annotationText(dataset: Dataset, image: number, row: number): string {
  const { annotations, categories, images } = dataset;
  const { boxes, flags } = annotations;
  const [x1, y1, x2, y2] = boxes.subarray(4 * row, 4 * row + 4) as unknown as [
    number,
    number,
    number,
    number,
  ];
  const crowd = (flags[row]! & annotationFlag.crowd) !== 0;
  const mask = annotations.masks.get(row);
  const keypoints = keypointsOf(annotations, row);
  const segmentation =
    mask === undefined
      ? ringsOf(annotations, row).map((ring) => [...ring])
      : { size: mask.size, counts: crowd ? [...mask.counts] : compressRuns(mask.counts) };
  return JSON.stringify({
    id: annotations.ids[row],
    image_id: images.ids[image],
    category_id: categories[annotations.labels[row]!]!.id,
    bbox: [x1, y1, extent(x1, x2), extent(y1, y2)],
    area: annotations.areas[row],
    segmentation,
    iscrowd: crowd ? 1 : 0,
    ...(keypoints.length === 0
      ? {}
      : { keypoints: [...keypoints], num_keypoints: labelledKeypoints(keypoints) }),
    ...((flags[row]! & annotationFlag.difficult) === 0 ? {} : { difficult: 1 }),
    ...((flags[row]! & annotationFlag.truncated) === 0 ? {} : { truncated: 1 }),
  });
}

/**
 * The number of fewest decimals that, added to `start`, gives exactly `end`. There always is one where `end` came from
 * such a sum; where there is none, their difference, which is off by at most one unit in the last place of `end`.
 */
export function extent(start: number, end: number): number {
  const difference = end - start;
  for (let decimals = 0; decimals <= 16; decimals++) {
    const rounded = Number(difference.toFixed(decimals));
    if (start + rounded === end) return rounded;
  }
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(difference))) - 52);
  return [difference - unit, difference + unit].find((near) => start + near === end) ?? difference;
}
