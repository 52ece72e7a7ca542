/**
 * The trainer's losses and gradients on one batch against boxops's:
 *
 *   npx tsx models/digits/training/check-losses.ts loss-check.safetensors
 *
 * The file is check.py's. Exits with 1 where a value or a gradient differs by more than float32 sums explain.
 */
import { readFileSync } from 'node:fs';
import { iouLoss, qualityFocalLoss } from '../../../src/losses/index.ts';
import { readSafetensors } from '../../../src/targets/formats/safetensors.ts';

const tolerance = 1e-4;

const { tensors, metadata } = readSafetensors(readFileSync(process.argv[2]!));
const column = (name: string): Float32Array => {
  const data = tensors[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`no float32 tensor ${name}`);
  return data;
};
const metric = metadata.metric as 'giou' | 'diou' | 'ciou';
const weights = column('weights');
const [classValue, boxValue] = column('losses');

const classes = qualityFocalLoss(column('logits'), column('qualities'), {
  reduction: 'mean',
  avgFactor: Math.max(1, weights.length),
});
const boxes = iouLoss(column('predicted'), column('truth'), {
  metric,
  weights,
  reduction: 'mean',
  avgFactor: Math.max(
    1,
    weights.reduce((sum, weight) => sum + weight, 0),
  ),
});

/** Largest difference, relative to the largest number there. */
function difference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let most = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    most = Math.max(most, Math.abs(got[i]! - expected[i]!));
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return most / Math.max(scale, 1e-12);
}

const differences = {
  classLoss: difference([classes.value], [classValue!]),
  classGradient: difference(classes.gradient, column('logits_gradient')),
  boxLoss: difference([boxes.value], [boxValue!]),
  boxGradient: difference(boxes.gradient, column('predicted_gradient')),
};
console.log(JSON.stringify({ metric, positives: weights.length, ...differences }));
if (!Object.values(differences).every((value) => value <= tolerance)) process.exitCode = 1;
