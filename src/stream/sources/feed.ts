/**
 * Turns callbacks into an async iterable that can always be closed.
 *
 * An async generator cannot be: `return()` waits behind the pending `next()`, and a paused video never answers it.
 */

/** Someone who gives frames one at a time. */
export interface FrameFeed<Item> {
  /** The next item, or undefined at the end. */
  next(): Promise<Item | undefined>;
  /** Releases everything; called once, also when `next` is still pending. */
  close(): void;
}

interface Waiter<Item> {
  resolve(item: IteratorResult<Item, undefined>): void;
  reject(reason: unknown): void;
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * An async iterable over a feed that is opened with the first `next`. `return()` and the signal close it at once, even
 * while `next` is pending; an item that arrives after all is discarded.
 */
export function feedFrames<Item>(
  open: () => FrameFeed<Item> | Promise<FrameFeed<Item>>,
  discard: (item: Item) => void,
  signal?: AbortSignal,
): AsyncIterableIterator<Item> {
  let opening: Promise<FrameFeed<Item>> | undefined;
  let ended = false;
  let aborted = false;
  // Waiting callers are settled from here, not by racing them against one promise that lives as long as the source:
  // that would keep a reaction of every frame.
  const waiters = new Set<Waiter<Item>>();

  const close = () => {
    if (ended) return;
    ended = true;
    signal?.removeEventListener('abort', abort);
    opening?.then((feed) => feed.close()).catch(() => undefined);
  };
  const abort = () => {
    close();
    aborted = waiters.size === 0;
    for (const waiter of waiters) waiter.reject(signal?.reason);
    waiters.clear();
  };
  const read = async (waiter: Waiter<Item>) => {
    try {
      opening ??= (async () => open())();
      const feed = await opening;
      const item = ended ? undefined : await feed.next();
      if (item === undefined) close();
      if (!waiters.delete(waiter)) {
        if (item !== undefined) discard(item);
      } else if (item === undefined) waiter.resolve(done);
      else waiter.resolve({ done: false, value: item });
    } catch (error) {
      close();
      if (waiters.delete(waiter)) waiter.reject(error);
    }
  };
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort, { once: true });
  return {
    next() {
      if (aborted) {
        aborted = false;
        return Promise.reject(signal?.reason);
      }
      if (ended) return Promise.resolve(done);
      return new Promise((resolve, reject) => {
        const waiter = { resolve, reject };
        waiters.add(waiter);
        void read(waiter);
      });
    },
    return() {
      close();
      for (const waiter of waiters) waiter.resolve(done);
      waiters.clear();
      return Promise.resolve(done);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
