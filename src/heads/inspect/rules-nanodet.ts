/**
 * NanoDet and NanoDet-Plus in one table `[N, cells, C + 4·8]`: class scores and distributions of one convolution side by
 * side, nothing decoded. The number of rows tells the strides, and they the generation.
 */
import { gridCells } from '../layout.ts';
import { preprocessingPresets as presets } from '../preprocessing.ts';
import { hasOp, inputSize, layerChannels, show } from './facts.ts';
import { candidate, type Rule, score } from './rule.ts';

/** reg_max is 7 in every published NanoDet. */
const distributions = 4 * 8;

export const nanoDetTableRule: Rule = (facts) => {
  const size = inputSize(facts);
  const [output] = facts.outputs;
  if (size === null || output === undefined || facts.outputs.length !== 1) return [];
  const [, rows = null, columns = null] = output.dims;
  if (output.dims.length !== 3 || rows === null || columns === null || columns <= distributions) return [];
  const plus = rows === gridCells(size, 3, 6);
  if (!plus && rows !== gridCells(size, 3, 5)) return [];
  const channels = layerChannels(output.tail);
  const classCount = columns - distributions;
  const joined = channels.length === 1 && channels[0] === columns && !hasOp(output.tail, 'Exp');
  // 112 columns: the 80 classes of COCO and four distributions
  if (!joined && (channels.length > 0 || classCount !== 80)) return [];
  const done = channels.length === 0 || hasOp(output.tail, 'Sigmoid');
  const strides = plus ? [8, 16, 32, 64] : [8, 16, 32];
  return [
    candidate(facts, {
      head: 'nanodet-plus',
      family: plus ? 'NanoDet-Plus' : 'NanoDet (one table)',
      score: joined ? score.read : score.likely,
      reasons: [
        `output ${output.name} is ${show(output.dims)}: rows of strides ${strides.join(', ')}, ${classCount} classes and four distributions of 8 bins`,
        joined
          ? `the last convolutions have ${columns} channels: scores and distributions together`
          : '112 columns are the 80 classes of COCO and 32 bins',
      ],
      classCount,
      convention: presets.nanodet,
      headOptions: {
        strides,
        cellPoint: plus ? 'corner' : 'pixel',
        activation: done ? 'none' : 'sigmoid',
      },
    }),
  ];
};
