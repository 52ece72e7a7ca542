/** boxops itself, on either engine, and the loop a page would write by hand. */
import { nms } from '../../src/index.ts';
import { setBackend } from '../../src/kernels/index.ts';
import { type BenchSet, type Peer, sampleSync } from './peer.ts';

export function boxopsPeer(backend: 'simd' | 'javascript'): Peer {
  return {
    name: `boxops ${backend}`,
    async measure({ boxes, scores, classIds, threshold }, budget) {
      setBackend(backend);
      const options = { iouThreshold: threshold, ...(classIds === undefined ? {} : { classIds }) };
      return sampleSync(() => nms(boxes, scores, options), budget);
    },
  };
}

interface Box {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
  score: number;
  classId: number;
  index: number;
}

/** Objects, a comparator sort, splice: the loop found in most detector demos. */
export const handWritten: Peer = {
  name: 'hand-written loop',
  async measure(set, budget) {
    if (set.scores.length > 5000) return null;
    return sampleSync(() => handWrittenNms(set), budget);
  },
};

function handWrittenNms({ boxes, scores, classIds, threshold }: BenchSet): number[] {
  const list: Box[] = [];
  for (let i = 0; i < scores.length; i++) {
    list.push({
      x1: boxes[4 * i]!,
      y1: boxes[4 * i + 1]!,
      x2: boxes[4 * i + 2]!,
      y2: boxes[4 * i + 3]!,
      score: scores[i]!,
      classId: classIds?.[i] ?? 0,
      index: i,
    });
  }
  let rest = list.sort((a, b) => b.score - a.score);
  const kept: number[] = [];
  while (rest.length > 0) {
    const best = rest[0]!;
    kept.push(best.index);
    rest = rest.slice(1).filter((box) => box.classId !== best.classId || iou(best, box) <= threshold);
  }
  return kept;
}

function iou(a: Box, b: Box): number {
  const width = Math.max(0, Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1));
  const height = Math.max(0, Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1));
  const intersection = width * height;
  return intersection / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - intersection);
}
