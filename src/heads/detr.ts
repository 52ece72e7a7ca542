/**
 * The DETR family before its own post-processing: class logits `[1, Q, C]` and boxes `[1, Q, 4]` as normalised
 * `cx,cy,w,h`.
 *
 * Two ways to score. Sigmoid (Deformable DETR, RT-DETR, D-FINE, DEIM, RF-DETR): the best 300 of all query-class pairs,
 * so a query may give several classes. Softmax (DETR): the last class is "no object" and dropped, each query gives
 * its best class (Hugging Face `post_process_object_detection`).
 */
import { findOutput, imageIndex, layoutError } from './layout.ts';
import { finishPicks, pick, picks, startPicks } from './picks.ts';
import { readColumn } from './tensor.ts';
import type { Candidates, DecodeOptions, ModelOutputs } from './types.ts';

export interface DetrOptions extends DecodeOptions {
  /** At most this many query-class pairs (sigmoid only). Default 300. */
  readonly topK?: number;
}

interface DetrTensors {
  readonly logits: Float32Array;
  readonly boxes: Float32Array;
  readonly queries: number;
  readonly classes: number;
}

/**
 * Detections of a DETR-family output scored by sigmoid, best first; ties: lower query, then lower class.
 *
 * `multiLabel` has no meaning here: every pair above the threshold among the best `topK` is a detection.
 *
 * @example
 * const detections = decodeDetr({ pred_logits, pred_boxes }, { input: { width: 640, height: 640 } });
 */
export function decodeDetr(outputs: ModelOutputs, options: DetrOptions): Candidates {
  const tensors = detrTensors('detr', outputs, options);
  const { logits, queries, classes } = tensors;
  const threshold = startPicks(options);
  // the sigmoid is monotone: a logit well below the threshold's own needs no exp
  const floor = Math.log(threshold / (1 - threshold)) - 1e-3;
  for (let query = 0, i = 0; query < queries; query++) {
    if (Number.isNaN(logits[i])) picks.dropped++;
    for (let c = 0; c < classes; c++, i++) {
      if (logits[i]! < floor) continue;
      const score = Math.fround(1 / (1 + Math.exp(-logits[i]!)));
      if (score > threshold) pick(query, c, score);
    }
  }
  keepBest(options.topK ?? 300);
  return finishDetr(tensors, options);
}

/** Detections of a DETR output scored by softmax over C + 1 classes, the last being "no object"; in query order. */
export function decodeDetrSoftmax(outputs: ModelOutputs, options: DecodeOptions): Candidates {
  // the classifier has one column more than there are classes
  const { classCount } = options;
  const columns = classCount === undefined ? {} : { classCount: classCount + 1 };
  const tensors = detrTensors('detr-softmax', outputs, { ...options, ...columns });
  const { logits, queries, classes } = tensors;
  const threshold = startPicks(options);
  for (let query = 0; query < queries; query++) {
    const from = query * classes;
    const last = from + classes - 1;
    let best = from;
    for (let i = from + 1; i < last; i++) if (logits[i]! > logits[best]!) best = i;
    const highest = Math.max(logits[best]!, logits[last]!);
    let sum = 0;
    for (let i = from; i <= last; i++) sum += Math.exp(logits[i]! - highest);
    if (Number.isNaN(sum)) {
      picks.dropped++;
      continue;
    }
    for (let c = 0; c < classes - 1; c++) {
      const score = Math.fround(Math.exp(logits[from + c]! - highest) / sum);
      if ((from + c === best || options.multiLabel === true) && score > threshold) pick(query, c, score);
    }
  }
  return finishDetr(tensors, options);
}

/** The two tensors: boxes are the rank-3 output of 4 columns, logits the other one with as many rows. */
function detrTensors(head: string, outputs: ModelOutputs, options: DecodeOptions): DetrTensors {
  const { classCount, input } = options;
  const expected = 'class logits [N, queries, classes] and boxes [N, queries, 4]';
  const named = (pattern: RegExp) => (dims: readonly number[], name: string) =>
    dims.length === 3 && pattern.test(name);
  // four classes make both tensors look alike: names decide then
  const logits =
    findOutput(outputs, named(/logit/i)) ??
    findOutput(outputs, (dims) => dims.length === 3 && dims[2] === (classCount ?? -1)) ??
    findOutput(outputs, (dims) => dims.length === 3 && dims[2] !== 4) ??
    findOutput(outputs, named(/cls|class|score/i));
  const boxes = findOutput(
    outputs,
    (dims, name) =>
      outputs[name] !== logits && dims.length === 3 && dims[2] === 4 && dims[1] === logits?.dims[1],
  );
  if (logits === undefined || boxes === undefined) throw layoutError(head, expected, outputs, input);
  const [, rows, classes] = logits.dims as [number, number, number];
  const image = imageIndex(logits, options);
  return {
    logits: readColumn(logits, image * rows * classes, rows * classes, 0),
    boxes: readColumn(boxes, image * rows * 4, rows * 4, 1),
    queries: rows,
    classes,
  };
}

function finishDetr(tensors: DetrTensors, { input }: DecodeOptions): Candidates {
  const source = tensors.boxes;
  return finishPicks(true, (row, boxes, at) => {
    const from = 4 * row;
    const halfWidth = source[from + 2]! / 2;
    const halfHeight = source[from + 3]! / 2;
    boxes[at] = (source[from]! - halfWidth) * input.width;
    boxes[at + 1] = (source[from + 1]! - halfHeight) * input.height;
    boxes[at + 2] = (source[from]! + halfWidth) * input.width;
    boxes[at + 3] = (source[from + 1]! + halfHeight) * input.height;
  });
}

/** Sorts the picks by score, ties in the order they came, and keeps the first `topK`. */
export function keepBest(topK: number): void {
  const count = picks.count;
  const scores = picks.scores.slice(0, count);
  const rows = picks.rows.slice(0, count);
  const classIds = picks.classIds.slice(0, count);
  const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
  picks.count = Math.min(topK, count);
  for (let i = 0; i < picks.count; i++) {
    picks.scores[i] = scores[order[i]!]!;
    picks.rows[i] = rows[order[i]!]!;
    picks.classIds[i] = classIds[order[i]!]!;
  }
}
