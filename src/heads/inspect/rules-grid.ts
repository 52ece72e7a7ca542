/**
 * Rules for heads with one row, or one column, an anchor: YOLOv5/6/7, YOLOX, YOLOv8 and the end-to-end rows.
 *
 * `[1, A, 5 + C]` is written by YOLOv5, YOLOv6 and YOLOX alike. What tells them apart: 3 rows a grid cell or 1, the
 * channels of the last convolutions (255 = 3·85, or 4, 1 and 80 apart), and whether the graph computes anything
 * after them.
 */
import type { Size } from '../../boxes/types.ts';
import { fitsGrid, gridCells } from '../layout.ts';
import { preprocessingPresets as presets } from '../preprocessing.ts';
import { type Facts, hasOp, inputSize, layerChannels, type OutputFacts, show, turnsBoxes } from './facts.ts';
import { candidate, type Match, type Rule, score } from './rule.ts';
import { landmarksOf } from './rules-landmarks.ts';
import type { HeadCandidate } from './types.ts';

/** The one rank-3 output; several belong to heads with an output a level or a meaning. */
function soleTable({ outputs }: Facts): readonly OutputFacts[] {
  const tables = outputs.filter(({ dims }) => dims.length === 3);
  // beside it, rank 5 are the raw levels that training exports leave in; rank 4 are mask prototypes
  const others = outputs.filter(({ dims }) => dims.length !== 3 && dims.length !== 5);
  return tables.length === 1 && others.length === 0 ? tables : [];
}

/** Cells over strides 8–32 or 8–64, as all but a few models have. */
const isUsualGrid = (cells: number, size: Size): boolean =>
  cells === gridCells(size) || cells === gridCells(size, 3, 6);

/** `[N, A, 5 + C]`. */
export const rowRule: Rule = (facts) => {
  const size = inputSize(facts);
  return soleTable(facts).flatMap((output) => {
    const [, anchors = null, columns = null] = output.dims;
    if (output.dims.length !== 3 || columns === null || columns < 6) return [];
    if (landmarksOf(facts, output) > 0) return [];
    const onGrid = size !== null && anchors !== null ? fitsGrid(anchors, size) : null;
    const threeOnGrid = size !== null && anchors !== null ? fitsGrid(anchors, size, 3) : null;
    // fewer rows than columns is another layout, or rows of detections; unless they are the cells of a small input
    const fewRows = anchors !== null && anchors < columns;
    if (fewRows && !(size !== null && (isUsualGrid(anchors, size) || isUsualGrid(anchors / 3, size))))
      return [];
    if (boxesAndClasses(output, columns - 4, onGrid === true))
      return [transposedYolov8(facts, output, columns - 4)];
    const matches = rowMatchesFromGraph(output, columns) ?? rowMatchesFromDims(output, onGrid, threeOnGrid);
    return matches.map((match) =>
      candidate(facts, {
        ...match,
        classCount: columns - 5,
        reasons: [...match.reasons, dimsReason(facts, output)],
      }),
    );
  });
};

/**
 * Whether the last layers are YOLOv8's: one with exactly these classes, and boxes as distributions or, in YOLO26, as four
 * numbers a cell. With an objectness there would be one class less. Queries have linear layers, and fill no grid.
 */
function boxesAndClasses({ tail }: OutputFacts, classCount: number, onGrid: boolean): boolean {
  const channels = layerChannels(tail);
  if (!channels.includes(classCount)) return false;
  const plain = [...new Set([4, classCount])].sort((a, b) => a - b).join();
  return tail.bins !== null || (onGrid && channels.join() === plain);
}

/** Rows of YOLOv8: boxes and classes apart in the graph, and no objectness. */
function transposedYolov8(
  facts: Facts,
  { name, dims, tail }: OutputFacts,
  classCount: number,
): HeadCandidate {
  return candidate(facts, {
    head: 'yolov8-rows',
    family: 'YOLOv8 (transposed)',
    score: score.read,
    reasons: [
      `output ${name} is ${show(dims)}: rows of box and ${classCount} classes`,
      tail.bins === null
        ? `the last convolutions have ${layerChannels(tail).join(', ')} channels: there is no objectness`
        : `the graph takes the expectation of ${tail.bins} bins a side (DFL): there is no objectness`,
    ],
    classCount,
    convention: presets.ultralytics,
  });
}

type PartialMatch = Omit<Match, 'classCount'>;

/** What the end of the graph says; null where it says nothing. */
function rowMatchesFromGraph({ tail }: OutputFacts, columns: number): PartialMatch[] | null {
  const channels = layerChannels(tail);
  const classes = columns - 5;
  const computes = hasOp(tail, 'Exp', 'Mul', 'Add', 'Sub', 'Pow', 'Div');
  const perCell =
    channels.length > 0 && channels.every((count) => count % columns === 0) ? channels[0]! / columns : 0;
  if (perCell >= 2 && perCell <= 5) {
    if (!computes) return [];
    const family = hasOp(tail, 'Exp') ? 'YOLOv3/4' : 'YOLOv5/7';
    const reason =
      `the last convolutions have ${channels.join(', ')} channels, ${perCell} anchors of ${columns}; the graph ` +
      'multiplies by anchor sizes, so boxes come out in pixels';
    return [
      { head: 'yolov5', family, score: score.read, reasons: [reason], convention: presets.ultralytics },
    ];
  }
  const apart = channels.includes(classes) && channels.some((count) => count === 4 || count % 4 === 0);
  if (!apart) return null;
  const named = `the last convolutions have ${channels.join(', ')} channels`;
  if (channels.includes(1) || (classes === 1 && channels.includes(4))) {
    if (!computes) {
      const reason = `${named}: box, objectness and classes apart, and nothing is computed after them: raw grid offsets`;
      return [{ head: 'yolox', family: 'YOLOX', score: score.read, reasons: [reason], ...yoloxPicture }];
    }
    const reason = `${named}: box, objectness and classes apart, decoded in the graph`;
    return [
      { head: 'yolov5', family: 'YOLOX (decoded)', score: score.read, reasons: [reason], ...yoloxPicture },
    ];
  }
  const reason = `${named}: boxes and classes and no objectness, decoded in the graph`;
  return [
    {
      head: 'yolov5',
      family: 'YOLOv6',
      score: score.read,
      reasons: [reason],
      convention: presets.ultralytics,
    },
  ];
}

const yoloxPicture = { convention: presets.yolox, alternatives: [presets.yoloxLegacy] } as const;

/** What dims alone allow. */
function rowMatchesFromDims(
  output: OutputFacts,
  onGrid: boolean | null,
  threeOnGrid: boolean | null,
): PartialMatch[] {
  const yolov5: PartialMatch = {
    head: 'yolov5',
    family: 'YOLOv5/7',
    score: score.dims,
    reasons: [],
    convention: presets.ultralytics,
  };
  if (threeOnGrid === true && onGrid !== true) {
    const reasons = ['three rows a grid cell, as anchor-based YOLOs have'];
    const channels = layerChannels(output.tail);
    if (channels.length === 0) return [{ ...yolov5, score: score.likely, reasons }];
    // YOLOv7-pose: boxes and keypoints from convolutions of their own
    reasons.push(`the last convolutions have ${channels.join(', ')} channels: not these columns alone`);
    return [{ ...yolov5, score: score.weak, reasons }];
  }
  const oneCell: PartialMatch[] = [
    {
      ...yolov5,
      head: 'yolox',
      family: 'YOLOX',
      reasons: ['YOLOX has one row a grid cell'],
      ...yoloxPicture,
    },
    { ...yolov5, family: 'YOLOv6', reasons: ['YOLOv6 has one row a grid cell and objectness 1'] },
    {
      ...yolov5,
      family: 'YOLOX (decoded)',
      reasons: ['YOLOX with its decoding in the graph'],
      ...yoloxPicture,
    },
  ];
  if (output.dims[2] === 84) {
    const reasons = ['84 columns are a box and the 80 classes of COCO'];
    oneCell.unshift({ ...yolov5, head: 'yolov8-rows', family: 'YOLOv8 (transposed)', reasons });
  }
  if (onGrid === true) return oneCell;
  if (onGrid === null) return [{ ...yolov5, reasons: ['the number of rows is open'] }, ...oneCell];
  return [{ ...yolov5, score: score.weak, reasons: [`${output.dims[1]} rows are no multiple of the grid`] }];
}

function dimsReason(facts: Facts, { name, dims }: OutputFacts): string {
  const size = inputSize(facts);
  const at = size === null ? '' : ` at input ${size.width}×${size.height}`;
  return `output ${name} is ${show(dims)}${at}: rows of box, objectness and ${dims[2]! - 5} classes`;
}

/** `[N, 4 + C, A]`: YOLOv8 and its successors. */
export const columnRule: Rule = (facts) => {
  const size = inputSize(facts);
  const found: HeadCandidate[] = [];
  for (const output of soleTable(facts)) {
    const [, rows = null, anchors = null] = output.dims;
    if (output.dims.length !== 3 || rows === null || rows < 5) continue;
    const onGrid = size !== null && anchors !== null ? fitsGrid(anchors, size) : null;
    const usual = size !== null && anchors !== null && isUsualGrid(anchors, size);
    if (anchors !== null && anchors < rows && !usual) continue;
    // a small input has about as many cells as a row has columns: then either may be the anchors
    const rowsOnGrid = size !== null && (isUsualGrid(rows, size) || isUsualGrid(rows / 3, size));
    const { tail } = output;
    const channels = layerChannels(tail);
    const classes = rows - 4;
    const reasons = [`output ${output.name} is ${show(output.dims)}: columns of box and ${classes} classes`];
    let points: number = score.likely;
    if (onGrid === false || (rowsOnGrid && !usual)) points = score.weak;
    else if (rowsOnGrid) points = score.dims;
    if (onGrid === true) reasons.push(`${anchors} anchors are the grid cells of the input`);
    if (anchors === null && channels.length === 0) points = score.weak;
    if (tail.bins !== null) {
      points = score.read;
      reasons.push(`the graph takes the expectation of ${tail.bins} bins a side (DFL)`);
    } else if (channels.includes(classes) && channels.some((count) => count % 4 === 0)) {
      points = score.read;
      reasons.push(`the last convolutions have ${channels.join(', ')} channels: boxes and classes apart`);
    }
    if (['pose', 'obb', 'segment'].includes(facts.metadata.task ?? '')) continue;
    if (hasOp(tail, 'Einsum')) reasons.push('classes are products with features of a text (Einsum)');
    else if (tail.bins !== null && channels.length > 0 && !channels.includes(classes)) {
      // the rows hold more than classes: another task's rule knows
      points = score.weak;
      reasons.push(`no last convolution has ${classes} channels`);
    }
    if (turnsBoxes(tail)) points = score.weak;
    if (facts.metadata.task === 'detect') {
      points = score.read;
      reasons.push("metadata: task 'detect'");
    }
    found.push(
      candidate(facts, {
        head: 'yolov8',
        family: 'YOLOv8/9/11/12',
        score: points,
        reasons,
        classCount: classes,
        convention: presets.ultralytics,
      }),
    );
  }
  return found;
};

/** `[N, rows, 6]` with few rows: end-to-end detections. */
export const endToEndRule: Rule = (facts) => {
  const size = inputSize(facts);
  return soleTable(facts).flatMap((output) => {
    const [, rows = null, columns] = output.dims;
    if (output.dims.length !== 3 || columns !== 6) return [];
    const reasons = [`output ${output.name} is ${show(output.dims)}: rows of box, score and class`];
    let points: number = score.dims;
    if (hasOp(output.tail, 'TopK', 'NonMaxSuppression')) {
      points = score.read;
      reasons.push('the graph selects the rows itself (TopK or NonMaxSuppression): no NMS is needed');
    } else if (facts.metadata.end2end?.toLowerCase() === 'true') {
      points = score.read;
      reasons.push('metadata: end2end');
    } else if (facts.metadata.task === 'obb') {
      return [];
    } else if (rows !== null && rows <= 1000 && (size === null || !fitsGrid(rows, size))) {
      points = score.likely;
      reasons.push(`${rows} rows are too few for a grid`);
    } else if (rows !== null && size !== null && (fitsGrid(rows, size) || fitsGrid(rows, size, 3))) {
      return [];
    }
    const match = { head: 'end-to-end', family: 'YOLOv10/26', score: points, reasons } as const;
    return [candidate(facts, { ...match, classCount: null, convention: presets.ultralytics })];
  });
};
