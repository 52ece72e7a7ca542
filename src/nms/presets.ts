/**
 * What a library does with class scores, from end to end: threshold, one or many labels a box, candidates, suppression,
 * order and limits.
 *
 * Class-aware suppression is done as the library does it. Where that is one NMS over boxes moved apart by class, the
 * moved boxes are float32 here as there: far classes lose digits (at class 79 Ultralytics' boxes lie on sixteenths of a
 * pixel), and a keep list is only reproduced with the same loss.
 */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { rotatedOverlap } from '../iou/rotated.ts';
import { nmsBySimilarity } from './by-similarity.ts';
import { bucketByClass } from './classes.ts';
import { cornersIou } from './fusion.ts';
import { countBoxes, requireClassIds, requireFloats } from './input.ts';
import { type LabelledRows, multiLabelCandidates } from './multi-label.ts';
import { nms } from './nms.ts';
import { orderByScore } from './order.ts';
import { type LibraryPreset, type PresetOptions, presetRules } from './preset-rules.ts';
import type { ScoreArray } from './types.ts';

/** Boxes and scores of one class each, before suppression. */
export interface PresetRows {
  /** 4·N as `x1,y1,x2,y2`. */
  readonly boxes: BoxArray;
  /** N. */
  readonly scores: ScoreArray;
  /** N. */
  readonly classIds: Int32Array;
  /** N, radians, clockwise: rotated boxes, which only `'ultralytics'` has a rule for. */
  readonly angles?: BoxArray;
}

/**
 * Rows that a library keeps, in the library's order (supervision: the order they came in, else by descending score).
 *
 * Rows at or below the score threshold are dropped first. Returns indices of `rows`.
 * Sources: Ultralytics `ops.non_max_suppression`; torchvision `RoIHeads.postprocess_detections`; mmdetection
 * `multiclass_nms` over mmcv `batched_nms`; supervision `Detections.with_nms`; TensorFlow
 * `combined_non_max_suppression` with the object detection API's defaults.
 */
export function presetNms(
  rows: PresetRows,
  preset: LibraryPreset,
  options: PresetOptions = {},
): Uint32Array<ArrayBuffer> {
  const { boxes, scores, classIds, angles } = rows;
  requireClassIds(classIds, countBoxes(boxes, scores));
  const rules = presetRules(preset, options);
  const { iouThreshold, maxDetections, agnostic } = rules;
  if (angles !== undefined) {
    if (preset !== 'ultralytics') {
      throw new OptionError(`preset '${preset}' has no rule for rotated boxes; 'ultralytics' has`, {
        preset,
      });
    }
    return rotatedFast(rows, angles, rules.scoreThreshold ?? Number.NEGATIVE_INFINITY, rules);
  }
  const entering = enter(rows, rules.scoreThreshold, rules.minSize, rules.maxCandidates);
  const own = gatherRows(rows, entering);
  let kept: Uint32Array;
  switch (preset) {
    case 'ultralytics':
      // max_wh of 7680 pixels between classes
      kept = nms(agnostic ? own.boxes : apart(own, 7680), own.scores, { iouThreshold });
      break;
    case 'torchvision':
      // up to 4000 coordinates in one NMS, above that class by class
      kept = agnostic || own.boxes.length <= 4000 ? moved(own, rules) : byClass(own, rules);
      break;
    case 'mmdetection':
      // from 10 000 on class by class, over the moved boxes all the same; mmcv then forgets `class_agnostic`, too
      kept =
        own.scores.length < 10_000
          ? moved(own, rules)
          : byClass(agnostic ? own : { ...own, boxes: spread(own) }, { ...rules, agnostic: false });
      break;
    case 'supervision':
      kept = reversed(own, rules);
      break;
    default:
      kept = byClass(own, rules);
  }
  return kept.slice(0, Math.min(kept.length, maxDetections)).map((row) => entering[row]!);
}

/**
 * Detections a library makes of boxes and class scores: rows of box, class and score.
 *
 * `boxes` 4·N as `x1,y1,x2,y2`, or 4·N·C where every class has its own; `scores` N·C, row-major, probabilities without a
 * background column. Returns kept rows with the index of their box. Throws {@link ShapeError} when lengths do not fit.
 *
 * @example
 * const { indices, scores, classIds } = presetDetections(boxes, classScores, 80, 'torchvision');
 */
export function presetDetections(
  boxes: BoxArray,
  scores: ScoreArray,
  classes: number,
  preset: LibraryPreset,
  options: PresetOptions = {},
): LabelledRows {
  requireFloats('boxes', boxes);
  requireFloats('scores', scores);
  const rules = presetRules(preset, options);
  const threshold = rules.scoreThreshold ?? Number.NEGATIVE_INFINITY;
  const count = scores.length / classes;
  if (boxes.length !== 4 * count && boxes.length !== 4 * scores.length) {
    throw new ShapeError(
      `boxes: expected ${4 * count} numbers (one a row of scores) or ${4 * scores.length} (one a class), got ${boxes.length}`,
    );
  }
  const perClass = boxes.length !== 4 * count;
  const labelled =
    rules.multiLabel && classes > 1
      ? multiLabelCandidates(scores, classes, threshold)
      : bestLabels(scores, classes, threshold);
  const rowBoxes =
    boxes instanceof Float32Array
      ? new Float32Array(4 * labelled.indices.length)
      : new Float64Array(4 * labelled.indices.length);
  for (let row = 0; row < labelled.indices.length; row++) {
    const from = perClass
      ? labelled.indices[row]! * classes + labelled.classIds[row]!
      : labelled.indices[row]!;
    for (let k = 0; k < 4; k++) rowBoxes[4 * row + k] = boxes[4 * from + k]!;
  }
  const rows = { boxes: rowBoxes, scores: labelled.scores, classIds: labelled.classIds };
  const kept = presetNms(rows, preset, options);
  const own = gatherRows(rows, kept);
  return {
    indices: kept.map((row) => labelled.indices[row]!),
    scores: own.scores as LabelledRows['scores'],
    classIds: own.classIds,
  };
}

/** The best class of every row above the threshold, the lowest of equal ones. */
function bestLabels(scores: ScoreArray, classes: number, threshold: number): LabelledRows {
  const floor = scores instanceof Float32Array ? Math.fround(threshold) : threshold;
  const indices: number[] = [];
  const classIds: number[] = [];
  const best: number[] = [];
  for (let row = 0; row * classes < scores.length; row++) {
    let id = 0;
    for (let c = 1; c < classes; c++) {
      if (scores[row * classes + c]! > scores[row * classes + id]!) id = c;
    }
    const score = scores[row * classes + id]!;
    if (!(score > floor)) continue;
    indices.push(row);
    classIds.push(id);
    best.push(score);
  }
  return {
    indices: Uint32Array.from(indices),
    scores: scores instanceof Float32Array ? Float32Array.from(best) : Float64Array.from(best),
    classIds: Int32Array.from(classIds),
  };
}

/** Rows that take part, in the order they came: finite, above the threshold, large enough, the best so many. */
function enter(
  { boxes, scores }: PresetRows,
  scoreThreshold: number | undefined,
  minSize: number,
  maxCandidates: number,
): Uint32Array<ArrayBuffer> {
  const threshold = scoreThreshold ?? Number.NEGATIVE_INFINITY;
  const floor = scores instanceof Float32Array ? Math.fround(threshold) : threshold;
  const side = boxes instanceof Float32Array ? Math.fround(minSize) : minSize;
  const round = boxes instanceof Float32Array ? Math.fround : (value: number) => value;
  const found = new Uint32Array(scores.length);
  let count = 0;
  for (let i = 0; i < scores.length; i++) {
    const [x1, y1, x2, y2] = [boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!];
    if (!(scores[i]! > floor) || !Number.isFinite(x1 + y1 + x2 + y2 + scores[i]!)) continue;
    if (minSize > 0 && !(round(x2 - x1) >= side && round(y2 - y1) >= side)) continue;
    found[count++] = i;
  }
  const entering = found.slice(0, count);
  return count > maxCandidates ? orderByScore(scores, entering).slice(0, maxCandidates) : entering;
}

interface Rows {
  readonly boxes: BoxArray;
  readonly scores: ScoreArray;
  readonly classIds: Int32Array<ArrayBuffer>;
}

function gatherRows({ boxes, scores, classIds }: PresetRows, indices: Uint32Array): Rows {
  const own = {
    boxes:
      boxes instanceof Float32Array
        ? new Float32Array(4 * indices.length)
        : new Float64Array(4 * indices.length),
    scores:
      scores instanceof Float32Array ? new Float32Array(indices.length) : new Float64Array(indices.length),
    classIds: new Int32Array(indices.length),
  };
  indices.forEach((index, row) => {
    for (let k = 0; k < 4; k++) own.boxes[4 * row + k] = boxes[4 * index + k]!;
    own.scores[row] = scores[index]!;
    own.classIds[row] = classIds[index]!;
  });
  return own;
}

/** Boxes moved by class · distance along both axes, each step rounded to the boxes' precision. */
function apart({ boxes, classIds }: Rows, distance: number): BoxArray {
  const round = boxes instanceof Float32Array ? Math.fround : (value: number) => value;
  const out = boxes.slice();
  for (let i = 0; i < out.length; i++) out[i] = boxes[i]! + round(classIds[i >> 2]! * round(distance));
  return out;
}

type Rules = ReturnType<typeof presetRules>;

/** Boxes moved by class · (largest coordinate + 1): torchvision's and mmcv's coordinate trick. */
function spread(rows: Rows): BoxArray {
  const { boxes } = rows;
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < boxes.length; i++) largest = Math.max(largest, boxes[i]!);
  return apart(rows, largest + 1);
}

/** One NMS over all boxes, those of different classes moved apart. */
function moved(rows: Rows, { iouThreshold, agnostic }: Rules): Uint32Array {
  return nms(agnostic ? rows.boxes : spread(rows), rows.scores, { iouThreshold });
}

/** One NMS a class, at most so many of each, then all by score: ties in the order of classes, then of rows. */
function byClass({ boxes, scores, classIds }: Rows, rules: Rules): Uint32Array {
  const { iouThreshold, agnostic } = rules;
  if (agnostic) return nms(boxes, scores, { iouThreshold });
  const kept = nms(boxes, scores, { iouThreshold, classIds });
  const limit = rules.maxDetectionsPerClass;
  if (limit === Number.POSITIVE_INFINITY) return kept;
  const { members, ranks, starts } = bucketByClass(kept, classIds);
  const chosen: number[] = [];
  for (let b = 0; b + 1 < starts.length; b++) {
    for (let at = starts[b]!; at < Math.min(starts[b + 1]!, starts[b]! + limit); at++) chosen.push(at);
  }
  return Uint32Array.from(
    chosen.sort((a, b) => ranks[a]! - ranks[b]!),
    (at) => members[at]!,
  );
}

/**
 * supervision: IoU in float64 rounded to float32, of equal scores the later row first, what is kept in the order it came.
 */
function reversed({ boxes, scores, classIds }: Rows, { iouThreshold, agnostic }: Rules): Uint32Array {
  const last = scores.length - 1;
  const corners = Array.from(scores, (_, i) => boxes.subarray(4 * (last - i), 4 * (last - i) + 4));
  const iou = (i: number, j: number) => Math.fround(cornersIou(corners[i]!, corners[j]!));
  const kept = nmsBySimilarity(scores.slice().reverse(), iou, {
    iouThreshold,
    ...(agnostic ? {} : { classIds: classIds.slice().reverse() }),
  });
  return kept.map((row) => last - row).sort();
}

/** Ultralytics' rule for rotated boxes: gone when any better box of the class has a ProbIoU at or above the threshold. */
function rotatedFast(
  rows: PresetRows,
  angles: BoxArray,
  scoreThreshold: number,
  { iouThreshold, maxDetections, maxCandidates, agnostic }: Rules,
): Uint32Array<ArrayBuffer> {
  const { boxes, scores, classIds } = rows;
  const overlap = rotatedOverlap(boxes, angles, boxes, angles, { overlap: 'probiou' });
  const finite = enter(rows, scoreThreshold, 0, Number.POSITIVE_INFINITY).filter((i) =>
    Number.isFinite(angles[i]!),
  );
  const order = orderByScore(scores, finite).slice(0, Math.min(finite.length, maxCandidates));
  const kept = order.filter((index, rank) => {
    for (let better = 0; better < rank; better++) {
      const other = order[better]!;
      if ((agnostic || classIds[other] === classIds[index]) && overlap(other, index) >= iouThreshold)
        return false;
    }
    return true;
  });
  return kept.slice(0, Math.min(kept.length, maxDetections));
}
