/** One objective from start to end: a network trained on it, its features of both splits, and how well they verify. */
import { classes, type DigitSet } from './digits.ts';
import { objectives } from './objectives.ts';
import { train } from './training.ts';
import { type FeatureSet, nearestMeanAccuracy, verificationAccuracy } from './verification.ts';

export interface Experiment {
  readonly title: string;
  /** Of the digits the network never saw. */
  readonly features: FeatureSet;
  /** Pairs told right, 0–1. */
  readonly verification: number;
  /** Digits nearest to the mean of their class, 0–1. */
  readonly nearestMean: number;
}

export interface ExperimentOptions {
  readonly training: DigitSet;
  readonly heldOut: DigitSet;
  readonly epochs: number;
  readonly seed: number;
  readonly pairs?: number;
  readonly progress?: (step: number, steps: number) => void;
}

export function experiment(name: string, options: ExperimentOptions): Experiment {
  if (!Object.hasOwn(objectives, name)) {
    throw new RangeError(`no objective '${name}'; there are ${Object.keys(objectives).join(', ')}`);
  }
  const objective = objectives[name]!();
  const { training, heldOut, epochs, seed, pairs, progress } = options;
  const embed = train(objective, training, {
    epochs,
    seed,
    ...(progress === undefined ? {} : { progress }),
  });
  const known = { features: embed(training.images), labels: training.labels };
  const features = { features: embed(heldOut.images), labels: heldOut.labels };
  return {
    title: objective.title,
    features,
    verification: verificationAccuracy(known, features, objective.compare, pairs),
    nearestMean: nearestMeanAccuracy(known, features, objective.compare, classes),
  };
}
