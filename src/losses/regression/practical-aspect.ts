/**
 * The practical gradient of CIoU's aspect term (Zheng et al., AAAI 2020, below Eq. 12; darknet).
 *
 * With Δ = atan(wg/hg) − atan(wp/hp): ∂v/∂w = −(8/π²)·Δ·h/(w² + h²) and ∂v/∂h = +(8/π²)·Δ·w/(w² + h²) (the paper
 * prints the signs reversed). The factor 1/(w² + h²) is large for small normalised boxes, and is replaced by 1.
 */
import type { BoxArray } from '../../boxes/types.ts';
import { OptionError } from '../../errors.ts';

/** Rewrites `slopes` (d CIoU/d prediction, xyxy) in place. */
export function practicalAspect(prediction: BoxArray, target: BoxArray, slopes: BoxArray): void {
  for (let i = 0; i < target.length; i++) {
    // a predicted box may spill over the image, but not by its whole size
    if (target[i]! < 0 || target[i]! > 1 || prediction[i]! < -1 || prediction[i]! > 2) {
      throw new OptionError(
        `practicalGradient is made for boxes in 0–1; got the coordinates ${prediction[i]} and ${target[i]}`,
        { index: i },
      );
    }
  }
  for (let i = 0; i < prediction.length; i += 4) {
    const w = prediction[i + 2]! - prediction[i]!;
    const h = prediction[i + 3]! - prediction[i + 1]!;
    const tw = target[i + 2]! - target[i]!;
    const th = target[i + 3]! - target[i + 1]!;
    const square = w * w + h * h;
    const overlapW = Math.min(prediction[i + 2]!, target[i + 2]!) - Math.max(prediction[i]!, target[i]!);
    const overlapH =
      Math.min(prediction[i + 3]!, target[i + 3]!) - Math.max(prediction[i + 1]!, target[i + 1]!);
    const intersection = Math.max(overlapW, 0) * Math.max(overlapH, 0);
    const union = w * h + tw * th - intersection;
    if (!(square > 0 && union > 0)) continue;
    const delta = Math.atan2(tw, th) - Math.atan2(w, h);
    const v = ((4 / Math.PI ** 2) * delta * delta) as number;
    const alpha = v === 0 ? 0 : v / (1 - intersection / union + v);
    // what the true gradient has of −α·∂v is swapped for the form without the denominator
    const change = alpha * (8 / Math.PI ** 2) * delta * (1 - 1 / square);
    const alongW = change * h;
    const alongH = -change * w;
    slopes[i]! -= alongW;
    slopes[i + 2]! += alongW;
    slopes[i + 1]! -= alongH;
    slopes[i + 3]! += alongH;
  }
}
