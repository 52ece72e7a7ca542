/** Output tensors → `Detections` of one picture: head, suppression, back to image pixels. */
import { Detections } from '../boxes/detections.ts';
import type { FrameTransform } from '../boxes/frame-transform.ts';
import { NumericError, OptionError } from '../errors.ts';
import { decode } from '../heads/registry.ts';
import type { Candidates, HeadName, ModelOutputs } from '../heads/types.ts';
import { nms } from '../nms/index.ts';
import type { DetectorPlan } from './plan.ts';
import type { DetectOptions, DetectorOptions } from './types.ts';

/** The run-time options of one call, with every default in place and class names turned into ids. */
export interface ResolvedOptions {
  readonly scoreThreshold: number;
  readonly nms: Exclude<DetectOptions['nms'], undefined>;
  readonly classes: readonly number[] | undefined;
  readonly multiLabel: boolean;
  readonly clip: boolean;
}

/**
 * Suppression where nothing else is asked for: IoU above 0.7 within a class (Ultralytics' default), the 30 000 best
 * candidates, at most 300 detections an image.
 */
export const defaultNms = {
  metric: 'iou',
  iouThreshold: 0.7,
  scope: 'class',
  maxCandidates: 30_000,
  maxDetections: 300,
} as const;

/** Where a family evaluates with another threshold than Ultralytics. */
const familyIouThreshold: Readonly<Partial<Record<HeadName, number>>> = { yolox: 0.65 };

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
export type RunDefaults = Pick<DetectorOptions, 'scoreThreshold' | 'nms' | 'classes' | 'multiLabel' | 'clip'>;

/** Options of a call over those of the detector over the library's. Throws {@link OptionError}. */
export function resolveOptions(
  call: DetectOptions,
  detector: RunDefaults,
  { head, classNames }: Pick<DetectorPlan, 'head' | 'classNames'>,
): ResolvedOptions {
  const scoreThreshold = call.scoreThreshold ?? detector.scoreThreshold ?? 0.25;
  if (!(scoreThreshold >= 0 && scoreThreshold <= 1)) {
    throw new OptionError(`scoreThreshold: expected a number from 0 to 1, got ${scoreThreshold}`, {
      scoreThreshold,
    });
  }
  const classes = call.classes ?? detector.classes;
  return {
    scoreThreshold,
    nms: resolveNms(head, call.nms, detector.nms),
    classes: classes?.map((name) => classId(name, classNames)),
    multiLabel: call.multiLabel ?? detector.multiLabel ?? false,
    clip: call.clip ?? detector.clip ?? false,
  };
}

function resolveNms(
  head: HeadName,
  call: DetectOptions['nms'],
  detector: DetectOptions['nms'],
): ResolvedOptions['nms'] {
  if (call === false || (call === undefined && detector === false)) return false;
  const iouThreshold = familyIouThreshold[head] ?? defaultNms.iouThreshold;
  return { ...defaultNms, iouThreshold, ...(detector === false ? {} : detector), ...call };
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

/**
 * Detections of picture `image` of a batch, best first, boxes in image pixels.
 *
 * Rows with NaN or infinity are left out. Where nothing else is left, the model gave no answer, and that is a
 * {@link NumericError}, not an empty result.
 */
export function postprocess(
  outputs: ModelOutputs,
  image: number,
  transform: FrameTransform,
  plan: DetectorPlan,
  options: ResolvedOptions,
): Detections {
  const { scoreThreshold, classes, multiLabel, clip } = options;
  const candidates = decode(plan.head, outputs, {
    ...plan.decoding,
    input: plan.preprocessing.size,
    image,
    scoreThreshold,
    multiLabel,
    ...(classes === undefined ? {} : { classes }),
  });
  if (candidates.count === 0 && candidates.dropped > 0) {
    throw new NumericError(
      `The model gave nothing but NaN or infinity above the threshold (${candidates.dropped} rows).`,
      { dropped: candidates.dropped },
    );
  }
  const keep = suppress(candidates, options.nms);
  const { classNames } = plan;
  const found = Detections.create({ count: keep.length, classNames, imageSize: transform.source });
  for (let i = 0; i < keep.length; i++) {
    const from = keep[i];
    for (let k = 0; k < 4; k++) found.boxes[4 * i + k] = candidates.boxes[4 * from + k];
    found.scores[i] = candidates.scores[from];
    found.classIds[i] = candidates.classIds[from];
  }
  transform.toImage(found.boxes, { out: found.boxes, clip });
  return found;
}

/** Indices kept, best first. A head without need of NMS is only sorted and limited. */
function suppress(candidates: Candidates, options: ResolvedOptions['nms']): Uint32Array {
  const { boxes, scores, classIds, nmsFree, count } = candidates;
  if (!nmsFree && options !== false) return nms(boxes, scores, { ...options, classIds });
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  order.sort((a, b) => scores[b] - scores[a] || a - b);
  return options === false ? order : order.subarray(0, options.maxDetections);
}
