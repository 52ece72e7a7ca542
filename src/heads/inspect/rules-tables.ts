/**
 * Rules for heads with boxes and scores in tables of the same rows: YOLO-NAS, YOLOv4, SSD, UltraFace, RetinaNet and
 * EfficientDet joined. The number of rows tells the priors.
 */
import { fitsGrid, gridCells } from '../layout.ts';
import { preprocessingPresets as presets } from '../preprocessing.ts';
import { type Facts, hasOp, inputSize, type OutputFacts, show } from './facts.ts';
import { candidate, type Match, type Rule, score } from './rule.ts';
import { anchorCandidates } from './rules-levels.ts';

interface Tables {
  readonly boxes: OutputFacts;
  readonly scores: OutputFacts;
  readonly rows: number;
  readonly columns: number;
}

/** Exactly two outputs: boxes `[N, R, 4]` and scores `[N, R, C]` (or `[N, C, R]`). */
function tablesOf(facts: Facts): Tables | null {
  if (facts.outputs.length !== 2) return null;
  for (const boxes of facts.outputs) {
    const scores = facts.outputs.find((other) => other !== boxes)!;
    const rows = boxes.dims[1] ?? null;
    if (boxes.dims.length !== 3 || boxes.dims[2] !== 4 || scores.dims.length !== 3 || rows === null) continue;
    if (rows === 4 || (scores.dims[2] === 4 && /box|loc|reg/i.test(scores.name))) continue;
    const columns =
      scores.dims[1] === rows ? scores.dims[2] : scores.dims[2] === rows ? scores.dims[1] : null;
    if (columns != null) return { boxes, scores, rows, columns };
  }
  return null;
}

export const tableRule: Rule = (facts) => {
  const tables = tablesOf(facts);
  const size = inputSize(facts);
  if (tables === null || tables.rows <= 1000) return [];
  const { boxes, scores, rows, columns } = tables;
  const dims = `outputs ${boxes.name} ${show(boxes.dims)} and ${scores.name} ${show(scores.dims)}`;
  const activated = hasOp(scores.tail, 'Sigmoid');
  if (size !== null && rows === 9 * gridCells(size, 3, 7)) {
    return anchorCandidates(facts, `${dims}: nine anchors a cell on strides 8 to 128`, columns, activated);
  }
  if (size !== null && fitsGrid(rows, size)) {
    const match: Match = {
      head: 'yolo-nas',
      family: 'YOLO-NAS',
      score: hasOp(boxes.tail, 'Sub', 'Add', 'Mul') ? score.read : score.likely,
      reasons: [`${dims}: one box a grid cell, decoded`],
      classCount: columns,
      convention: presets.ultralytics,
      headOptions: { activation: activated || scores.tail.layers.length === 0 ? 'none' : 'sigmoid' },
    };
    return [candidate(facts, match)];
  }
  if (size !== null && columns === 2 && rows === ultraFaceRows(size)) return ultraFace(facts, tables, dims);
  const softmax = hasOp(scores.tail, 'Softmax');
  const ssd: Match = {
    head: 'ssd',
    family: 'SSD',
    score: rows === 8732 ? score.likely : score.weak,
    reasons: [
      dims,
      rows === 8732 ? "8732 priors are SSD300's" : `${rows} priors of unknown sizes: pass them as priors`,
    ],
    classCount: columns - 1,
    convention: presets.ssd,
    headOptions: { activation: softmax ? 'none' : 'softmax' },
  };
  return [candidate(facts, ssd)];
};

/** pytorch-YOLOv4: boxes `[N, A, 1, 4]` (once, early, `[N, A, C, 4]`) and confidences `[N, A, C]`. */
export const yolov4Rule: Rule = (facts) => {
  const boxes = facts.outputs.find(({ dims }) => dims.length === 4 && dims[3] === 4);
  const confs = facts.outputs.find(({ dims }) => dims.length === 3);
  if (facts.outputs.length !== 2 || boxes === undefined || confs === undefined) return [];
  const [, anchors = null, copies] = boxes.dims;
  const classCount = confs.dims[2] ?? null;
  if (confs.dims[1] !== anchors || classCount === null || (copies !== 1 && copies !== classCount)) return [];
  const dims = `outputs ${boxes.name} ${show(boxes.dims)} and ${confs.name} ${show(confs.dims)}`;
  const match: Match = {
    head: 'yolov4',
    family: 'YOLOv4 (pytorch-YOLOv4)',
    score: score.read,
    reasons: [`${dims}: one box an anchor for all classes, decoded, as fractions of the picture`],
    classCount,
    convention: presets.torchvision,
  };
  return [candidate(facts, match)];
};

function ultraFaceRows(size: { width: number; height: number }): number {
  return (
    3 * gridCells(size, 3, 3) +
    2 * gridCells(size, 4, 4) +
    2 * gridCells(size, 5, 5) +
    3 * gridCells(size, 6, 6)
  );
}

/** Decoded where the graph exponentiates the sizes. */
function ultraFace(facts: Facts, { boxes, scores, rows }: Tables, dims: string) {
  const known = boxes.tail.layers.length > 0;
  const decoded = hasOp(boxes.tail, 'Exp');
  const done = hasOp(scores.tail, 'Softmax') || scores.tail.layers.length === 0;
  const match = (head: 'ultraface' | 'ultraface-raw', fits: boolean, reason: string): Match => ({
    head,
    family: head === 'ultraface' ? 'UltraFace' : 'UltraFace (raw)',
    score: known ? (fits ? score.read : score.weak) : score.dims,
    reasons: [`${dims}: ${rows} priors are UltraFace's`, reason],
    classCount: 1,
    convention: presets.ultraface,
    headOptions: { activation: done ? 'none' : 'softmax' },
  });
  return [
    match('ultraface', decoded, 'boxes are decoded in the graph'),
    match('ultraface-raw', !decoded, 'boxes are deltas: nothing is computed after the convolutions'),
  ].map((found) => candidate(facts, found));
}
