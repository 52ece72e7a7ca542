/**
 * Central differences in float64 of losses that detach a term: the term is computed once, apart from the library, and
 * held while the argument moves. Box losses without detached terms are here too.
 */
import { describe, expect, it } from 'vitest';
import { deltaCoder, deltaPresets, distanceCoder } from '../../src/coders/index.ts';
import * as losses from '../../src/losses/index.ts';
import { integers, uniform } from '../golden/seeded.ts';

type Floats = Float64Array;

/** A loss with its gradient at some inputs, and its value elsewhere with the detached terms held. */
interface Frozen {
  readonly inputs: readonly Floats[];
  readonly gradients: readonly ArrayLike<number>[];
  readonly held: (inputs: readonly Floats[]) => number;
}

const cases = 500;

/** Every argument, `cases` entries each, those with a kink within the step left out. */
function check(make: (seed: number) => Frozen): void {
  const { inputs: first } = make(1);
  first.forEach((_, argument) => {
    let checked = 0;
    for (let seed = 1; checked < cases; seed += 100) {
      const { inputs, gradients, held } = make(seed);
      const x = inputs[argument]!;
      const gradient = gradients[argument]!;
      const bound = Math.max(1, ...Array.from(gradient, Math.abs));
      for (let i = 0; i < x.length; i += 2) {
        const at = x[i]!;
        const value = (step: number): number => {
          x[i] = at + step;
          const result = held(inputs);
          x[i] = at;
          return result;
        };
        const h = 1e-5;
        const narrow = (value(h) - value(-h)) / (2 * h);
        const wide = (value(2 * h) - value(-2 * h)) / (4 * h);
        if (Math.abs(narrow - wide) > 1e-6 * bound) continue;
        expect(Math.abs((4 * narrow - wide) / 3 - gradient[i]!)).toBeLessThanOrEqual(1e-6 * bound);
        checked++;
      }
    }
  });
}

describe('classification', () => {
  const [N, C] = [10, 6];
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

  it('varifocal, detached weight', () => {
    check((seed) => {
      const x = uniform(seed, N * C, -3, 3);
      const labels = integers(seed + 1, N, C);
      const q = uniform(seed + 2, N * C, 0, 1).map((v, i) => (labels[Math.floor(i / C)] === i % C ? v : 0));
      const weights = q.map((v, i) => (v > 0 ? v : 0.2 * sigmoid(x[i]!) ** 2));
      const options = { alpha: 0.2, detachWeight: true, reduction: 'sum' } as const;
      return {
        inputs: [x],
        gradients: [losses.varifocalLoss(x, q, options).gradient],
        held: ([y]) => losses.binaryCrossEntropyLoss(y!, q, { weights, reduction: 'sum' }).value,
      };
    });
  });

  /** N / (entries of the same bin · bins in use), the harmony of the gradient's density. */
  function harmony(norms: Floats): Floats {
    const bin = norms.map((g) => Math.min(9, Math.floor(10 * g)));
    const counts = new Map<number, number>();
    for (const b of bin) counts.set(b, (counts.get(b) ?? 0) + 1);
    return bin.map((b) => norms.length / counts.get(b)! / counts.size);
  }
  it('GHM-C and GHM-R', () => {
    check((seed) => {
      const x = uniform(seed, N * C, -3, 3);
      const t = Float64Array.from(integers(seed + 1, N * C, 2));
      const weights = harmony(x.map((v, i) => Math.abs(sigmoid(v) - t[i]!)));
      return {
        inputs: [x],
        gradients: [losses.ghmClassificationLoss(x, t).gradient],
        held: ([y]) => losses.binaryCrossEntropyLoss(y!, t, { weights }).value,
      };
    });
    const mu = 0.02;
    check((seed) => {
      const x = uniform(seed, N * C, -0.05, 0.05);
      const t = uniform(seed + 1, N * C, -0.05, 0.05);
      const root = (d: number): number => Math.hypot(d, mu);
      const weights = harmony(x.map((v, i) => Math.abs(v - t[i]!) / root(v - t[i]!)));
      return {
        inputs: [x],
        gradients: [losses.ghmRegressionLoss(x, t).gradient],
        held: ([y]) => y!.reduce((sum, v, i) => sum + (weights[i]! * (root(v - t[i]!) - mu)) / y!.length, 0),
      };
    });
  });
  it('Seesaw', () => {
    check((seed) => {
      const x = uniform(seed, N * C, -3, 3);
      const labels = integers(seed + 1, N, C);
      const counts = integers(seed + 2, C, 50);
      const factors = x.map((v, i) => {
        const row = C * Math.floor(i / C);
        const own = labels[Math.floor(i / C)]!;
        if (i - row === own) return 0;
        const rarity = Math.min(1, Math.max(counts[i - row]!, 1) / Math.max(counts[own]!, 1)) ** 0.8;
        const total = x.subarray(row, row + C).reduce((sum, value) => sum + Math.exp(value), 0);
        const excess = Math.exp(v) / total / Math.max(Math.exp(x[row + own]!) / total, 1e-2);
        return Math.log(rarity * Math.max(1, excess) ** 2);
      });
      return {
        inputs: [x],
        gradients: [losses.seesawLoss(x, labels, { classes: C, sampleCounts: counts }).gradient],
        held: ([y]) =>
          losses.crossEntropyLoss(
            y!.map((v, i) => v + factors[i]!),
            labels,
            { classes: C },
          ).value,
      };
    });
  });
});

describe('recognition', () => {
  const [N, C, D] = [9, 5, 6];
  const shape = { dimensions: D, classes: C };
  const draw = (seed: number) => ({
    f: uniform(seed, N * D, -1.5, 1.5),
    w: uniform(seed + 1, C * D, -1, 1),
    y: integers(seed + 3, N, C),
  });
  const length = (rows: Floats, i: number): number => Math.hypot(...rows.subarray(i * D, (i + 1) * D));
  const cosine = (a: Floats, i: number, b: Floats, j: number): number => {
    let dot = 0;
    for (let k = 0; k < D; k++) dot += a[i * D + k]! * b[j * D + k]!;
    return dot / length(a, i) / length(b, j);
  };

  it('ArcFace, straight through', () => {
    check((seed) => {
      const { f, w, y } = draw(seed);
      const shift = Array.from(y, (label, i) => {
        const c = cosine(f, i, w, label);
        return Math.cos(Math.acos(c) + 0.5) - c;
      });
      const options = { ...shape, fallback: 'none', marginGradient: 'straight-through' } as const;
      const { gradient, weightGradient } = losses.arcFaceLoss(f, w, y, options);
      return {
        inputs: [f, w],
        gradients: [gradient, weightGradient],
        held: ([a, b]) => {
          const logits = new Float64Array(N * C);
          for (let i = 0; i < N; i++) {
            for (let j = 0; j < C; j++) {
              logits[i * C + j] = 64 * (cosine(a!, i, b!, j) + (j === y[i] ? shift[i]! : 0));
            }
          }
          return losses.crossEntropyLoss(logits, y, { classes: C }).value;
        },
      };
    });
  });
  it('AdaFace: lengths and their statistics held', () => {
    check((seed) => {
      const { f, w, y } = draw(seed);
      const lengths = Array.from(y, (_, i) => length(f, i));
      const { gradient, weightGradient, state } = losses.adaFaceLoss(f, w, y, shape);
      return {
        inputs: [f, w],
        gradients: [gradient, weightGradient],
        held: ([a, b]) => {
          const kept = a!.map((v, i) => {
            const row = Math.floor(i / D);
            return (v * lengths[row]!) / length(a!, row);
          });
          return losses.adaFaceLoss(kept, b!, y, { ...shape, state, updateRate: 0 }).value;
        },
      };
    });
  });
  it('CurricularFace: t held', () => {
    check((seed) => {
      const { f, w, y } = draw(seed);
      const { gradient, weightGradient, t } = losses.curricularFaceLoss(f, w, y, { ...shape, t: 0.1 });
      return {
        inputs: [f, w],
        gradients: [gradient, weightGradient],
        held: ([a, b]) => losses.curricularFaceLoss(a!, b!, y, { ...shape, t, momentum: 1 }).value,
      };
    });
  });
  it('circle: both weights held', () => {
    check((seed) => {
      const { f, y } = draw(seed);
      const [m, gamma] = [0.4, 80];
      const at = (rows: Floats): number[][] =>
        Array.from(y, (_, i) => Array.from(y, (__, j) => cosine(rows, i, rows, j)));
      const held0 = at(f);
      return {
        inputs: [f],
        gradients: [losses.circleLoss(f, y, { dimensions: D }).gradient],
        held: ([a]) => {
          const s = at(a!);
          let sum = 0;
          let anchors = 0;
          y.forEach((label, i) => {
            let positives = 0;
            let negatives = 0;
            y.forEach((other, j) => {
              if (i === j) return;
              const then = held0[i]![j]!;
              const now = s[i]![j]!;
              if (other === label) positives += Math.exp(-gamma * Math.max(0, 1 + m - then) * (now - 1 + m));
              else negatives += Math.exp(gamma * Math.max(0, then + m) * (now - m));
            });
            if (positives === 0 || negatives === 0) return;
            anchors++;
            sum += Math.log1p(positives * negatives);
          });
          return sum / anchors;
        },
      };
    });
  });
});

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
    check(plain(options));
  });

  const aspect = (x: Floats, g: Floats, i: number): number => {
    const angle = (b: Floats): number => Math.atan((b[i + 2]! - b[i]!) / (b[i + 3]! - b[i + 1]!));
    return (4 / Math.PI ** 2) * (angle(g) - angle(x)) ** 2;
  };
  it('ciou: alpha held', () => {
    check((seed) => {
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
      check((seed) => {
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
    check((seed) => {
      const [p, g] = [boxesOf(seed), boxesOf(seed + 10)];
      return {
        inputs: [p],
        gradients: [losses.boundedIouLoss(p, g, sum).gradient],
        held: ([x]) => losses.boundedIouLoss(x!, g, sum).value,
      };
    });
    check((seed) => {
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
      check((seed) => {
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
