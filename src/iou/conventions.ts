/**
 * What each library adds to, or puts under, the quantities it divides by: a preset is a set of guard values.
 *
 * Only the numbers are followed. Where a library forms 0/0 (torchvision's matrix functions, detectron2's
 * matched_pairwise_iou and mmcv on two zero-area boxes; mmdetection's CIoU on identical boxes; YOLOv6's SIoU on boxes
 * with one centre) the NaN is not copied: the pair has IoU 0, the weight or angle term is 0.
 */
import { OptionError } from '../errors.ts';
import { defaultGuards, type GuardValues } from './formula/guards.ts';
import type { MetricConventions } from './types.ts';

/** Guard values of a metric under conventions; what is absent keeps its default. */
export function guardsFor(metric: string, conventions: MetricConventions = {}): GuardValues {
  const { preset, usage = 'matrix', eps } = conventions;
  if (eps !== undefined && !(eps >= 0 && Number.isFinite(eps))) {
    throw new OptionError(`eps must be a finite number ≥ 0, got ${eps}`, { eps });
  }
  switch (preset) {
    case undefined:
    case 'torchvision':
    case 'supervision':
    case 'tensorflow':
    case 'coco':
      // box_iou, generalized_box_iou: no eps; distance/complete_box_iou: 1e-7 on c² and α. Losses: on U and C too.
      return usage === 'loss'
        ? lossGuards(eps ?? 1e-7)
        : eps === undefined
          ? {}
          : { diagonalEps: eps, alphaEps: eps };
    case 'detectron2':
      // pairwise_iou is I > 0 ? I/U : 0; the losses are fvcore's, which are torchvision's.
      return usage === 'loss' ? lossGuards(eps ?? 1e-7) : {};
    case 'ultralytics':
      return ultralyticsGuards(metric, usage, eps ?? 1e-7);
    case 'mmdetection':
      return mmdetectionGuards(metric, eps);
    default:
      throw new OptionError(`unknown preset ${JSON.stringify(preset)}`, { preset });
  }
}

function lossGuards(eps: number): GuardValues {
  return { unionEps: eps, enclosingEps: eps, diagonalEps: eps, alphaEps: eps };
}

/** utils/metrics.py: box_iou and bbox_ioa add eps to the divisor; bbox_iou also to heights, union and enclosing area. */
function ultralyticsGuards(metric: string, usage: 'matrix' | 'loss', eps: number): GuardValues {
  const areaOnly =
    metric === 'ioa' || metric === 'iof' || metric === 'ios' || (metric === 'iou' && usage === 'matrix');
  if (areaOnly) return { unionEps: eps };
  return {
    unionEps: eps,
    heightEps: eps,
    enclosingEps: eps,
    penaltyEnclosingEps: eps,
    penaltyUnionEps: eps,
    diagonalEps: eps,
    alphaEps: eps,
  };
}

/** bbox_overlaps: divisors at least eps (iou and iof 1e-6, giou 1e-7); the other losses add eps, CIoU gates and clamps. */
function mmdetectionGuards(metric: string, eps: number | undefined): GuardValues {
  switch (metric) {
    case 'iou':
    case 'iof':
    case 'ioa':
    case 'ios':
      return { unionFloor: eps ?? 1e-6 };
    case 'giou':
      return { unionFloor: eps ?? 1e-7, enclosingFloor: eps ?? 1e-7 };
    case 'ciou':
      return {
        unionEps: eps ?? 1e-7,
        diagonalEps: eps ?? 1e-7,
        shapeHeightEps: eps ?? 1e-7,
        alphaEps: 0,
        alphaGate: 0.5,
        lowest: -1,
        highest: 1,
      };
    default:
      return { unionEps: eps ?? 1e-7, diagonalEps: eps ?? 1e-7 };
  }
}

/** Whether the lean loops (no guards but these) compute the same. */
export function isLean(guards: GuardValues): boolean {
  return Object.entries(guards).every(
    ([name, value]) =>
      name === 'diagonalEps' ||
      name === 'alphaEps' ||
      value === defaultGuards[name as keyof typeof defaultGuards],
  );
}
