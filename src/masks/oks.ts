/**
 * Object keypoint similarity: what IoU is to boxes, for poses (pycocotools `computeOks`).
 *
 * OKS = mean over labelled keypoints of exp(−d² / (2·area·(2σ)²)). Libraries disagree on the scale; see the presets.
 */
import { expectLength } from '../boxes/check.ts';
import { convertBoxes } from '../boxes/formats.ts';
import type { BoxArray, BoxFormat, Preset } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { checkNumber, choiceOption } from '../options.ts';

/** COCO's per-keypoint constants σ of its 17 keypoints. */
export const cocoSigmas: readonly number[] = [
  0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087,
  0.089, 0.089,
];

export interface OksOptions {
  /** K constants σ. Default {@link cocoSigmas}. */
  readonly sigmas?: ArrayLike<number>;
  /** M boxes of the ground truth, 4·M. `'coco'` needs them where an object has no labelled keypoint. */
  readonly boxes?: BoxArray;
  /** Format of `boxes`. Default `'xyxy'`. */
  readonly format?: Exclude<BoxFormat, `${string}n`>;
  /** M areas of the ground truth (COCO's `area`). Default: width × height of `boxes`, times 0.53 for `'ultralytics'`. */
  readonly areas?: ArrayLike<number>;
  /**
   * `'coco'` (default): as above; without labelled keypoints the distance to the box, enlarged by its size on every
   * side, counts for all. `'ultralytics'`: `kpt_iou`, 10⁻⁷ added to area and count. `'mmdetection'`: mmyolo's OKS loss,
   * σ instead of 2σ and the box's squared diagonal instead of its area.
   */
  readonly preset?: Extract<Preset, 'coco' | 'ultralytics' | 'mmdetection'>;
  /** Receives the N·M values. */
  readonly out?: Float64Array;
}

/** Distance from 1 to the next float64, which pycocotools adds to the area. */
const spacing = 2 ** -52;

/**
 * Similarity of every pose of `detections` with every pose of `groundTruth`: N×M, row-major, in float64.
 *
 * Both hold x, y, visibility of K keypoints a pose: 3·K·N and 3·K·M numbers in pixels. Of the ground truth only
 * keypoints with visibility above 0 count, and of detections the visibility is not read. Throws {@link ShapeError} when
 * lengths do not fit, {@link OptionError} when neither `areas` nor `boxes` say how large an object is, for a negative
 * area and a σ that is not above 0.
 */
export function oks(
  detections: ArrayLike<number>,
  groundTruth: ArrayLike<number>,
  options: OksOptions = {},
): Float64Array {
  const { sigmas = cocoSigmas, areas, format = 'xyxy' } = options;
  const preset = choiceOption('preset', options.preset, ['coco', 'ultralytics', 'mmdetection']);
  const perPose = 3 * sigmas.length;
  const poses = (name: string, { length: got }: ArrayLike<number>): number => {
    if (perPose > 0 && got % perPose === 0) return got / perPose;
    throw new ShapeError(`expected ${name} of length ${perPose}·N, got ${got}`, { name, perPose, got });
  };
  const n = poses('detections', detections);
  const m = poses('groundTruth', groundTruth);
  const boxes =
    options.boxes === undefined ? undefined : convertBoxes(Float64Array.from(options.boxes), format, 'xywh');
  expectLength('boxes', boxes?.length ?? 4 * m, 4 * m);
  expectLength('areas', areas?.length ?? m, m);
  checkSigmas(sigmas);
  if (areas === undefined && boxes === undefined && m > 0) {
    throw new OptionError('expected areas or boxes of the ground truth, got neither', {});
  }
  const out = options.out ?? new Float64Array(n * m);
  expectLength('out', out.length, n * m);
  for (let j = 0; j < m; j++) {
    const truth = j * perPose;
    const labelled = countLabelled(groundTruth, truth, perPose);
    if (preset !== 'ultralytics' && labelled === 0 && boxes === undefined) {
      throw new OptionError(`expected boxes, because pose ${j} has no labelled keypoint`, { index: j });
    }
    const scale = checkNumber('area', twiceScale(preset, areas?.[j], boxes, j), 0);
    for (let i = 0; i < n; i++) {
      const pose = i * perPose;
      let sum = 0;
      let count = 0;
      for (let k = 0; k < sigmas.length; k++) {
        const seen = groundTruth[truth + 3 * k + 2] > 0;
        if (!seen && !(preset === 'coco' && labelled === 0)) continue;
        const x = detections[pose + 3 * k];
        const y = detections[pose + 3 * k + 1];
        const dx = seen ? x - groundTruth[truth + 3 * k] : outside(x, boxes![4 * j], boxes![4 * j + 2]);
        const dy = seen
          ? y - groundTruth[truth + 3 * k + 1]
          : outside(y, boxes![4 * j + 1], boxes![4 * j + 3]);
        const sigma = preset === 'mmdetection' ? sigmas[k] : 2 * sigmas[k];
        sum += Math.exp(-(dx * dx + dy * dy) / (sigma * sigma) / scale);
        count++;
      }
      out[i * m + j] =
        preset === 'coco'
          ? sum / count
          : sum / (preset === 'ultralytics' ? count + 1e-7 : Math.max(count, 1e-8));
    }
  }
  return out;
}

/** Twice what the squared distance is measured against. */
function twiceScale(
  preset: 'coco' | 'ultralytics' | 'mmdetection',
  area: number | undefined,
  boxes: Float64Array | undefined,
  j: number,
): number {
  const width = boxes?.[4 * j + 2] ?? 0;
  const height = boxes?.[4 * j + 3] ?? 0;
  if (preset === 'ultralytics') return 2 * ((area ?? 0.53 * width * height) + 1e-7);
  if (preset === 'coco') return 2 * ((area ?? width * height) + spacing);
  if (boxes === undefined)
    throw new OptionError("expected boxes for preset 'mmdetection', got none", { preset });
  return 2 * Math.max(Math.hypot(width, height), 1e-8) ** 2;
}

/** How far a coordinate is outside a box side enlarged by its length at both ends. */
function outside(value: number, start: number, length: number): number {
  return Math.max(0, start - length - value) + Math.max(0, value - (start + 2 * length));
}

function countLabelled(groundTruth: ArrayLike<number>, from: number, perPose: number): number {
  let labelled = 0;
  for (let k = 2; k < perPose; k += 3) if (groundTruth[from + k] > 0) labelled++;
  return labelled;
}

/** Throws {@link OptionError} unless every σ is above 0. */
export function checkSigmas(sigmas: ArrayLike<number>): void {
  for (let k = 0; k < sigmas.length; k++) checkNumber('sigmas', sigmas[k], Number.MIN_VALUE);
}
