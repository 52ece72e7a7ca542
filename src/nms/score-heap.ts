/** A binary heap of positions by score, ties by lower index: for selections whose scores change while they run. */
export class ScoreHeap {
  size = 0;
  private readonly heap: Uint32Array;

  constructor(
    /** Scores by position; may change for positions that are not in the heap. */
    private readonly scores: Float64Array,
    /** Index of each position in the caller's arrays. */
    private readonly indices: Uint32Array,
  ) {
    this.heap = new Uint32Array(scores.length);
  }

  push(position: number): void {
    const { heap } = this;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isBefore(position, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = position;
  }

  /** Takes the best position out; the heap must not be empty. */
  pop(): number {
    const { heap } = this;
    const best = heap[0]!;
    const last = heap[--this.size]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && this.isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return best;
  }

  private isBefore(a: number, b: number): boolean {
    const difference = this.scores[a]! - this.scores[b]!;
    return difference > 0 || (difference === 0 && this.indices[a]! < this.indices[b]!);
  }
}
