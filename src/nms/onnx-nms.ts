/** The ONNX operator NonMaxSuppression, with its own layout, defaults and order. */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { limitOption, numberOption, requireFloats } from './input.ts';
import { nms } from './nms.ts';
import type { ScoreArray } from './types.ts';

export interface OnnxNmsOptions {
  readonly batches: number;
  readonly classes: number;
  /** `0`: y1,x1,y2,x2 with any two diagonal corners; `1`: centre x, centre y, width, height. Default 0. */
  readonly centerPointBox?: 0 | 1;
  /** The operator's default is 0: nothing is returned. Negative counts as 0. */
  readonly maxOutputBoxesPerClass?: number;
  /** In 0..1, default 0; rounded to float32 for float32 boxes. */
  readonly iouThreshold?: number;
  /** Keeps scores strictly above this. Default: no filter. */
  readonly scoreThreshold?: number;
}

/**
 * Selects boxes per batch and class: `boxes` [batches, N, 4], `scores` [batches, classes, N], row-major.
 *
 * Returns K·3 numbers, rows (batch, class, box index), ordered by batch, class, then score-descending with ties by lower
 * index, as the operator's `selected_indices`. Boxes with a NaN or infinite number are never selected.
 * Throws {@link ShapeError} and {@link OptionError}; an IoU threshold outside 0..1 is an error, as in onnxruntime.
 */
export function onnxNms(
  boxes: BoxArray,
  scores: ScoreArray,
  options: OnnxNmsOptions,
): Int32Array<ArrayBuffer> {
  requireFloats('boxes', boxes);
  requireFloats('scores', scores);
  const { batches, classes, centerPointBox = 0 } = options;
  limitOption('batches', batches);
  limitOption('classes', classes);
  if (centerPointBox !== 0 && centerPointBox !== 1) {
    throw new OptionError(`centerPointBox: expected 0 or 1, got ${String(centerPointBox)}`);
  }
  const count = batches === 0 ? 0 : boxes.length / (4 * batches);
  if (!Number.isInteger(count) || (batches === 0 && boxes.length > 0)) {
    throw new ShapeError(`boxes: expected ${batches}·N·4 numbers, got ${boxes.length}`);
  }
  if (scores.length !== batches * classes * count) {
    throw new ShapeError(`scores: expected ${batches * classes * count}, got ${scores.length}`);
  }
  const given = numberOption('iouThreshold', options.iouThreshold, 0);
  if (!(given >= 0 && given <= 1)) {
    throw new OptionError(`iouThreshold: expected a number in 0..1, got ${given}`);
  }
  // The operator's threshold is a float32 tensor: an IoU stored as 0.3 is not above 0.3.
  const iouThreshold = boxes instanceof Float32Array ? Math.fround(given) : given;
  const maxDetections = Math.max(
    0,
    Math.floor(numberOption('maxOutputBoxesPerClass', options.maxOutputBoxesPerClass, 0)),
  );
  const { scoreThreshold } = options;
  const corners = toCorners(boxes, centerPointBox);
  const rows: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    const ofBatch = corners.subarray(4 * count * batch, 4 * count * (batch + 1));
    for (let c = 0; c < classes; c++) {
      const start = (batch * classes + c) * count;
      const kept = nms(ofBatch, scores.subarray(start, start + count), {
        iouThreshold,
        maxDetections,
        ...(scoreThreshold === undefined ? {} : { scoreThreshold }),
      });
      for (const box of kept) rows.push(batch, c, box);
    }
  }
  return Int32Array.from(rows);
}

/** x1,y1,x2,y2 in the precision of the boxes. */
function toCorners(boxes: BoxArray, centerPointBox: 0 | 1): BoxArray {
  const corners = boxes.slice();
  for (let at = 0; at < boxes.length; at += 4) {
    const a = boxes[at]!;
    const b = boxes[at + 1]!;
    const c = boxes[at + 2]!;
    const d = boxes[at + 3]!;
    if (centerPointBox === 1) {
      corners[at] = a - c / 2;
      corners[at + 1] = b - d / 2;
      corners[at + 2] = a + c / 2;
      corners[at + 3] = b + d / 2;
    } else {
      corners[at] = Math.min(b, d);
      corners[at + 1] = Math.min(a, c);
      corners[at + 2] = Math.max(b, d);
      corners[at + 3] = Math.max(a, c);
    }
  }
  return corners;
}
