/** Targets of the sigmoid losses: a dense N×C array of soft labels, or one class index a sample. */
import { OptionError, ShapeError } from '../../errors.ts';
import { expectLength, weightStride } from '../common.ts';

/** Whether targets are one class index a sample (rather than a number an element), checked. */
export function areLabels(
  targets: ArrayLike<number>,
  elements: number,
  classes: number | undefined,
  ignoreIndex?: number,
): classes is number {
  if (targets.length === elements && !(targets instanceof Int32Array && classes === 1)) return false;
  if (classes === undefined) {
    throw new ShapeError(
      `expected targets of length ${elements}, or one class index a sample with the option 'classes', got ${targets.length}`,
      { expected: elements, got: targets.length },
    );
  }
  expectLength('targets', targets, elements / classes);
  for (let i = 0; i < targets.length; i++) {
    const label = targets[i]!;
    if (label !== ignoreIndex && (!Number.isInteger(label) || label > classes)) {
      throw new OptionError(
        `targets[${i}] must be a class index below ${classes} (or ${classes} for background), got ${label}`,
      );
    }
  }
  return true;
}

/**
 * N×C targets from class indices: C and every negative index mean background, an all-zero row. Dense
 * targets pass through.
 */
export function denseTargets(
  targets: ArrayLike<number>,
  elements: number,
  classes: number | undefined,
  ignoreIndex?: number,
): ArrayLike<number> {
  if (!areLabels(targets, elements, classes, ignoreIndex)) return targets;
  const dense = new Uint8Array(elements);
  for (let i = 0; i < targets.length; i++) {
    const label = targets[i]!;
    if (label >= 0 && label < classes) dense[i * classes + label] = 1;
  }
  return dense;
}

/** Weights with those of ignored samples 0, and how they are laid out (as `weightStride` says). */
export function weightsWithIgnored(
  weights: ArrayLike<number> | undefined,
  targets: ArrayLike<number>,
  samples: number,
  elements: number,
  labels: boolean,
  ignoreIndex: number | undefined,
): readonly [ArrayLike<number> | undefined, 0 | 1 | 2] {
  const stride = weightStride(weights, samples, elements);
  if (!labels || ignoreIndex === undefined || !Array.prototype.includes.call(targets, ignoreIndex)) {
    return [weights, stride];
  }
  const columns = stride === 2 ? elements / samples : 1;
  const kept = Float64Array.from(
    { length: samples * columns },
    (_, i) =>
      // what is not finite becomes NaN, and is reported
      (weights === undefined ? 1 : weights[i]!) * (targets[Math.floor(i / columns)] === ignoreIndex ? 0 : 1),
  );
  return [kept, stride === 0 ? 1 : stride];
}
