/**
 * The rows a head picked: index, class and score in scratch columns that grow once and are reused by every call.
 *
 * A head scans its scores into {@link picks}, and {@link finishPicks} allocates result columns of exactly the right
 * length and lets the head write one box a row.
 */
import type { Candidates, DecodeOptions } from './types.ts';

/** One scratch for all heads: decoding is synchronous, so no two calls share it. */
interface Picks {
  count: number;
  dropped: number;
  rows: Int32Array;
  classIds: Int32Array;
  scores: Float32Array;
}

export const picks: Picks = {
  count: 0,
  dropped: 0,
  rows: /* @__PURE__ */ new Int32Array(0),
  classIds: /* @__PURE__ */ new Int32Array(0),
  scores: /* @__PURE__ */ new Float32Array(0),
};

let allowed: ReadonlySet<number> | undefined;

/** Empties the scratch and gives the score threshold in float32, the precision scores are compared in. */
export function startPicks(options: DecodeOptions): number {
  picks.count = 0;
  picks.dropped = 0;
  allowed = options.classes === undefined ? undefined : new Set(options.classes);
  return Math.fround(options.scoreThreshold ?? 0.25);
}

/** Adds a row whose score passed the threshold; classes not asked for are left out here. */
export function pick(row: number, classId: number, score: number): void {
  if (allowed !== undefined && !allowed.has(classId)) return;
  const at = picks.count++;
  if (at >= picks.rows.length) grow(Math.max(1024, 2 * at));
  picks.rows[at] = row;
  picks.classIds[at] = classId;
  picks.scores[at] = score;
}

function grow(length: number): void {
  const { rows, classIds, scores } = picks;
  (picks.rows = new Int32Array(length)).set(rows);
  (picks.classIds = new Int32Array(length)).set(classIds);
  (picks.scores = new Float32Array(length)).set(scores);
}

/**
 * Turns the picks into candidates. `writeBox(row, boxes, at)` writes `x1,y1,x2,y2` at `boxes[at…at+3]`; a row whose
 * box or score is not finite is dropped and counted.
 */
export function finishPicks(
  nmsFree: boolean,
  writeBox: (row: number, boxes: Float32Array, at: number) => void,
): Candidates {
  let boxes = new Float32Array(4 * picks.count);
  let count = 0;
  for (let i = 0; i < picks.count; i++) {
    const at = 4 * count;
    writeBox(picks.rows[i]!, boxes, at);
    const score = picks.scores[i]!;
    // x - x is 0 for every finite number and NaN for the rest
    const sum = boxes[at]! + boxes[at + 1]! + boxes[at + 2]! + boxes[at + 3]! + score;
    if (sum - sum !== 0) continue;
    picks.rows[count] = picks.rows[i]!;
    picks.classIds[count] = picks.classIds[i]!;
    picks.scores[count++] = score;
  }
  picks.dropped += picks.count - count;
  picks.count = count;
  if (4 * count < boxes.length) boxes = boxes.slice(0, 4 * count);
  return {
    count,
    boxes,
    scores: picks.scores.slice(0, count) as Float32Array<ArrayBuffer>,
    classIds: picks.classIds.slice(0, count) as Int32Array<ArrayBuffer>,
    nmsFree,
    dropped: picks.dropped,
  };
}

/** One more column of the candidates just finished: `write(row, column, at)` fills `width` numbers a row. */
export function gatherColumn(
  width: number,
  write: (row: number, column: Float32Array, at: number) => void,
): Float32Array<ArrayBuffer> {
  const column = new Float32Array(width * picks.count);
  for (let i = 0; i < picks.count; i++) write(picks.rows[i]!, column, width * i);
  return column;
}

/**
 * Candidates with their further columns, less the rows that hold NaN or infinity there: those are dropped and counted as
 * those with such a box are.
 */
export function finiteRows(candidates: Candidates): Candidates {
  const { count, dropped, keypoints, angles, maskCoefficients } = candidates;
  const further = [keypoints, angles, maskCoefficients].filter((column) => column !== undefined);
  const kept: number[] = [];
  for (let row = 0; row < count; row++) {
    if (further.every((column) => rowOf(column, row, count).every(Number.isFinite))) kept.push(row);
  }
  if (kept.length === count) return candidates;
  const columns = Object.entries(candidates).flatMap(([name, column]) => {
    if (!(column instanceof Float32Array || column instanceof Int32Array)) return [];
    const less = column.slice(0, (column.length / count) * kept.length);
    for (const [at, row] of kept.entries()) less.set(rowOf(column, row, count), (at * column.length) / count);
    return [[name, less]];
  });
  return {
    ...candidates,
    ...Object.fromEntries(columns),
    count: kept.length,
    dropped: dropped + count - kept.length,
  };
}

function rowOf<Column extends Float32Array | Int32Array>(column: Column, row: number, rows: number): Column {
  const width = column.length / rows;
  return column.subarray(row * width, (row + 1) * width) as Column;
}
