/** Central differences in float64 of the box losses, 500 a loss and argument, detached terms held at their values. */
import { describe, it } from 'vitest';
import { deltaCoder, deltaPresets, distanceCoder } from '../../src/coders/index.ts';
import * as losses from '../../src/losses/index.ts';
import { uniform } from '../golden/seeded.ts';
import { checkSlopes, type Floats } from './frozen.ts';

describe('boxes', () => {
  const N = 16;
  const boxesOf = (seed: number): Floats => {
    const xy = uniform(seed, 2 * N, 0, 3);
    const wh = uniform(seed + 1, 2 * N, 0.25, 3);
    return Float64Array.from({ length: 4 * N }, (_, i) => {
      const at = 2 * Math.floor(i / 4) + (i % 2);
      return xy[at]! + (i % 4 > 1 ? wh[at]! : 0);
    });
  };
  const plain = (options: losses.IouLossOptions) => (seed: number) => {
    const [p, g] = [boxesOf(seed), boxesOf(seed + 10)];
    return {
      inputs: [p],
      gradients: [losses.iouLoss(p, g, options).gradient],
      held: ([x]: readonly Floats[]) => losses.iouLoss(x!, g, options).value,
    };
  };
  const sum = { reduction: 'sum' } as const;
  it.each([
    ['iou', { ...sum }],
    ['−ln iou', { ...sum, transform: 'log', floor: 1e-3 }],
    ['1 − iou²', { ...sum, transform: 'square' }],
    ['giou', { ...sum, metric: 'giou' }],
    ['diou, centre and size', { ...sum, metric: 'diou', format: 'cxcywh' }],
    ['eiou squared', { ...sum, metric: 'eiou', transform: 'square' }],
    ['siou', { ...sum, metric: 'siou' }],
    ['nwd', { ...sum, metric: 'nwd' }],
  ] as [string, losses.IouLossOptions][])('%s', (_, options) => {
    checkSlopes(plain(options));
  });

  const aspect = (x: Floats, g: Floats, i: number): number => {
    const angle = (b: Floats): number => Math.atan((b[i + 2]! - b[i]!) / (b[i + 3]! - b[i + 1]!));
    return (4 / Math.PI ** 2) * (angle(g) - angle(x)) ** 2;
  };
  it('ciou: alpha held', () => {
    checkSlopes((seed) => {
      const [p, g] = [boxesOf(seed), boxesOf(seed + 10)];
      const ious = losses.iouLoss(p, g, { reduction: 'none', eps: 0 }).perElement!;
      const alpha = Float64Array.from(ious, (distance, i) => {
        const v = aspect(p, g, 4 * i);
        return v / (distance + v);
      });
      return {
        inputs: [p],
        gradients: [losses.iouLoss(p, g, { metric: 'ciou', eps: 0, ...sum }).gradient],
        held: ([x]) =>
          losses.iouLoss(x!, g, { metric: 'diou', eps: 0, ...sum }).value +
          alpha.reduce((total, a, i) => total + a * aspect(x!, g, 4 * i), 0),
      };
    });
  });
  it('through coders', () => {
    for (const [low, high, through] of [
      [-2, 2, deltaCoder(deltaPresets['torchvision-roi'])],
      [0.125, 2, distanceCoder({ normalise: true })],
    ] as const) {
      checkSlopes((seed) => {
        const [priors, g] = [boxesOf(seed), boxesOf(seed + 10)];
        const raw = uniform(seed + 20, 4 * N, low, high);
        const options = { metric: 'giou', through, priors, ...sum } as const;
        return {
          inputs: [raw],
          gradients: [losses.iouLoss(raw, g, options).gradient],
          held: ([x]) => losses.iouLoss(x!, g, options).value,
        };
      });
    }
  });
  it('bounded, Focal-EIoU with its weights held, Wise-IoU with its diagonal and focus held', () => {
    checkSlopes((seed) => {
      const [p, g] = [boxesOf(seed), boxesOf(seed + 10)];
      return {
        inputs: [p],
        gradients: [losses.boundedIouLoss(p, g, sum).gradient],
        held: ([x]) => losses.boundedIouLoss(x!, g, sum).value,
      };
    });
    checkSlopes((seed) => {
      const [p, g] = [boxesOf(seed), boxesOf(seed + 10)];
      const distances = losses.iouLoss(p, g, { reduction: 'none', eps: 0 }).perElement!;
      const weights = Float64Array.from(distances, (distance) => Math.max(0, 1 - distance) ** 0.5);
      const avgFactor = weights.reduce((a, b) => a + b, 0);
      return {
        inputs: [p],
        gradients: [losses.focalEiouLoss(p, g).gradient],
        held: ([x]) => losses.iouLoss(x!, g, { metric: 'eiou', eps: 0, weights, avgFactor }).value,
      };
    });
    const attention = (x: Floats, g: Floats, i: number, diagonal: number): number => {
      const dx = (x[i]! + x[i + 2]! - g[i]! - g[i + 2]!) / 2;
      const dy = (x[i + 1]! + x[i + 3]! - g[i + 1]! - g[i + 3]!) / 2;
      return Math.exp((dx * dx + dy * dy) / diagonal);
    };
    for (const version of [1, 2, 3] as const) {
      checkSlopes((seed) => {
        const [p, g] = [boxesOf(seed), boxesOf(seed + 10)];
        const at = (x: Floats) => losses.iouLoss(x, g, { reduction: 'none', eps: 0 }).perElement!;
        const focus = Float64Array.from(at(p), (distance) => {
          const beta = distance / 0.8;
          return version === 1 ? 1 : version === 2 ? Math.sqrt(beta) : beta / (3 * 1.9 ** (beta - 3));
        });
        const diagonals = Float64Array.from(focus, (_, n) => {
          const i = 4 * n;
          const width = Math.max(p[i + 2]!, g[i + 2]!) - Math.min(p[i]!, g[i]!);
          const height = Math.max(p[i + 3]!, g[i + 3]!) - Math.min(p[i + 1]!, g[i + 1]!);
          return width * width + height * height;
        });
        return {
          inputs: [p],
          gradients: [losses.wiseIouLoss(p, g, { version, mean: 0.8 }).gradient],
          held: ([x]) =>
            Float64Array.from(at(x!)).reduce((total, distance, n) => {
              return total + (focus[n]! * attention(x!, g, 4 * n, diagonals[n]!) * distance) / N;
            }, 0),
        };
      });
    }
  });
});
