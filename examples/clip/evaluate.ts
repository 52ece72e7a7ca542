/**
 * Scores detections of the clip's frames against its ground truth, as COCO does.
 *
 * Digits cut by the frame's edge to less than 60 % are crowd regions: finding one is neither asked for nor wrong.
 */
import { annotationsOf } from '../../models/digits/evaluation.ts';
import type { Detections } from '../../src/boxes/detections.ts';
import { type CocoAnnotation, type CocoResult, evaluateCoco } from '../../src/evaluation/index.ts';
import { groundTruth } from './clip.ts';

export interface ClipScore {
  readonly mAP50: number;
  /** Mean over IoU 0.5 : 0.05 : 0.95. */
  readonly mAP: number;
  readonly frames: number;
  /** Digits that count. */
  readonly digits: number;
}

/** Scores what was detected in some frames of the clip; keys are frame indices. */
export function scoreClip(detected: ReadonlyMap<number, Detections>): ClipScore {
  const annotations: CocoAnnotation[] = [];
  const results: CocoResult[] = [];
  for (const [frame, detections] of detected) {
    const truth = groundTruth(frame);
    annotations.push(...annotationsOf(truth, frame, annotations.length, truth.ignore));
    results.push(...detections.toCoco(frame));
  }
  const { stats } = evaluateCoco(
    {
      images: Array.from(detected.keys(), (id) => ({ id })),
      annotations,
      categories: Array.from({ length: 10 }, (_, id) => ({ id })),
    },
    results,
  );
  const digits = annotations.filter(({ iscrowd }) => iscrowd === 0).length;
  return { mAP: stats[0], mAP50: stats[1], frames: detected.size, digits };
}
