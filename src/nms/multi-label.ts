/** Candidates of several classes a box: every score above the threshold is a row of its own. */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { numberOption, requireFloats } from './input.ts';
import { nms } from './nms.ts';
import type { NmsOptions, ScoreArray } from './types.ts';
import { gatherBoxes } from './voting.ts';

export interface MultiLabelOptions extends Omit<NmsOptions, 'classIds'> {
  /** Only scores strictly above this become rows. */
  readonly scoreThreshold: number;
}

export interface LabelledRows {
  /** The box of each row; a box can come once a class. */
  readonly indices: Uint32Array<ArrayBuffer>;
  readonly scores: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
  readonly classIds: Int32Array<ArrayBuffer>;
}

/** The rows of an N×C score matrix (row-major, one row a box) above the threshold, box by box, class by class. */
export function multiLabelCandidates(
  scores: ScoreArray,
  classes: number,
  scoreThreshold: number,
): LabelledRows {
  requireFloats('scores', scores);
  if (!Number.isInteger(classes) || classes < 1)
    throw new OptionError(`classes: expected an integer > 0, got ${classes}`);
  if (scores.length % classes !== 0) {
    throw new ShapeError(`scores: expected a multiple of ${classes} classes, got ${scores.length}`);
  }
  const threshold = numberOption('scoreThreshold', scoreThreshold, 0);
  const floor = scores instanceof Float32Array ? Math.fround(threshold) : threshold;
  let count = 0;
  for (let i = 0; i < scores.length; i++) if (scores[i]! > floor) count++;
  const indices = new Uint32Array(count);
  const classIds = new Int32Array(count);
  const rows = scores instanceof Float32Array ? new Float32Array(count) : new Float64Array(count);
  for (let i = 0, at = 0; at < count; i++) {
    if (!(scores[i]! > floor)) continue;
    indices[at] = Math.floor(i / classes);
    classIds[at] = i % classes;
    rows[at++] = scores[i]!;
  }
  return { indices, scores: rows, classIds };
}

/**
 * {@link nms} where a box may be of several classes (Ultralytics and YOLOv5 `multi_label`, mmdetection's test time).
 *
 * `boxes` 4·N, `scores` N·C row-major, C from the lengths. Returns kept rows score-descending, ties by lower box, then
 * lower class. `maxCandidates` cuts the rows before suppression (Ultralytics: 30 000).
 */
export function multiLabelNms(boxes: BoxArray, scores: ScoreArray, options: MultiLabelOptions): LabelledRows {
  requireFloats('boxes', boxes);
  requireFloats('scores', scores);
  const count = boxes.length / 4;
  if (count === 0 && scores.length === 0) return multiLabelCandidates(scores, 1, options.scoreThreshold);
  const rows = multiLabelCandidates(scores, scores.length / count, options.scoreThreshold);
  const rowBoxes = gatherBoxes(boxes, rows.indices, boxes);
  const keep = nms(rowBoxes, rows.scores, { ...options, classIds: rows.classIds });
  return {
    indices: keep.map((row) => rows.indices[row]!),
    // a slice for its precision and length
    scores: rows.scores.slice(0, keep.length).map((_, i) => rows.scores[keep[i]!]!),
    classIds: Int32Array.from(keep, (row) => rows.classIds[row]!),
  };
}
