/** YOLO label files from columns: the text of one image's labels. */
import { DatasetError } from '../../errors.ts';
import { maskContours } from '../../masks/contours.ts';
import { keypointsOf, ringsOf } from '../access.ts';
import { annotationFlag, type Dataset, type YoloTask } from '../types.ts';
import { joinRings } from './join-rings.ts';

export interface YoloWriteOptions {
  /** What a line holds. Default `'detect'`. */
  readonly task?: YoloTask;
  /** Decimals of a coordinate (trailing zeros are left out): half a unit of the last, times the image's side, is the precision in pixels. Default 8. */
  readonly decimals?: number;
}

/** Default of {@link YoloWriteOptions.decimals}: 5·10⁻⁵ pixels in an image of 10 000. */
const yoloDecimals = 8;

/** What a label file cannot say, by kind; the rest of the annotation is written. */
export interface YoloLosses {
  /** Crowd regions, left out: YOLO has none. */
  crowd: number;
  /** Objects of several outlines, joined into one by bridges without area. */
  joined: number;
  /** Objects without the outline or the keypoints the task needs: their box is written as outline, the keypoints as unlabelled. */
  boxOnly: number;
}

export const noLosses = (): YoloLosses => ({ crowd: 0, joined: 0, boxOnly: 0 });

/** Keypoints an object, taken from the categories or else the first row that has any. */
export function keypointCountOf(dataset: Dataset): number {
  const named = dataset.categories.find(({ keypoints }) => keypoints !== undefined)?.keypoints?.length;
  if (named !== undefined) return named;
  const { offsets } = dataset.annotations.keypoints;
  for (let row = 0; row < dataset.annotations.count; row++) {
    if (offsets[row + 1]! > offsets[row]!) return (offsets[row + 1]! - offsets[row]!) / 3;
  }
  return 0;
}

/** The lines of image `image`, each ended by a newline; `losses` counts what they cannot say. */
export function writeYoloLabels(
  dataset: Dataset,
  image: number,
  options: YoloWriteOptions = {},
  losses: YoloLosses = noLosses(),
): string {
  const { task = 'detect', decimals = yoloDecimals } = options;
  const { annotations, images } = dataset;
  const width = images.widths[image]!;
  const height = images.heights[image]!;
  if (width === 0 || height === 0) {
    throw new DatasetError(
      `the size of ${images.fileNames[image]} is not known, which YOLO labels are divided by`,
      { file: images.fileNames[image] },
    );
  }
  const format = (value: number): string => trimmed(value, decimals);
  const points = (values: ArrayLike<number>): string[] =>
    Array.from(values, (value, i) => format(value / (i % 2 === 0 ? width : height)));
  const keypointCount = task === 'pose' ? keypointCountOf(dataset) : 0;
  let text = '';
  for (let row = annotations.offsets[image]!; row < annotations.offsets[image + 1]!; row++) {
    if ((annotations.flags[row]! & annotationFlag.crowd) !== 0) {
      losses.crowd++;
      continue;
    }
    const [x1, y1, x2, y2] = annotations.boxes.subarray(4 * row, 4 * row + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    const box = [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height];
    const fields: string[] = [String(annotations.labels[row])];
    if (task === 'detect' || task === 'pose') fields.push(...box.map(format));
    if (task === 'segment' || task === 'obb') {
      const outline = outlineOf(dataset, row, losses);
      if (outline === null || (task === 'obb' && outline.length !== 8)) {
        losses.boxOnly++;
        fields.push(...points([x1, y1, x2, y1, x2, y2, x1, y2]));
      } else fields.push(...points(outline));
    }
    if (task === 'pose') {
      const keypoints = keypointsOf(annotations, row);
      if (keypoints.length !== 3 * keypointCount) losses.boxOnly++;
      for (let k = 0; k < keypointCount; k++) {
        const known = keypoints.length === 3 * keypointCount;
        fields.push(
          format(known ? keypoints[3 * k]! / width : 0),
          format(known ? keypoints[3 * k + 1]! / height : 0),
          String(known ? keypoints[3 * k + 2] : 0),
        );
      }
    }
    text += `${fields.join(' ')}\n`;
  }
  return text;
}

/** The one outline of an object; null without any. */
function outlineOf(dataset: Dataset, row: number, losses: YoloLosses): ArrayLike<number> | null {
  const mask = dataset.annotations.masks.get(row);
  const rings: ArrayLike<number>[] =
    mask === undefined ? ringsOf(dataset.annotations, row) : maskContours(mask);
  if (rings.length === 0) return null;
  if (rings.length > 1) losses.joined++;
  return rings.length === 1 ? rings[0]! : joinRings(rings);
}

function trimmed(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return short === '-0' ? '0' : short;
}
