/** boxops itself, on either engine, and the loop a page would write by hand. */
import { decodeYolov8 } from '../../src/heads/yolov8.ts';
import { nms } from '../../src/index.ts';
import { setBackend } from '../../src/kernels/index.ts';
import { startTwin } from '../twin.ts';
import { type BenchSet, type Peer, type Sample, sampleSync } from './peer.ts';

export function boxopsPeer(backend: 'simd' | 'javascript'): Peer {
  return {
    name: `boxops ${backend}`,
    async measure(sets, budget) {
      setBackend(backend);
      const runs = sets.map(({ boxes, scores, classIds, threshold }) => {
        const options = { iouThreshold: threshold, ...(classIds === undefined ? {} : { classIds }) };
        return () => nms(boxes, scores, options);
      });
      return sampleSync(runs, budget);
    },
  };
}

/** Confidence above which a class of the output is a candidate. */
export const confidence = 0.25;

/** Candidates kept of a [1, 84, 8400] output: decoded, suppressed at 0.5 within a class. */
export function decodeAndSuppress(output: Float32Array): number[] {
  const { boxes, scores, classIds } = decodeYolov8(
    { output0: { data: output, dims: [1, 84, 8400], type: 'float32' } },
    { input: { width: 640, height: 640 }, scoreThreshold: confidence },
  );
  return [...nms(boxes, scores, { classIds, iouThreshold: 0.5 })];
}

/** The JavaScript loops, in a process that never ran the kernels. */
export function twinPeer() {
  const { ask, dispose } = startTwin(new URL('./twin-process.ts', import.meta.url));
  // boxes and outputs travel once
  let last: object | undefined;
  const once = (name: string, value: object) => {
    const question = value === last ? {} : { [name]: value };
    last = value;
    return question;
  };
  return {
    name: 'boxops javascript',
    measure: (sets: readonly BenchSet[], budget: number) =>
      ask<Sample>({ ...once('sets', sets), budget, decode: false }),
    decode: (output: Float32Array, budget: number) =>
      ask<Sample>({ ...once('output', output), budget, decode: true }),
    dispose,
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
  async measure(sets, budget) {
    if (sets.some(({ scores }) => scores.length > 5000)) return null;
    const runs = sets.map((set) => () => handWrittenNms(set));
    return sampleSync(runs, budget);
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
