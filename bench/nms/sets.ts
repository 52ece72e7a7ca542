/** Inputs of the suppression benchmark: uniform, detector-like, and two made to hurt spatial tiles. */
import type { BenchSet } from './peer.ts';

/** mulberry32: a small seeded generator of numbers in 0..1. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export type SetKind = 'uniform' | 'detector' | 'outliers' | 'nested';

/**
 * `uniform`: 640 pixels, sides to 100. `detector`: 20 to 50 jittered boxes an object. `outliers`: a grid of boxes that
 * never overlap enough, and two far away that stretch the tiles until all the rest lies in one. `nested`: boxes with
 * one centre and sides that grow by more than the threshold allows.
 */
function makeBenchSet(
  kind: SetKind,
  count: number,
  classes: number,
  threshold: number,
  seed: number,
): BenchSet {
  const next = random(count + classes + 17 * kind.length + 7919 * seed);
  const boxes = new Float32Array(4 * count);
  const scores = new Float32Array(count);
  const ids = new Int32Array(count);
  const side = Math.ceil(Math.sqrt(count));
  let left = 0;
  let object = [0, 0, 0, 0];
  let objectClass = 0;
  for (let i = 0; i < count; i++) {
    let x = 640 * next();
    let y = 640 * next();
    let w = 1 + 99 * next();
    let h = 1 + 99 * next();
    let id = Math.floor(classes * next());
    if (kind === 'detector') {
      if (left-- <= 0) {
        left = 20 + Math.floor(31 * next());
        const scale = Math.max(1, Math.sqrt(count / 5000));
        object = [1280 * scale * next(), 1280 * scale * next(), 10 + 150 * next(), 10 + 150 * next()];
        objectClass = id;
      }
      id = objectClass;
      w = object[2]! * (0.9 + 0.2 * next());
      h = object[3]! * (0.9 + 0.2 * next());
      x = object[0]! + 0.2 * object[2]! * (next() - 0.5);
      y = object[1]! + 0.2 * object[3]! * (next() - 0.5);
    } else if (kind === 'outliers') {
      x = (i % side) * 8;
      y = Math.floor(i / side) * 8;
      w = 10;
      h = 10;
      if (i < 2) {
        x = y = i === 0 ? -1e6 : 1e6;
      }
    } else if (kind === 'nested') {
      const level = i % 64;
      w = 2 ** (level % 8) * 4;
      h = 2 ** Math.floor(level / 8) * 4;
      x = 1000 * Math.floor(i / 64) - w / 2;
      y = -h / 2;
    }
    boxes.set([x, y, x + w, y + h], 4 * i);
    scores[i] = next();
    ids[i] = id;
  }
  const name = `${kind} N=${count} classes=${classes} IoU ${threshold}`;
  return { name, boxes, scores, classIds: classes > 1 ? ids : undefined, threshold };
}

/** Sets of one kind with different numbers: 16 of 1000 boxes, fewer where they are larger. */
export function makeBenchSets(
  kind: SetKind,
  count: number,
  classes: number,
  threshold: number,
): readonly [BenchSet, ...BenchSet[]] {
  const more = Math.min(16, Math.floor(16_000 / count)) - 1;
  return [
    makeBenchSet(kind, count, classes, threshold, 0),
    ...Array.from({ length: Math.max(0, more) }, (_, i) =>
      makeBenchSet(kind, count, classes, threshold, i + 1),
    ),
  ];
}
