/** The numbers of each library's post-processing. */
import { OptionError } from '../errors.ts';
import { limitOption, numberOption } from './input.ts';

/** A library whose post-processing is reproduced from scores to detections. */
export type LibraryPreset = 'ultralytics' | 'torchvision' | 'mmdetection' | 'supervision' | 'tensorflow';

/** Overrides of a preset's numbers; its order and its way of separating classes stay. */
export interface PresetOptions {
  /** Keeps scores strictly above this. */
  readonly scoreThreshold?: number | undefined;
  readonly iouThreshold?: number | undefined;
  /** A row for every class above the threshold, not for the best only. */
  readonly multiLabel?: boolean | undefined;
  /** Only the best this many rows enter. */
  readonly maxCandidates?: number | undefined;
  readonly maxDetections?: number | undefined;
  readonly maxDetectionsPerClass?: number | undefined;
  /** Classes suppress each other. */
  readonly agnostic?: boolean | undefined;
}

/** A library's own numbers; no score threshold where the library leaves it to others. */
export interface PresetDefaults {
  readonly scoreThreshold?: number;
  readonly iouThreshold: number;
  readonly multiLabel: boolean;
  readonly maxCandidates?: number;
  readonly maxDetections?: number;
  readonly maxDetectionsPerClass?: number;
  /** Boxes with a side below this do not take part. */
  readonly minSize?: number;
  /** Whether boxes are cut at the border of the image, and when. */
  readonly clip?: 'before' | 'after';
}

/**
 * - `ultralytics`: `model.predict`: 0.25, IoU 0.7, best class only, 30 000 rows in, 300 out (`model.val`: 0.001 and
 *   `multiLabel`).
 * - `torchvision`: `RoIHeads`: 0.05, IoU 0.5, every class, sides of at least 0.01 after cutting at the image, 100 out.
 * - `mmdetection`: `multiclass_nms` as its two-stage configs call it: 0.05, IoU 0.5, every class, 100 out.
 * - `supervision`: `Detections.with_nms`: IoU 0.5, the class a detection has, no limit, no threshold of its own.
 * - `tensorflow`: the object detection API's `BatchNonMaxSuppression`: 0, IoU 0.6, every class, 100 a class, 100 out.
 */
export const presetDefaults: Readonly<Record<LibraryPreset, PresetDefaults>> = {
  ultralytics: {
    scoreThreshold: 0.25,
    iouThreshold: 0.7,
    multiLabel: false,
    maxCandidates: 30_000,
    maxDetections: 300,
  },
  torchvision: {
    scoreThreshold: 0.05,
    iouThreshold: 0.5,
    multiLabel: true,
    maxDetections: 100,
    minSize: 0.01,
    clip: 'before',
  },
  mmdetection: { scoreThreshold: 0.05, iouThreshold: 0.5, multiLabel: true, maxDetections: 100 },
  supervision: { iouThreshold: 0.5, multiLabel: false },
  tensorflow: {
    scoreThreshold: 0,
    iouThreshold: 0.6,
    multiLabel: true,
    maxDetections: 100,
    maxDetectionsPerClass: 100,
    clip: 'after',
  },
};

/** Throws {@link OptionError} unless the name is a preset's. */
export function requirePreset(preset: LibraryPreset): void {
  if (Object.hasOwn(presetDefaults, preset)) return;
  const names = Object.keys(presetDefaults).join(', ');
  throw new OptionError(`preset: expected one of ${names}, got ${String(preset)}`, { preset });
}

/** A preset's numbers with overrides in place, checked. */
export function presetRules(preset: LibraryPreset, options: PresetOptions) {
  requirePreset(preset);
  const own = presetDefaults[preset];
  return {
    scoreThreshold: options.scoreThreshold ?? own.scoreThreshold,
    iouThreshold: numberOption('iouThreshold', options.iouThreshold, own.iouThreshold),
    multiLabel: options.multiLabel ?? own.multiLabel,
    maxCandidates: limitOption('maxCandidates', options.maxCandidates ?? own.maxCandidates),
    maxDetections: limitOption('maxDetections', options.maxDetections ?? own.maxDetections),
    maxDetectionsPerClass: limitOption(
      'maxDetectionsPerClass',
      options.maxDetectionsPerClass ?? own.maxDetectionsPerClass,
    ),
    agnostic: options.agnostic ?? false,
    minSize: own.minSize ?? 0,
  };
}
