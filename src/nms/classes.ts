/**
 * Splits score-ordered candidates by class, so that class-aware suppression is one exact run a class: no coordinate
 * offset, hence no lost precision and no limit on coordinates or class ids.
 */

export interface ClassBuckets {
  /** The candidates, grouped by class, score order kept within a class. */
  readonly members: Uint32Array;
  /** Where in the score order each member stands. */
  readonly ranks: Uint32Array;
  /** Bucket b is `members[starts[b] .. starts[b + 1])`. */
  readonly starts: Uint32Array;
}

/** Groups `order` (indices, best first) by `classIds[index]`; buckets come in the order of their best member. */
export function bucketByClass(order: Uint32Array, classIds: Int32Array): ClassBuckets {
  const count = order.length;
  const bucketOf = new Map<number, number>();
  const buckets = new Uint32Array(count);
  const sizes: number[] = [];
  for (let rank = 0; rank < count; rank++) {
    const id = classIds[order[rank]!]!;
    let bucket = bucketOf.get(id);
    if (bucket === undefined) {
      bucket = sizes.length;
      bucketOf.set(id, bucket);
      sizes.push(0);
    }
    buckets[rank] = bucket;
    sizes[bucket]!++;
  }
  const starts = new Uint32Array(sizes.length + 1);
  for (let b = 0; b < sizes.length; b++) starts[b + 1] = starts[b]! + sizes[b]!;
  const next = starts.slice();
  const members = new Uint32Array(count);
  const ranks = new Uint32Array(count);
  for (let rank = 0; rank < count; rank++) {
    const at = next[buckets[rank]!]!++;
    members[at] = order[rank]!;
    ranks[at] = rank;
  }
  return { members, ranks, starts };
}
