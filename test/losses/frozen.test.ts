/**
 * Central differences in float64 of classification and recognition losses that detach a term: the term is computed once,
 * apart from the library, and held while the argument moves.
 */
import { describe, it } from 'vitest';
import * as losses from '../../src/losses/index.ts';
import { integers, uniform } from '../golden/seeded.ts';
import { checkSlopes, type Floats } from './frozen.ts';

describe('classification', () => {
  const [N, C] = [10, 6];
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

  it('varifocal, detached weight', () => {
    checkSlopes((seed) => {
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
    checkSlopes((seed) => {
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
    checkSlopes((seed) => {
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
    checkSlopes((seed) => {
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
    checkSlopes((seed) => {
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
    checkSlopes((seed) => {
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
    checkSlopes((seed) => {
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
    checkSlopes((seed) => {
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
