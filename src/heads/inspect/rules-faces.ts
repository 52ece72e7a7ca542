/** Rules for face detectors: RetinaFace, SCRFD, YuNet, BlazeFace, CenterFace. Columns of 1, 2, 4 and 10 or 16 tell them. */
import { pyramidStrides } from '../../anchors/grid.ts';
import { gridCells } from '../layout.ts';
import { preprocessingPresets as presets } from '../preprocessing.ts';
import { type Facts, hasOp, inputSize, type OutputFacts, show } from './facts.ts';
import { type LevelFacts, levelsOf, sameEverywhere, strideList } from './levels.ts';
import { candidate, type Match, type Rule, score } from './rule.ts';
import type { HeadCandidate } from './types.ts';

const columnsOf = ({ outputs }: LevelFacts) =>
  outputs
    .map(({ columns }) => columns)
    .sort((a, b) => a - b)
    .join();

/** Level outputs of 1, 4 and 10 columns: SCRFD with two anchors a cell, YuNet with one and two scores. */
export const faceLevelRule: Rule = (facts) => {
  if (inputSize(facts) === null) return openFaceLevels(facts);
  const found: HeadCandidate[] = [];
  const scrfd = levelsOf(facts, 2, pyramidStrides);
  if (scrfd.length >= 3 && sameEverywhere(facts, scrfd) && /^1,4(,10)?$/.test(columnsOf(scrfd[0]!))) {
    found.push(face(facts, scrfd, 'scrfd', 'SCRFD', presets.scrfd, 'two anchors a cell'));
  }
  const yunet = levelsOf(facts, 1, [8, 16, 32, 64]);
  if (yunet.length >= 3 && sameEverywhere(facts, yunet) && /^1,1,4(,10)?$/.test(columnsOf(yunet[0]!))) {
    found.push(face(facts, yunet, 'yunet', 'YuNet', presets.yunet, 'class and objectness'));
  }
  return found;
};

/**
 * SCRFD with an open input, as insightface's own files have it (`det_10g.onnx` of buffalo_l): three or five outputs each of 1,
 * 4 and perhaps 10 columns. Their rows are open, or those of the picture it was exported with, a quarter a level.
 */
function openFaceLevels(facts: Facts): HeadCandidate[] {
  const columns = (count: number) =>
    facts.outputs.filter(({ dims }) => (dims.length === 2 || dims.length === 3) && dims.at(-1) === count);
  const [scores, boxes, keypoints] = [columns(1), columns(4), columns(10)];
  const levels = scores.length;
  const total = levels + boxes.length + keypoints.length;
  if ((levels !== 3 && levels !== 5) || boxes.length !== levels || total !== facts.outputs.length) return [];
  if (keypoints.length !== 0 && keypoints.length !== levels) return [];
  const rows = scores.map(({ dims }) => dims.at(-2) ?? null);
  if (rows.some((count, i) => i > 0 && count !== null && 4 * count !== rows[i - 1])) return [];
  const listed = keypoints.length > 0 ? '1, 4, 10' : '1, 4';
  return [
    faceMatch(facts, scores[0]!, 'scrfd', 'SCRFD', presets.scrfd, [
      `${levels} levels of ${listed} columns and an open input: box${keypoints.length > 0 ? ' and keypoints' : ''} of a face`,
    ]),
  ];
}

function face(
  facts: Facts,
  levels: readonly LevelFacts[],
  head: 'scrfd' | 'yunet',
  family: string,
  convention: Match['convention'],
  what: string,
): HeadCandidate {
  const scores = levels[0]!.outputs.find(({ columns }) => columns === 1)!;
  const columns = columnsOf(levels[0]!).replaceAll(',', ', ');
  return faceMatch(facts, scores, head, family, convention, [
    `levels of strides ${strideList(levels)} with ${columns} columns: ${what}, box and keypoints of a face`,
  ]);
}

function faceMatch(
  facts: Facts,
  scores: OutputFacts,
  head: Match['head'],
  family: string,
  convention: Match['convention'],
  reasons: Match['reasons'],
): HeadCandidate {
  const logits = scores.tail.layers.length > 0 && !hasOp(scores.tail, 'Sigmoid');
  return candidate(facts, {
    head,
    family,
    score: score.read,
    reasons,
    classCount: 1,
    convention,
    headOptions: { activation: logits ? 'sigmoid' : 'none' },
  });
}

/** CenterFace: four maps of one size with 1, 2, 2 and 10 channels. */
export const centerFaceRule: Rule = (facts) => {
  const { outputs } = facts;
  const channels = outputs.map(({ dims }) => (dims.length === 4 ? (dims[1] ?? 0) : 0)).sort((a, b) => a - b);
  if (channels.join() !== '1,2,2,10') return [];
  const [heat] = outputs.filter(({ dims }) => dims[1] === 1);
  const side = (axis: 2 | 3) => outputs.every(({ dims }) => dims[axis] === heat!.dims[axis]);
  const size = inputSize(facts);
  const quarter = size === null || heat!.dims[3] === null || 4 * heat!.dims[3]! === size.width;
  if (!side(2) || !side(3) || !quarter) return [];
  const reason = `maps ${show(heat!.dims)} of faces, and 2, 2 and 10 channels: sizes, offsets and five landmarks`;
  return [faceMatch(facts, heat!, 'centerface', 'CenterFace', presets.centerface, [reason])];
};

/** RetinaFace: 2 priors a cell of strides 8, 16, 32; 16 columns, or 4, 2 and 10. */
export const retinaFaceRule: Rule = (facts) => {
  const size = inputSize(facts);
  if (size === null) return [];
  const rows = 2 * gridCells(size, 3, 5);
  const tables = facts.outputs.filter(({ dims }) => dims.length === 3 && dims[1] === rows);
  const columns = tables.map(({ dims }) => dims[2] ?? 0).sort((a, b) => a - b);
  if (tables.length !== facts.outputs.length || !/^(16|2,4|2,4,10)$/.test(columns.join())) return [];
  const scores = tables.find(({ dims }) => dims[2] === 2 || dims[2] === 16)!;
  const softmax = hasOp(scores.tail, 'Softmax');
  const match: Match = {
    head: 'retinaface',
    family: 'RetinaFace',
    score: score.read,
    reasons: [
      `${rows} rows are two priors a cell on strides 8, 16, 32, with ${columns.join(', ')} columns: box, score, landmarks`,
      softmax ? 'scores went through a softmax in the graph' : 'no softmax in the graph: scores are logits',
    ],
    classCount: 1,
    convention: presets.retinaface,
    headOptions: { activation: softmax || scores.tail.layers.length === 0 ? 'none' : 'softmax' },
  };
  return [candidate(facts, match)];
};

/** BlazeFace: 896 anchors, joined or as 512 and 384, with 1 and 16 columns. */
export const blazeFaceRule: Rule = (facts) => {
  const shapes = facts.outputs
    .map(({ dims }) => `${dims[1]}x${dims[2]}`)
    .sort()
    .join();
  const joined = shapes === '896x1,896x16';
  if (!joined && shapes !== '384x1,384x16,512x1,512x16') return [];
  const scores = facts.outputs.find(({ dims }) => dims[2] === 1)!;
  const match: Match = {
    head: 'blazeface',
    family: 'BlazeFace',
    score: score.read,
    reasons: [
      `896 anchors${joined ? '' : ' (512 + 384)'} with a score and 16 numbers: box and six keypoints of a face`,
    ],
    classCount: 1,
    convention: presets.blazeface,
    headOptions: { activation: hasOp(scores.tail, 'Sigmoid') ? 'none' : 'sigmoid' },
  };
  return [candidate(facts, match)];
};
