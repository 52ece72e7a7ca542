/** Rows of one {@link Detections} into another with the same columns: behind `select` and `merge`. */
import type { Detections } from './detections.ts';
import { placeLength } from './detections-layout.ts';

/** Numbers a row, and the column it lies in. */
function fixedColumns(detections: Detections) {
  const { boxes, scores, classIds, angles, trackIds, keypoints, keypointCount, maskLogits } = detections;
  return [
    [4, boxes],
    [1, scores],
    [1, classIds],
    [1, angles],
    [1, trackIds],
    [3 * keypointCount, keypoints],
    [placeLength, maskLogits?.places],
  ] as const;
}

/** Where the row's values begin, and the values: columns of any number a row. */
function raggedColumns({ maskOffsets, maskRuns, maskLogits }: Detections) {
  return [
    [maskOffsets, maskRuns],
    [maskLogits?.offsets, maskLogits?.values],
  ] as const;
}

/** Values that the rows at `indices` (default all) have in a ragged column. */
export function raggedLength(offsets: Uint32Array | undefined, indices?: ArrayLike<number>): number {
  if (offsets === undefined) return 0;
  if (indices === undefined) return offsets[offsets.length - 1];
  let length = 0;
  for (let i = 0; i < indices.length; i++) length += offsets[indices[i] + 1] - offsets[indices[i]];
  return length;
}

/** Writes the rows of `source` at `indices` (default all) into `target` from `row` on. */
export function copyRows(
  source: Detections,
  target: Detections,
  row: number,
  indices?: ArrayLike<number>,
): void {
  const count = indices?.length ?? source.count;
  const targets = fixedColumns(target);
  fixedColumns(source).forEach(([width, from], column) => {
    const to = targets[column][1];
    if (from === undefined || to === undefined) return;
    if (indices === undefined) {
      to.set(from, width * row);
      return;
    }
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < width; k++) to[width * (row + i) + k] = from[width * indices[i] + k];
    }
  });
  const raggedTargets = raggedColumns(target);
  raggedColumns(source).forEach(([offsets, values], column) => {
    const [toOffsets, toValues] = raggedTargets[column];
    if (!offsets || !values || !toOffsets || !toValues) return;
    let at = toOffsets[row];
    for (let i = 0; i < count; i++) {
      const index = indices === undefined ? i : indices[i];
      const part = values.subarray(offsets[index], offsets[index + 1]);
      toValues.set(part, at);
      at += part.length;
      toOffsets[row + i + 1] = at;
    }
  });
}
