/** Row-wise log-softmax, the start of every softmax loss. */

/** Fills `out[0..columns)` with ln softmax of one row; exact for any finite logits. */
export function logSoftmaxRow(
  logits: ArrayLike<number>,
  offset: number,
  columns: number,
  out: Float64Array,
): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < columns; c++) {
    const x = logits[offset + c]!;
    if (x > largest) largest = x;
  }
  let sum = 0;
  for (let c = 0; c < columns; c++) sum += Math.exp(logits[offset + c]! - largest);
  const logSum = Math.log(sum);
  for (let c = 0; c < columns; c++) out[c] = logits[offset + c]! - largest - logSum;
}
