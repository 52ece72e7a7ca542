/**
 * The DETR family before its own post-processing: class logits `[1, Q, C]` and boxes `[1, Q, 4]` as normalised
 * `cx,cy,w,h`.
 *
 * Two ways to score. Sigmoid (Deformable DETR, RT-DETR, D-FINE, DEIM, RF-DETR): the best 300 of all query-class pairs,
 * so a query may give several classes. Softmax (DETR): the last class is "no object" and dropped, each query gives
 * its best class (Hugging Face `post_process_object_detection`).
 */
import { imageIndex, layoutError } from './layout.ts';
import { finishPicks, pick, picks, startPicks } from './picks.ts';
import { readColumn } from './tensor.ts';
import type { Candidates, DecodeOptions, ModelOutputs, TensorLike } from './types.ts';

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
  const tensors = detrTensors('detr-softmax', outputs, options);
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

/**
 * Names of the two tensors: boxes have 4 columns, logits are another rank-3 output with as many rows. With four classes
 * both look alike: names decide then, else boxes come last, as every exporter writes them.
 */
export function detrNames(
  outputs: Readonly<Record<string, Pick<TensorLike, 'dims'>>>,
): { readonly logits: string; readonly boxes: string } | undefined {
  const tables = Object.keys(outputs).filter((name) => outputs[name]!.dims.length === 3);
  const boxes = tables.filter((name) => outputs[name]!.dims[2] === 4).reverse();
  boxes.sort((a, b) => Number(/box/i.test(b)) - Number(/box/i.test(a)));
  for (const name of boxes) {
    const rows = outputs[name]!.dims[1];
    const mates = tables.filter((other) => other !== name && outputs[other]!.dims[1] === rows);
    const logits = mates.find((other) => /logit|cls|class|score/i.test(other)) ?? mates[0];
    if (logits !== undefined) return { logits, boxes: name };
  }
  return undefined;
}

function detrTensors(head: string, outputs: ModelOutputs, options: DecodeOptions): DetrTensors {
  const names = detrNames(outputs);
  if (names === undefined) {
    const expected = 'class logits [N, queries, classes] and boxes [N, queries, 4]';
    throw layoutError(head, expected, outputs, options.input);
  }
  const logits = outputs[names.logits]!;
  const [, queries, classes] = logits.dims as [number, number, number];
  const image = imageIndex(logits, options);
  return {
    logits: readColumn(logits, image * queries * classes, queries * classes, 0),
    boxes: readColumn(outputs[names.boxes]!, image * queries * 4, queries * 4, 1),
    queries,
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
