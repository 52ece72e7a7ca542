/** Rules for face detectors: RetinaFace, SCRFD, YuNet, BlazeFace. Columns of 1, 2, 4 and 10 or 16 tell them. */
import { pyramidStrides } from '../../anchors/grid.ts';
import { gridCells } from '../layout.ts';
import { preprocessingPresets as presets } from '../preprocessing.ts';
import { type Facts, hasOp, inputSize } from './facts.ts';
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

function face(
  facts: Facts,
  levels: readonly LevelFacts[],
  head: 'scrfd' | 'yunet',
  family: string,
  convention: Match['convention'],
  what: string,
): HeadCandidate {
  const scores = levels[0]!.outputs.find(({ columns }) => columns === 1)!;
  const logits = scores.tail.layers.length > 0 && !hasOp(scores.tail, 'Sigmoid');
  const columns = columnsOf(levels[0]!).replaceAll(',', ', ');
  return candidate(facts, {
    head,
    family,
    score: score.read,
    reasons: [
      `levels of strides ${strideList(levels)} with ${columns} columns: ${what}, box and keypoints of a face`,
    ],
    classCount: 1,
    convention,
    headOptions: { activation: logits ? 'sigmoid' : 'none' },
  });
}

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
