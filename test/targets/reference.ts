/** RetinaNet's targets of one image, restated plainly from torchvision's Matcher and BoxCoder for comparison. */

const { fround } = Math;

function iou(a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number): number {
  const width = fround(Math.min(a[4 * i + 2]!, b[4 * j + 2]!) - Math.max(a[4 * i]!, b[4 * j]!));
  const height = fround(Math.min(a[4 * i + 3]!, b[4 * j + 3]!) - Math.max(a[4 * i + 1]!, b[4 * j + 1]!));
  const inter = fround(Math.max(0, width) * Math.max(0, height));
  const area = (c: ArrayLike<number>, k: number) =>
    fround(fround(c[4 * k + 2]! - c[4 * k]!) * fround(c[4 * k + 3]! - c[4 * k + 1]!));
  return fround(inter / fround(fround(area(a, i) + area(b, j)) - inter));
}

/** Part of prior j that lies in region r. */
function covered(regions: ArrayLike<number>, r: number, priors: ArrayLike<number>, j: number): number {
  const width = Math.min(regions[4 * r + 2]!, priors[4 * j + 2]!) - Math.max(regions[4 * r]!, priors[4 * j]!);
  const height =
    Math.min(regions[4 * r + 3]!, priors[4 * j + 3]!) - Math.max(regions[4 * r + 1]!, priors[4 * j + 1]!);
  const area = (priors[4 * j + 2]! - priors[4 * j]!) * (priors[4 * j + 3]! - priors[4 * j + 1]!);
  return (Math.max(0, width) * Math.max(0, height)) / area;
}

/** Listed priors (positive and ignored), their ground truths and box targets. */
export function retinaNet(priors: Float32Array, boxes: Float32Array, regions: Float32Array) {
  const count = priors.length / 4;
  const objects = boxes.length / 4;
  const best = new Float32Array(count);
  const bestGt = new Int32Array(count).fill(-1);
  const gtBest = new Float32Array(objects);
  const ignored = new Uint8Array(count);
  for (let j = 0; j < count; j++) {
    for (let r = 0; r < regions.length / 4; r++) if (covered(regions, r, priors, j) > 0.5) ignored[j] = 1;
  }
  for (let g = 0; g < objects; g++) {
    for (let j = 0; j < count; j++) {
      if (ignored[j] === 1) continue;
      const value = iou(boxes, g, priors, j);
      if (bestGt[j] === -1 || value > best[j]!) {
        best[j] = value;
        bestGt[j] = g;
      }
      gtBest[g] = Math.max(gtBest[g]!, value);
    }
  }
  const result = { anchors: [] as number[], gtIndices: [] as number[], targets: [] as number[] };
  for (let j = 0; j < count; j++) {
    let gt = -1;
    if (ignored[j] === 1) gt = -2;
    else if (objects > 0) {
      gt = best[j]! >= 0.5 ? bestGt[j]! : best[j]! < fround(0.4) ? -1 : -2;
      for (let g = 0; g < objects; g++) {
        if (gtBest[g]! > 0 && iou(boxes, g, priors, j) === gtBest[g]) gt = bestGt[j]!;
      }
    }
    if (gt === -1) continue;
    result.anchors.push(j);
    result.gtIndices.push(gt);
    if (gt < 0) {
      result.targets.push(0, 0, 0, 0);
      continue;
    }
    const [px, py, pw, ph] = centred(priors, j);
    const [gx, gy, gw, gh] = centred(boxes, gt);
    result.targets.push((gx - px) / pw, (gy - py) / ph, Math.log(gw / pw), Math.log(gh / ph));
  }
  return result;
}

function centred(boxes: ArrayLike<number>, i: number): [number, number, number, number] {
  const [x1, y1, x2, y2] = [boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!];
  return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1];
}
