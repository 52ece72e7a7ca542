/**
 * Scores a detector on synthesised scenes: COCO AP, and what becomes of digits of each class and size.
 *
 * The detector is used as an application uses it; nothing here knows the model.
 */
import type { Detections } from '../../src/boxes/detections.ts';
import { cocoEvaluation, type Detector } from '../../src/detector/index.ts';
import { type CocoAnnotation, type CocoResult, evaluateCoco } from '../../src/evaluation/index.ts';
import { pairwiseIou } from '../../src/iou/index.ts';
import type { Split } from './distribution.ts';
import { type GroundTruth, SceneSynthesiser } from './synthesis/scene.ts';

/** Longest side of a digit's box, pixels; the last band ends where the distribution does. */
const sizeBands = [
  [14, 20],
  [20, 30],
  [30, 45],
  [45, 83],
] as const;

/** Digits of one size band, at a score above 0.25 and an IoU of at least 0.5. */
export interface SizeFigures {
  readonly from: number;
  readonly to: number;
  readonly digits: number;
  /** Part that some detection covers. */
  readonly found: number;
  /** Part that a detection of the right class covers. */
  readonly right: number;
}

export interface Figures {
  readonly scenes: number;
  readonly digits: number;
  readonly mAP50: number;
  /** Mean over IoU 0.5 : 0.05 : 0.95. */
  readonly mAP: number;
  /** AP at IoU 0.5 of each digit. */
  readonly perClass: readonly number[];
  readonly perSize: readonly SizeFigures[];
}

/** Where the scenes come from; a seed that no training used makes it a fresh examination. */
export interface Examination {
  readonly seed: number;
  readonly scenes: number;
  readonly split?: Split;
}

/** Runs `detector` over fresh scenes and scores it. */
export async function examine(detector: Detector, examination: Examination): Promise<Figures> {
  const { seed, scenes, split = 'heldOut' } = examination;
  const synthesiser = await SceneSynthesiser.create({ seed, split });
  const annotations: CocoAnnotation[] = [];
  const results: CocoResult[] = [];
  const sizes = sizeBands.map(([from, to]) => ({ from, to, digits: 0, found: 0, right: 0 }));
  for (let index = 0; index < scenes; index++) {
    const scene = synthesiser.scene(index);
    const detections = await detector.detect(scene, cocoEvaluation);
    results.push(...detections.toCoco(index));
    annotations.push(...annotationsOf(scene, index, annotations.length));
    countSizes(scene, detections, sizes);
  }
  const categories = Array.from({ length: 10 }, (_, id) => ({ id }));
  const images = Array.from({ length: scenes }, (_, id) => ({ id }));
  const evaluation = evaluateCoco({ images, annotations, categories }, results);
  return {
    scenes,
    digits: annotations.length,
    mAP: evaluation.stats[0],
    mAP50: evaluation.stats[1],
    perClass: evaluation.perClass.map(({ ap50 }) => ap50),
    perSize: sizes.map(({ from, to, digits, found, right }) => {
      return { from, to, digits, found: found / digits, right: right / digits };
    }),
  };
}

/** COCO annotations of one picture; ids count from `firstId` + 1, as pycocotools takes id 0 for "no match". */
export function annotationsOf(
  { boxes, classIds }: GroundTruth,
  imageId: number,
  firstId: number,
  ignore?: ArrayLike<number>,
): CocoAnnotation[] {
  return Array.from(classIds, (category, i) => {
    const [x1, y1, x2, y2] = boxes.subarray(i * 4, i * 4 + 4);
    return {
      id: firstId + i + 1,
      image_id: imageId,
      category_id: category,
      bbox: [x1, y1, x2 - x1, y2 - y1],
      area: (x2 - x1) * (y2 - y1),
      iscrowd: ignore?.[i] ?? 0,
    };
  });
}

function countSizes(
  truth: GroundTruth,
  detections: Detections,
  sizes: { from: number; to: number; digits: number; found: number; right: number }[],
): void {
  const overlaps = pairwiseIou(truth.boxes, detections.boxes);
  for (let digit = 0; digit < truth.classIds.length; digit++) {
    const [x1, y1, x2, y2] = truth.boxes.subarray(digit * 4, digit * 4 + 4);
    const side = Math.max(x2 - x1, y2 - y1);
    // Digits cut by the picture's edge can be shorter than any band.
    const band = sizes.find(({ to }) => side < to) ?? sizes[sizes.length - 1];
    let found = false;
    let right = false;
    for (let i = 0; i < detections.count; i++) {
      if (detections.scores[i] <= 0.25 || overlaps[digit * detections.count + i] < 0.5) continue;
      found = true;
      if (detections.classIds[i] === truth.classIds[digit]) right = true;
    }
    band.digits++;
    if (found) band.found++;
    if (right) band.right++;
  }
}
