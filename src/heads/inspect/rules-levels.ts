/**
 * Rules for heads with outputs a level: raw YOLO levels, DFL heads, RetinaNet, EfficientDet, FCOS, CenterNet,
 * FastestDet.
 */
import { pyramidStrides } from '../../anchors/grid.ts';
import { preprocessingPresets as presets } from '../preprocessing.ts';
import { type Facts, hasOp, layerChannels } from './facts.ts';
import { type LevelFacts, levelsOf, sameEverywhere, strideList } from './levels.ts';
import { candidate, type Match, type Rule, score } from './rule.ts';
import type { HeadCandidate } from './types.ts';

/** Raw YOLO levels: one output a level, all of the same columns. */
export const rawYoloRule: Rule = (facts) => {
  const found: HeadCandidate[] = [];
  const add = (match: Match) => found.push(candidate(facts, match));
  const anchored = levelsOf(facts, 3, [8, 16, 32, 64]);
  const isRank = (rank: number) => facts.outputs.every(({ dims }) => dims.length === rank);
  const sole = ({ outputs }: LevelFacts) => outputs.length === 1;
  if (anchored.length >= 2 && anchored.every(sole) && sameEverywhere(facts, anchored) && !isRank(3)) {
    const { columns, tail } = anchored[0]!.outputs[0]!;
    const fromGraph = layerChannels(tail).join() === `${3 * columns}`;
    if (columns >= 6) {
      const reasons = [`levels of strides ${strideList(anchored)} with 3 anchors of ${columns} columns`];
      if (fromGraph) reasons.push(`the last convolutions have ${3 * columns} channels`);
      const classCount = columns - 5;
      const five = isRank(5);
      if (five) reasons.push('five dims, as YOLOv5 and v7 cut them');
      const base = { classCount, convention: presets.ultralytics };
      const note = 'anchor sizes are in no output: those of the release are assumed';
      add({
        ...base,
        head: 'yolov5-raw',
        family: 'YOLOv5/7 (raw levels)',
        score: five ? score.likely : score.dims,
        reasons: [...reasons, note],
      });
      if (!five) {
        const family = 'YOLOv3/4 (raw levels)';
        add({ ...base, head: 'yolov3', family, score: score.dims, reasons: [...reasons, note] });
      }
    }
  }
  const plain = levelsOf(facts, 1, [8, 16, 32, 64]);
  if (plain.length >= 2 && plain.every(sole) && sameEverywhere(facts, plain) && isRank(4)) {
    const { columns, tail } = plain[0]!.outputs[0]!;
    const channels = layerChannels(tail);
    const classCount = columns - 64;
    const apart = channels.includes(64) && (channels.includes(classCount) || classCount === 64);
    if (classCount >= 1) {
      const reasons = [
        `levels of strides ${strideList(plain)} with ${columns} channels: 4·16 bins and ${classCount} classes`,
      ];
      if (apart)
        reasons.push(
          `the last convolutions have ${channels.join(', ')} channels: distributions and classes apart`,
        );
      add({
        head: 'yolov8-raw',
        family: 'YOLOv8 (raw levels)',
        score: apart ? score.read : channels.length > 0 ? score.weak : score.dims,
        reasons,
        classCount,
        convention: presets.ultralytics,
        headOptions: { activation: hasOp(tail, 'Sigmoid') ? 'none' : 'sigmoid' },
      });
    }
  }
  return found;
};

/** NanoDet, PicoDet, GFL: two outputs a level, one with four distributions. */
export const dflRule: Rule = (facts) => {
  const levels = levelsOf(facts);
  if (
    levels.length < 2 ||
    levels.some(({ outputs }) => outputs.length !== 2) ||
    !sameEverywhere(facts, levels)
  )
    return [];
  const [a, b] = levels[0]!.outputs as [LevelFacts['outputs'][number], LevelFacts['outputs'][number]];
  const distributed = [a, b].filter(({ columns }) => [32, 64, 68, 132].includes(columns));
  const distances = distributed.length === 2 ? (/dis|reg|box|dfl/i.test(a.name) ? a : b) : distributed[0];
  if (distances === undefined) return [];
  const classes = distances === a ? b : a;
  const done = hasOp(classes.tail, 'Sigmoid');
  const strides = strideList(levels);
  const pico = levels.length === 4 && levels.at(-1)!.stride === 64;
  const reasons = [
    `levels of strides ${strides}: ${classes.columns} classes and distributions of ${distances.columns / 4} bins a side`,
    done ? 'scores went through a sigmoid in the graph' : 'no sigmoid in the graph: scores are logits',
    `cell points at ${pico ? 'the middle, as PicoDet has them' : 'the first pixels, as NanoDet has them'}, by convention`,
  ];
  const match: Match = {
    head: 'nanodet',
    family: pico ? 'PicoDet' : 'NanoDet/GFL',
    score: score.read,
    reasons,
    classCount: classes.columns,
    convention: pico ? presets.imagenet : presets.nanodet,
    headOptions: {
      activation: done || classes.tail.layers.length === 0 ? 'none' : 'sigmoid',
      cellPoint: pico ? 'middle' : 'pixel',
      bins: distances.columns / 4,
    },
  };
  return [candidate(facts, match)];
};

/** Nine anchors a cell: scores 9·C and deltas 36 a level. */
export const anchorLevelRule: Rule = (facts) => {
  const levels = levelsOf(facts, 9, pyramidStrides);
  if (
    levels.length < 3 ||
    levels.some(({ outputs }) => outputs.length !== 2) ||
    !sameEverywhere(facts, levels)
  )
    return [];
  const pair = levels[0]!.outputs;
  const deltas = pair.find(({ columns }) => columns === 4);
  const classes = pair.find((output) => output !== deltas);
  if (deltas === undefined || classes === undefined) return [];
  const reason = `levels of strides ${strideList(levels)}: nine anchors a cell, ${classes.columns} classes and deltas`;
  return anchorCandidates(facts, reason, classes.columns, hasOp(classes.tail, 'Sigmoid'));
};

/** RetinaNet or EfficientDet: the backbone tells, because the outputs look alike. */
export function anchorCandidates(
  facts: Facts,
  reason: string,
  classCount: number,
  sigmoidDone: boolean,
): HeadCandidate[] {
  const { nodes } = facts.graph.model;
  const convolutions = nodes.filter(({ op }) => /Conv/.test(op));
  const depthwise = convolutions.filter(({ attributes }) => (attributes.get('group')?.int ?? 1) > 1).length;
  const known = convolutions.length > 0;
  const separable = depthwise > convolutions.length / 5;
  const base = {
    classCount,
    convention: presets.imagenet,
    headOptions: { activation: sigmoidDone ? 'none' : 'sigmoid' },
  } as const;
  const why = separable ? 'a third of the convolutions and more are depthwise' : 'plain convolutions';
  const reasons = known ? [reason, `${why} (${depthwise} of ${convolutions.length} grouped)`] : [reason];
  const points = (fits: boolean) => (!known ? score.dims : fits ? score.likely : score.weak);
  return [
    candidate(facts, { ...base, head: 'retinanet', family: 'RetinaNet', score: points(!separable), reasons }),
    candidate(facts, {
      ...base,
      head: 'efficientdet',
      family: 'EfficientDet',
      score: points(separable),
      reasons,
    }),
  ];
}

/** FCOS and RTMDet: scores, distances and perhaps centreness a level. */
export const distanceLevelRule: Rule = (facts) => {
  const levels = levelsOf(facts, 1, pyramidStrides);
  if (levels.length < 3 || !sameEverywhere(facts, levels)) return [];
  const { outputs } = levels[0]!;
  const distances = outputs.find(({ columns }) => columns === 4);
  const centreness = outputs.length === 3 ? outputs.find(({ columns }) => columns === 1) : undefined;
  const classes = outputs.find((output) => output !== distances && output !== centreness);
  if (
    distances === undefined ||
    classes === undefined ||
    (outputs.length === 3) !== (centreness !== undefined)
  )
    return [];
  if (outputs.length > 3 || [32, 64, 68, 132].includes(classes.columns)) return [];
  const done = hasOp(classes.tail, 'Sigmoid');
  const rtmdet = centreness === undefined;
  const reasons = [
    `levels of strides ${strideList(levels)}: ${classes.columns} classes, distances to four sides` +
      `${rtmdet ? '' : ', centreness'}`,
    rtmdet ? 'cell points and units as in RTMDet, by convention' : 'distances in strides, by convention',
  ];
  const match: Match = {
    head: 'fcos',
    family: rtmdet ? 'RTMDet' : 'FCOS/ATSS',
    score: score.likely,
    reasons,
    classCount: classes.columns,
    convention: presets.imagenet,
    headOptions: {
      activation: done ? 'none' : 'sigmoid',
      cellPoint: rtmdet ? 'corner' : 'middle',
      distanceUnit: rtmdet || hasOp(distances.tail, 'Mul', 'Exp') ? 'pixels' : 'stride',
    },
  };
  return [candidate(facts, match)];
};

/** CenterNet: three maps of one size, two of them with two channels. */
export const centerNetRule: Rule = (facts) => {
  const levels = levelsOf(facts, 1, [4]);
  const outputs = levels[0]?.outputs ?? [];
  if (
    levels.length !== 1 ||
    outputs.length !== facts.outputs.length ||
    outputs.length < 2 ||
    outputs.length > 3
  )
    return [];
  const pairs = outputs.filter(({ columns }) => columns === 2);
  const heat = outputs.find((output) => !pairs.slice(-2).includes(output));
  if (heat === undefined || pairs.length === 0) return [];
  const done = hasOp(heat.tail, 'Sigmoid');
  const match: Match = {
    head: 'centernet',
    family: 'CenterNet',
    score: score.likely,
    reasons: [
      `maps at a quarter of the input: heat of ${heat.columns} classes, sizes${pairs.length > 1 ? ', offsets' : ''}`,
    ],
    classCount: heat.columns,
    convention: presets.imagenet,
    headOptions: { activation: done || heat.tail.layers.length === 0 ? 'none' : 'sigmoid' },
  };
  return [candidate(facts, match)];
};

/** FastestDet: one map at stride 16 of objectness, box and classes. */
export const fastestDetRule: Rule = (facts) => {
  const [level] = levelsOf(facts, 1, [16]);
  const output = level?.outputs[0];
  if (output === undefined || facts.outputs.length !== 1 || output.dims.length !== 4 || output.columns < 6)
    return [];
  const classes = output.columns - 5;
  const channels = layerChannels(output.tail);
  const apart = channels.includes(1) && channels.includes(4) && channels.includes(classes);
  const softmax = hasOp(output.tail, 'Softmax') && !hasOp(output.tail, 'Mul', 'Add');
  const reasons = [
    `one map at stride 16 with ${output.columns} channels: objectness, box, ${classes} classes`,
  ];
  if (apart) reasons.push(`the last convolutions have ${channels.join(', ')} channels`);
  if (softmax) reasons.push('classes went through a softmax, boxes are raw');
  const match: Match = {
    head: 'fastestdet',
    family: 'FastestDet',
    score: apart && softmax ? score.read : score.weak,
    reasons,
    classCount: classes,
    convention: presets.fastestdet,
  };
  return [candidate(facts, match)];
};
