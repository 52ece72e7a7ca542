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

/** The pixel offset of a call; throws {@link OptionError} for what is none, an unknown preset and options that are none. */
export function pixelOffsetOf(options: MetricConventions & { readonly pixelOffset?: 0 | 1 }): 0 | 1 {
  if (Object(options) !== options) throw new OptionError(`options must be an object, got ${options}`);
  guardsFor('', options);
  const { pixelOffset = 0 } = options;
  if (pixelOffset === 0 || pixelOffset === 1) return pixelOffset;
  throw new OptionError(`pixelOffset must be 0 or 1, got ${pixelOffset}`, { pixelOffset });
}

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
    case 'detectron2':
      // box_iou, generalized_box_iou: no eps; distance/complete_box_iou: 1e-7 on c² and α. Losses: on U and C too.
      // detectron2's pairwise_iou is I > 0 ? I/U : 0; its losses are fvcore's, which are torchvision's.
      if (usage === 'loss') return lossGuards(eps ?? 1e-7);
      return eps === undefined ? {} : { diagonalEps: eps, alphaEps: eps };
    case 'ultralytics':
      return ultralyticsGuards(metric, usage, eps ?? 1e-7);
    case 'mmdetection':
      return mmdetectionGuards(metric, eps);
    default:
      throw new OptionError(`unknown preset ${preset}`, { preset });
  }
}

function lossGuards(eps: number): GuardValues {
  return { unionEps: eps, enclosingEps: eps, diagonalEps: eps, alphaEps: eps };
}

const areaRatios = ['iou', 'iof', 'ioa', 'ios'];

/** utils/metrics.py: box_iou and bbox_ioa add eps to the divisor; bbox_iou also to heights, union and enclosing area. */
function ultralyticsGuards(metric: string, usage: 'matrix' | 'loss', eps: number): GuardValues {
  if (areaRatios.includes(metric) && (metric !== 'iou' || usage === 'matrix')) return { unionEps: eps };
  return { ...lossGuards(eps), heightEps: eps, penaltyEnclosingEps: eps, penaltyUnionEps: eps };
}

/** bbox_overlaps: divisors at least eps; the other losses add eps, CIoU and SIoU clamp, CIoU gates its weight. */
function mmdetectionGuards(metric: string, eps = areaRatios.includes(metric) ? 1e-6 : 1e-7): GuardValues {
  if (areaRatios.includes(metric)) return { unionFloor: eps };
  if (metric === 'giou') return { unionFloor: eps, enclosingFloor: eps };
  const added = { unionEps: eps, diagonalEps: eps };
  const clamped = { ...added, shapeHeightEps: eps, lowest: -1, highest: 1 };
  if (metric === 'siou') return { ...clamped, centreEps: eps, extentFloor: eps };
  return metric === 'ciou' ? { ...clamped, alphaEps: 0, alphaGate: 0.5 } : added;
}

/** Whether the lean loops (no guards but eps on c² and α) compute the same. */
export function isLean(values: Readonly<Record<string, number>>): boolean {
  const { diagonalEps: _, alphaEps: __, ...others } = defaultGuards;
  return Object.entries(others).every(([name, value]) => (values[name] ?? value) === value);
}
