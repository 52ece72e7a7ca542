/**
 * Boxes moved onto their targets by gradient descent on an IoU loss: B ← B − η·(2 − IoU)·∂L/∂B for every case at once.
 *
 * η is 0.1, a tenth of that from 80 % of the iterations on and a hundredth from 90 % on. The weight 2 − IoU is taken as a
 * number. The error of a case is |x − x*| + |y − y*| + |w − w*| + |h − h*| of centre and size, whatever is updated.
 *
 * Source: Zheng et al., "Distance-IoU Loss", AAAI 2020, Algorithm 1 (which writes the descent direction as ∇B).
 */
import type { Metric } from '../../../src/iou/types.ts';
import { iouLoss } from '../../../src/losses/regression/iou-loss.ts';
import { type Cases, casesPerPoint, type Parametrisation } from './cases.ts';

/** Boxes treated together: boxes, targets and slopes stay in a second-level cache. */
const block = 4 * casesPerPoint;

/** η of iteration `iteration`, 0 … iterations − 1. */
export function learningRate(iteration: number, iterations: number): number {
  if (iteration >= 0.9 * iterations) return 0.001;
  return iteration >= 0.8 * iterations ? 0.01 : 0.1;
}

export class Regression {
  readonly boxes: Float64Array;
  readonly targets: Float64Array;
  readonly #metric: Metric;
  readonly #parametrisation: Parametrisation;
  readonly #slopes = new Float64Array(4 * block);
  readonly #overlapSlopes = new Float64Array(4 * block);

  constructor({ boxes, targets }: Cases, metric: Metric, parametrisation: Parametrisation) {
    this.boxes = boxes;
    this.targets = targets;
    this.#metric = metric;
    this.#parametrisation = parametrisation;
  }

  /** One iteration of every case. */
  step(rate: number): void {
    const format = this.#parametrisation === 'corners' ? 'xyxy' : 'cxcywh';
    for (let from = 0; from < this.boxes.length; from += 4 * block) {
      const boxes = this.boxes.subarray(from, from + 4 * block);
      const targets = this.targets.subarray(from, from + 4 * block);
      const slopes = this.#slopes.subarray(0, boxes.length);
      const common = { format, reduction: 'none' } as const;
      const loss = iouLoss(boxes, targets, { ...common, metric: this.#metric, out: slopes });
      const overlap =
        this.#metric === 'iou'
          ? loss
          : iouLoss(boxes, targets, { ...common, out: this.#overlapSlopes.subarray(0, boxes.length) });
      const distances = overlap.perElement!; // 1 − IoU
      for (let i = 0, k = 0; i < distances.length; i++) {
        const size = rate * (1 + distances[i]!);
        for (const end = k + 4; k < end; k++) boxes[k]! -= size * slopes[k]!;
      }
    }
  }

  /** L1 error of each point, summed over its cases; the sum of all is returned. */
  errors(perPoint?: Float64Array): number {
    const { boxes, targets } = this;
    const corners = this.#parametrisation === 'corners';
    let total = 0;
    const width = 4 * casesPerPoint;
    for (let point = 0; point < boxes.length / width; point++) {
      let sum = 0;
      for (let k = point * width; k < (point + 1) * width; k += 4) {
        const a = boxes[k]! - targets[k]!;
        const b = boxes[k + 1]! - targets[k + 1]!;
        const c = boxes[k + 2]! - targets[k + 2]!;
        const d = boxes[k + 3]! - targets[k + 3]!;
        sum += corners
          ? Math.abs(a + c) / 2 + Math.abs(b + d) / 2 + Math.abs(c - a) + Math.abs(d - b)
          : Math.abs(a) + Math.abs(b) + Math.abs(c) + Math.abs(d);
      }
      if (perPoint !== undefined) perPoint[point] = sum;
      total += sum;
    }
    return total;
  }
}
