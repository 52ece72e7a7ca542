/**
 * End-to-end models (YOLOv10, YOLO26): rows of `x1,y1,x2,y2` in input pixels, score, class, and what the task adds.
 * Suppression was learnt or done inside the model, so none is needed.
 */
import { findOutput, imageIndex, layoutError } from './layout.ts';
import { finishPicks, finiteRows, gatherColumn, pick, picks, startPicks } from './picks.ts';
import { readPrototypes } from './prototypes.ts';
import { readColumn } from './tensor.ts';
import type { Candidates, DecodeOptions, HeadOptions, ModelOutputs } from './types.ts';

/**
 * Detections of an end-to-end output, in row order (the models sort by score). `multiLabel` has no meaning here: the
 * model itself gives a row for every label.
 *
 * Reads the first output of dims `[N, rows, 6]`; other dims are a `LayoutError`.
 *
 * @example
 * const { boxes, scores, classIds } = decodeEndToEnd({ output0 }, { input: { width: 640, height: 640 } });
 */
export function decodeEndToEnd(outputs: ModelOutputs, options: DecodeOptions): Candidates {
  return decodeRows('end-to-end', '[N, detections, 6]', (columns) => columns === 6, outputs, options)
    .candidates;
}

/** Detections of YOLO26-seg: `[N, rows, 6 + M]` and prototypes `[N, M, h, w]`; see `decodeMask`. */
export function decodeEndToEndSeg(outputs: ModelOutputs, options: DecodeOptions): Candidates {
  const prototypes = readPrototypes(outputs, options);
  // without prototypes no number of columns fits
  const channels = prototypes?.channels ?? Number.NaN;
  const layout = '[N, detections, 6 + masks] and prototypes [N, masks, h, w]';
  const fits = (columns: number) => columns === 6 + channels;
  const { candidates, data, columns } = decodeRows('end-to-end-seg', layout, fits, outputs, options);
  const maskCoefficients = gatherColumn(channels, (row, column, at) => {
    for (let m = 0; m < channels; m++) column[at + m] = data[row * columns + 6 + m]!;
  });
  return finiteRows({ ...candidates, maskCoefficients, prototypes: prototypes! });
}

/** Detections of YOLO26-pose: `[N, rows, 6 + d·K]`, keypoints `x, y` (and visibility where d is 3) in input pixels. */
export function decodeEndToEndPose(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const fits = (columns: number) => columns >= 8 && (columns - 6) % (options.keypointDims ?? 1) === 0;
  const layout = '[N, detections, 6 + keypoints]';
  const { candidates, data, columns } = decodeRows('end-to-end-pose', layout, fits, outputs, options);
  const dims = options.keypointDims ?? ((columns - 6) % 3 === 0 ? 3 : 2);
  const keypointCount = (columns - 6) / dims;
  const keypoints = gatherColumn(3 * keypointCount, (row, column, at) => {
    for (let k = 0; k < keypointCount; k++) {
      const from = row * columns + 6 + dims * k;
      column[at + 3 * k] = data[from]!;
      column[at + 3 * k + 1] = data[from + 1]!;
      column[at + 3 * k + 2] = dims === 3 ? data[from + 2]! : 1;
    }
  });
  return finiteRows({ ...candidates, keypoints, keypointCount });
}

/**
 * Detections of YOLO26-obb: `[N, rows, 7]` of `cx,cy,w,h`, score, class, angle in radians. `boxes` are the unrotated
 * rectangles, `angles` turn them clockwise about their centres.
 */
export function decodeEndToEndObb(outputs: ModelOutputs, options: DecodeOptions): Candidates {
  const fits = (columns: number) => columns === 7;
  const { candidates, data } = decodeRows('end-to-end-obb', '[N, detections, 7]', fits, outputs, options);
  const { boxes } = candidates;
  for (let i = 0; i < boxes.length; i += 4) {
    const halfWidth = boxes[i + 2]! / 2;
    const halfHeight = boxes[i + 3]! / 2;
    boxes[i + 2] = boxes[i]! + halfWidth;
    boxes[i + 3] = boxes[i + 1]! + halfHeight;
    boxes[i] = boxes[i]! - halfWidth;
    boxes[i + 1] = boxes[i + 1]! - halfHeight;
  }
  const angles = gatherColumn(1, (row, column, at) => {
    column[at] = data[7 * row + 6]!;
  });
  return finiteRows({ ...candidates, angles });
}

function decodeRows(
  head: string,
  layout: string,
  fits: (columns: number) => boolean,
  outputs: ModelOutputs,
  options: DecodeOptions,
): { candidates: Candidates; data: Float32Array; columns: number } {
  const tensor = findOutput(outputs, (dims) => dims.length === 3 && fits(dims[2]!));
  if (tensor === undefined) throw layoutError(head, layout, outputs, options.input);
  const [, rows, columns] = tensor.dims as [number, number, number];
  const data = readColumn(tensor, imageIndex(tensor, options) * rows * columns, rows * columns);
  const threshold = startPicks(options);
  for (let row = 0, from = 0; row < rows; row++, from += columns) {
    const score = data[from + 4]!;
    if (score > threshold) pick(row, Math.round(data[from + 5]!), score);
    else if (Number.isNaN(score)) picks.dropped++;
  }
  const candidates = finishPicks(true, (row, boxes, at) => {
    for (let k = 0; k < 4; k++) boxes[at + k] = data[columns * row + k]!;
  });
  return { candidates, data, columns };
}
