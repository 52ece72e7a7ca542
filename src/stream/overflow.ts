/**
 * What happens to frames that arrive faster than they can be detected.
 *
 * - `'latest'`: one frame waits; a newer one takes its place. Lowest latency, for live video.
 * - `{ bounded: n }`: n frames wait; when full the oldest of them is dropped (or, with `drop: 'newest'`, the arriving
 *   one). Rides out short stalls with a bounded delay.
 * - `'lossless'`: none is dropped. A source that is pulled (iterables, streams) is asked for the next frame only when
 *   there is room, so nothing piles up; an Observable cannot be held back, so there frames wait without bound.
 */
import { OptionError } from '../errors.ts';

export type Overflow =
  | 'latest'
  | 'lossless'
  | { readonly bounded: number; readonly drop?: 'oldest' | 'newest' };

/** Frames waiting for their turn, under one of the policies. */
export class WaitingQueue<Item> {
  /** Whether the source must be held back instead of dropping. */
  readonly lossless: boolean;
  private readonly capacity: number;
  private readonly dropNewest: boolean;
  private readonly items: Item[] = [];

  constructor(overflow: Overflow) {
    const { capacity, drop } = readOverflow(overflow);
    this.lossless = overflow === 'lossless';
    this.capacity = capacity;
    this.dropNewest = drop === 'newest';
  }

  get length(): number {
    return this.items.length;
  }

  /** Lets an item wait; gives back the one that has to go, if any. */
  push(item: Item): Item | undefined {
    if (this.items.length < this.capacity) {
      this.items.push(item);
      return undefined;
    }
    if (this.dropNewest) return item;
    this.items.push(item);
    return this.items.shift();
  }

  /** The one that has waited longest. */
  shift(): Item | undefined {
    return this.items.shift();
  }

  /** Empties the queue and gives what was in it. */
  clear(): Item[] {
    return this.items.splice(0);
  }
}

/** Capacity and rule of a policy; throws OptionError for what is none. */
export function readOverflow(overflow: Overflow): { capacity: number; drop: 'oldest' | 'newest' } {
  if (overflow === 'lossless') return { capacity: Number.POSITIVE_INFINITY, drop: 'oldest' };
  if (overflow === 'latest') return { capacity: 1, drop: 'oldest' };
  if (typeof overflow === 'object' && overflow !== null) {
    const { bounded, drop = 'oldest' } = overflow;
    const known = drop === 'oldest' || drop === 'newest';
    if (Number.isSafeInteger(bounded) && bounded >= 1 && known) return { capacity: bounded, drop };
  }
  throw new OptionError(
    "overflow: expected 'latest', 'lossless' or { bounded: n, drop?: 'oldest' | 'newest' } with a whole n ≥ 1, " +
      `got ${JSON.stringify(overflow)}`,
    { overflow },
  );
}
