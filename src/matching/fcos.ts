/** FCOS: a point belongs to the smallest box around it whose size suits the point's level. */
import type { AnchorLevel, Anchors } from '../anchors/types.ts';
import type { BoxArray } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import { isNonFinite } from '../iou/pack.ts';
import { checkNumber, choiceOption } from '../options.ts';
import { corners } from './geometry.ts';
import { ignoredPriors } from './ignore-regions.ts';
import { isAnchors, priorColumns } from './prior-columns.ts';
import { cellsBetween } from './reach.ts';
import { assignmentFor, countGroundTruths, finish, ignoreUnmatched } from './results.ts';
import type { Assignment, MatchOptions } from './types.ts';

export interface FcosOptions extends MatchOptions {
  /**
   * `'torchvision'`: within radius·size of the centre along both axes and inside the box; sizes strictly between 4 and 8
   * strides (from 0 on the first, without limit on the last level). `'mmdetection'`: inside the square of radius·stride
   * about the centre, clipped to the box; ranges inclusive, 64, 128, 256, 512 pixels. Default `'torchvision'`.
   */
  readonly rule?: 'torchvision' | 'mmdetection';
  /** Centre sampling in strides; null: anywhere inside the box (mmdetection's default, the first paper). Default 1.5. */
  readonly radius?: number | null;
  /** Smallest and largest of the longest distance to a side, one pair a level, in pixels. Default: the rule's. */
  readonly ranges?: readonly (readonly [number, number])[];
}

/**
 * A point is positive for a box when it lies inside (and near the centre) and the largest of its distances to the sides
 * lies in its level's range; of several boxes the smallest wins, at a tie the lower index.
 *
 * `anchors` are point priors or any generator's with one square of the stride's size a cell; the point is the centre.
 * `overlaps` are 1 for positives. torchvision picks the smallest area in float32 steps of 1e8 − area, so areas that
 * differ by less than about 8 tie there; its rule does so here too.
 *
 * Sources: Tian et al., "FCOS", ICCV 2019; torchvision `FCOS.compute_loss`; mmdetection `FCOSHead.get_targets`.
 */
export function fcosMatcher(
  anchors: Anchors,
  groundTruthBoxes: BoxArray,
  options: FcosOptions = {},
): Assignment {
  const { rule = 'torchvision', radius = 1.5 } = options;
  if (!isAnchors(anchors))
    throw new OptionError('fcosMatcher needs anchors of a generator, which have levels');
  choiceOption('rule', rule, ['torchvision', 'mmdetection']);
  if (radius !== null) checkNumber('radius', radius, 0);
  const gts = countGroundTruths(groundTruthBoxes, options);
  const columns = priorColumns(anchors);
  const ranges = rangesOf(anchors.levels, rule, options.ranges);
  const result = assignmentFor(columns.count, options);
  const mask = ignoredPriors(columns, gts, options);
  const preference = new Float64Array(columns.count);
  const point: Point = { rule, radius, mask, preference, result };
  for (let g = 0; g < gts; g++) {
    if (isNonFinite(groundTruthBoxes, 4 * g)) continue;
    anchors.levels.forEach((level, k) => {
      matchLevel(anchors.boxes, level, ranges[k]!, groundTruthBoxes, g, point);
    });
  }
  ignoreUnmatched(result.gtIndices, mask);
  return finish(result, options);
}

interface Point {
  readonly rule: 'torchvision' | 'mmdetection';
  readonly radius: number | null;
  readonly mask: Uint8Array | null;
  /** How much each point likes its box: greater for smaller areas, 0 for none. */
  readonly preference: Float64Array;
  readonly result: Assignment;
}

const { fround } = Math;

function matchLevel(
  boxes: Float32Array,
  level: AnchorLevel,
  [from, to]: readonly [number, number],
  groundTruthBoxes: BoxArray,
  g: number,
  { rule, radius, mask, preference, result }: Point,
): void {
  const [x1, y1, x2, y2] = corners(groundTruthBoxes, g);
  const { gtIndices, overlaps } = result;
  const area = fround(fround(x2 - x1) * fround(y2 - y1));
  const liking = rule === 'torchvision' ? fround(1e8 - area) : 1e8 - area;
  if (liking < 1e-5) return;
  const cx = fround(fround(x1 + x2) / 2);
  const cy = fround(fround(y1 + y2) / 2);
  const strict = rule === 'torchvision';
  const { hull, pitchX, pitchY, width, height, perCell, start, stride } = level;
  const around = radius === null ? Number.POSITIVE_INFINITY : radius * (strict ? hull[2] - hull[0] : stride);
  const [left, right] = cellsBetween(
    Math.max(x1, cx - around),
    Math.min(x2, cx + around),
    hull[0],
    hull[2],
    pitchX,
    width,
  );
  const [top, bottom] = cellsBetween(
    Math.max(y1, cy - around),
    Math.min(y2, cy + around),
    hull[1],
    hull[3],
    pitchY,
    height,
  );
  for (let row = top; row < bottom; row++) {
    const first = start + row * width * perCell;
    for (let j = first + left * perCell; j < first + right * perCell; j++) {
      if (mask !== null && mask[j] === 1) continue;
      const x = fround(fround(boxes[4 * j]! + boxes[4 * j + 2]!) / 2);
      const y = fround(fround(boxes[4 * j + 1]! + boxes[4 * j + 3]!) / 2);
      const l = fround(x - x1);
      const t = fround(y - y1);
      const r = fround(x2 - x);
      const b = fround(y2 - y);
      if (!(Math.min(l, t, r, b) > 0)) continue;
      const longest = Math.max(l, t, r, b);
      if (strict ? !(longest > from && longest < to) : !(longest >= from && longest <= to)) continue;
      if (radius !== null) {
        const reach = strict ? fround(radius * fround(boxes[4 * j + 2]! - boxes[4 * j]!)) : radius * stride;
        if (strict) {
          if (!(Math.max(Math.abs(fround(x - cx)), Math.abs(fround(y - cy))) < reach)) continue;
        } else if (
          !(
            x - fround(cx - reach) > 0 &&
            y - fround(cy - reach) > 0 &&
            fround(cx + reach) - x > 0 &&
            fround(cy + reach) - y > 0
          )
        ) {
          continue;
        }
      }
      if (liking > preference[j]!) {
        preference[j] = liking;
        gtIndices[j] = g;
        overlaps[j] = 1;
      }
    }
  }
}

function rangesOf(
  levels: readonly AnchorLevel[],
  rule: 'torchvision' | 'mmdetection',
  ranges: FcosOptions['ranges'],
): readonly (readonly [number, number])[] {
  if (ranges !== undefined) {
    if (ranges.length !== levels.length) {
      throw new OptionError(`expected ${levels.length} ranges, one a level, got ${ranges.length}`, {
        expected: levels.length,
        got: ranges.length,
      });
    }
    return ranges;
  }
  const last = levels.length - 1;
  if (rule === 'torchvision') {
    return levels.map(({ hull }, k) => {
      const size = hull[2] - hull[0];
      return [k === 0 ? 0 : 4 * size, k === last ? Number.POSITIVE_INFINITY : 8 * size];
    });
  }
  // mmdetection's regress_ranges: five levels from stride 8 on
  return levels.map((_, k) => [k === 0 ? -1 : 32 * 2 ** k, k === last ? 1e8 : 64 * 2 ** k]);
}
