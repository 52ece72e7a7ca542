/** Priors over crowds and other regions that are not to be learned from. */

import { countBoxes } from '../iou/pack.ts';
import { checkNumber } from '../options.ts';
import type { PriorColumns } from './prior-columns.ts';
import { Reach } from './reach.ts';
import type { MatchOptions } from './types.ts';

const reach = new Reach();
let mask = new Uint8Array(0);

/**
 * 1 for each prior of which more than `ignoreThreshold` lies in one region (intersection over the prior's area, or over
 * the region's), or null without regions. Valid until the next call. mmdetection `ignore_iof_thr`, with
 * `ignore_wrt_candidates` as `ignoreRelativeTo`.
 */
export function ignoredPriors(priors: PriorColumns, gts: number, options: MatchOptions): Uint8Array | null {
  const { ignoreBoxes, ignoreThreshold = 0.5, ignoreRelativeTo = 'prior' } = options;
  checkNumber('ignoreThreshold', ignoreThreshold, 0);
  if (ignoreBoxes === undefined || ignoreBoxes.length === 0) return null;
  if (gts === 0 && options.ignoreWithoutGroundTruths === false) return null;
  const regions = countBoxes(ignoreBoxes, 'ignoreBoxes');
  const { boxes, levels, count } = priors;
  if (mask.length < count) mask = new Uint8Array(count);
  mask.fill(0, 0, count);
  const single = boxes instanceof Float32Array && ignoreBoxes instanceof Float32Array;
  const round = single ? Math.fround : (value: number) => value;
  const threshold = round(ignoreThreshold);
  for (let r = 0; r < regions; r++) {
    const [x1, y1, x2, y2] = ignoreBoxes.subarray(4 * r, 4 * r + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    if (!Number.isFinite(x1 + y1 + x2 + y2)) continue;
    if (levels === null) reach.all(count);
    else reach.find(levels, x1, y1, x2, y2);
    const region = round(round(x2 - x1) * round(y2 - y1));
    for (let k = 0; k < reach.length; k += 2) {
      for (let j = reach.runs[k]!; j < reach.runs[k + 1]!; j++) {
        const [px1, py1, px2, py2] = [boxes[4 * j]!, boxes[4 * j + 1]!, boxes[4 * j + 2]!, boxes[4 * j + 3]!];
        const width = round(Math.min(x2, px2) - Math.max(x1, px1));
        const height = round(Math.min(y2, py2) - Math.max(y1, py1));
        if (!(width > 0 && height > 0)) continue;
        const whole = ignoreRelativeTo === 'prior' ? round(round(px2 - px1) * round(py2 - py1)) : region;
        if (round(round(width * height) / whole) > threshold) mask[j] = 1;
      }
    }
  }
  return mask;
}
