/** "Best class of every anchor" over class-major scores, what most YOLO exports need first: SIMD and its twin. */
import { useSimd } from './backend.ts';
import { decodeWasm } from './generated/decode.ts';
import { KernelModule } from './instance.ts';

interface DecodeExports {
  readonly memory: WebAssembly.Memory;
  begin(anchors: number, rows: number, threshold: number): number;
  compete(first: number, rows: number): void;
  countNan(): number;
  collect(): number;
}

const module = /* @__PURE__ */ new KernelModule<DecodeExports>(decodeWasm);

/** Scores a copy: 256 kB, which stay in the second-level cache until they are read. */
const CHUNK = 65_536;

/** Told of an anchor, its best class (ties: the lower one) and that score, which is above the threshold. */
export type Found = (anchor: number, classId: number, score: number) => void;

/**
 * Tells `found` every anchor with a class score above the threshold (a float32 value), anchors ascending. Class c of
 * anchor a lies at `data[start + c * anchors + a]`; NaN is above nothing. Returns how many scores of class 0 are NaN.
 */
export function bestClasses(
  data: Float32Array,
  start: number,
  anchors: number,
  classCount: number,
  threshold: number,
  found: Found,
): number {
  const large = anchors >= 32 && anchors * classCount >= 16_384;
  const broken = large && useSimd() ? simdScan(data, start, anchors, classCount, threshold, found) : -1;
  return broken < 0 ? scan(data, start, anchors, classCount, threshold, found) : broken;
}

/** -1 when memory ran out before anything was told. */
function simdScan(
  data: Float32Array,
  start: number,
  anchors: number,
  classCount: number,
  threshold: number,
  found: Found,
): number {
  // a row of results is 12 bytes an anchor
  const step = Math.max(3, Math.min(classCount, Math.floor(CHUNK / anchors)));
  let results: Int32Array;
  let broken = 0;
  try {
    const { begin, compete, countNan, collect, memory } = module.exports;
    const rowsAt = begin(anchors, step, threshold);
    const rows = new Float32Array(memory.buffer, rowsAt, step * anchors);
    for (let first = 0; first < classCount; first += step) {
      const count = Math.min(step, classCount - first);
      const from = start + first * anchors;
      rows.set(data.subarray(from, from + count * anchors));
      if (first === 0) broken = countNan();
      compete(first, count);
    }
    // a copy: what is told may come back here
    results = new Int32Array(memory.buffer, rowsAt, 3 * collect()).slice();
    module.release();
  } catch (error) {
    module.drop();
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return -1;
    throw error;
  }
  const scores = new Float32Array(results.buffer);
  for (let i = 0; i < results.length; i += 3) found(results[i]!, results[i + 1]!, scores[i + 2]!);
  return broken;
}

let best = /* @__PURE__ */ new Float32Array(0);
let bestClass = /* @__PURE__ */ new Int32Array(0);

/** The JavaScript twin: eight scores are compared with the threshold before the best ones are looked at. */
function scan(
  data: Float32Array,
  start: number,
  anchors: number,
  classCount: number,
  threshold: number,
  found: Found,
): number {
  if (best.length < anchors) {
    best = new Float32Array(anchors);
    bestClass = new Int32Array(anchors);
  }
  const scores = best;
  const classes = bestClass;
  scores.fill(threshold, 0, anchors);
  const eights = anchors - (anchors % 8);
  for (let c = 0; c < classCount; c++) {
    const row = start + c * anchors;
    for (let i = row; i < row + eights; i += 8) {
      if (
        data[i]! > threshold ||
        data[i + 1]! > threshold ||
        data[i + 2]! > threshold ||
        data[i + 3]! > threshold ||
        data[i + 4]! > threshold ||
        data[i + 5]! > threshold ||
        data[i + 6]! > threshold ||
        data[i + 7]! > threshold
      ) {
        compete(data, row, i, i + 8, c);
      }
    }
    compete(data, row, row + eights, row + anchors, c);
  }
  let broken = 0;
  for (let a = 0; a < anchors; a++) {
    if (Number.isNaN(data[start + a]!)) broken++;
    if (scores[a]! > threshold) found(a, classes[a]!, scores[a]!);
  }
  return broken;
}

function compete(data: Float32Array, row: number, from: number, to: number, classId: number): void {
  for (let i = from; i < to; i++) {
    const score = data[i]!;
    if (score > best[i - row]!) {
      best[i - row] = score;
      bestClass[i - row] = classId;
    }
  }
}
