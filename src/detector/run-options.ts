/** The run-time options of a call: the call's over the detector's over a library's over boxops' own. */
import { OptionError } from '../errors.ts';
import type { HeadName } from '../heads/types.ts';
import { nms } from '../nms/nms.ts';
import { type LibraryPreset, presetDefaults, requirePreset } from '../nms/preset-rules.ts';
import type { DetectorPlan } from './plan.ts';
import type { DetectNms, DetectOptions, DetectorOptions } from './types.ts';

/** The run-time options of one call, with every default in place and class names turned into ids. */
export interface ResolvedOptions {
  readonly scoreThreshold: number;
  readonly nms: DetectNms | false;
  readonly classes: readonly number[] | undefined;
  readonly multiLabel: boolean;
  readonly clip: boolean;
  readonly preset: LibraryPreset | undefined;
  readonly masks: boolean;
}

/**
 * Suppression where nothing else is asked for: IoU above 0.7 within a class (Ultralytics' default; other families have
 * their own threshold), the 30 000 best candidates, at most 300 detections an image.
 */
export const defaultNms = {
  metric: 'iou',
  iouThreshold: 0.7,
  scope: 'class',
  maxCandidates: 30_000,
  maxDetections: 300,
} as const;

/** Where a family's own code suppresses at another IoU than Ultralytics'. */
const familyIouThreshold: Readonly<Partial<Record<HeadName, number>>> = {
  yolox: 0.65,
  fastestdet: 0.45,
  nanodet: 0.6,
  'nanodet-plus': 0.6,
  ssd: 0.45,
  retinanet: 0.5,
  efficientdet: 0.5,
  fcos: 0.6,
  ultraface: 0.3,
  'ultraface-raw': 0.3,
  retinaface: 0.4,
  scrfd: 0.4,
  yunet: 0.3,
  blazeface: 0.3,
};

/**
 * Run-time options under which COCO AP is measured: every score from 0.001, one detection for every class, at most 300
 * an image, boxes as the model gives them.
 *
 * @example
 * const detections = await detector.detect(image, cocoEvaluation);
 */
export const cocoEvaluation = {
  scoreThreshold: 0.001,
  multiLabel: true,
  nms: { maxDetections: 300 },
} as const satisfies DetectOptions;

/** The run-time options a detector was made with. */
export type RunDefaults = Pick<
  DetectorOptions,
  'scoreThreshold' | 'nms' | 'classes' | 'multiLabel' | 'clip' | 'preset' | 'masks'
>;

/** Options of a call over those of the detector over the library's. Throws {@link OptionError}. */
export function resolveOptions(
  call: DetectOptions,
  detector: RunDefaults,
  { head, classNames }: Pick<DetectorPlan, 'head' | 'classNames'>,
): ResolvedOptions {
  const preset = call.preset ?? detector.preset;
  if (preset !== undefined) requirePreset(preset);
  const library = preset === undefined ? undefined : presetDefaults[preset];
  const scoreThreshold = call.scoreThreshold ?? detector.scoreThreshold ?? library?.scoreThreshold ?? 0.25;
  if (!(scoreThreshold >= 0 && scoreThreshold <= 1)) {
    throw new OptionError(`scoreThreshold: expected a number from 0 to 1, got ${scoreThreshold}`, {
      scoreThreshold,
    });
  }
  const classes = call.classes ?? detector.classes ?? undefined;
  if (classes !== undefined && !Array.isArray(classes)) {
    throw new OptionError(`classes: expected an array of ids or names, got ${classes}`, { classes });
  }
  return {
    scoreThreshold,
    nms: resolveNms(head, preset, call.nms, detector.nms),
    classes: classes?.map((name) => classId(name, classNames)),
    multiLabel: call.multiLabel ?? detector.multiLabel ?? library?.multiLabel ?? false,
    clip: call.clip ?? detector.clip ?? library?.clip !== undefined,
    preset,
    masks: call.masks ?? detector.masks ?? true,
  };
}

/** Says what is wrong with the run-time options a detector is made with, as {@link resolveOptions} and `nms` would at its first picture. */
export function checkDefaults(defaults: RunDefaults, plan: Pick<DetectorPlan, 'head' | 'classNames'>): void {
  const { nms: suppression, preset } = resolveOptions({}, defaults, plan);
  if (suppression === false || preset !== undefined) return;
  const { rotated: _, ...options } = suppression;
  nms(new Float32Array(0), new Float32Array(0), { ...options, classIds: new Int32Array(0) });
}

/** With a preset only what was asked for: the preset has its own numbers. */
function resolveNms(
  head: HeadName,
  preset: LibraryPreset | undefined,
  call: DetectOptions['nms'],
  detector: DetectOptions['nms'],
): ResolvedOptions['nms'] {
  if (call === false || (call === undefined && detector === false)) return false;
  const asked = { ...(detector === false ? {} : detector), ...call };
  if (preset === undefined) {
    return { ...defaultNms, iouThreshold: familyIouThreshold[head] ?? defaultNms.iouThreshold, ...asked };
  }
  if ((asked.metric ?? 'iou') !== 'iou' || asked.comparator !== undefined || asked.rotated !== undefined) {
    throw new OptionError(
      `preset '${preset}' brings its own comparison: leave metric, comparator and rotated of nms out`,
      { preset },
    );
  }
  return asked;
}

function classId(name: number | string, classNames: readonly string[]): number {
  if (typeof name === 'number') {
    if (Number.isInteger(name) && name >= 0) return name;
    throw new OptionError(`classes: expected ids from 0 or names, got ${name}`, { class: name });
  }
  const id = classNames.indexOf(name);
  if (id >= 0) return id;
  const known =
    classNames.length === 0 ? 'the model names no classes' : `the classes are ${classNames.join(', ')}`;
  throw new OptionError(`classes: there is no class ${JSON.stringify(name)}; ${known}`, {
    class: name,
    classNames,
  });
}
