/**
 * One task after another: a session runs one inference at a time, and its buffers are reused.
 *
 * A task whose signal aborts while it waits never starts; one that already runs cannot be stopped, so its caller is
 * answered at once and its result is dropped. `dispose` answers everyone with the error given.
 */

interface Entry {
  readonly start: () => void;
  readonly reject: (reason: unknown) => void;
}

export class SerialQueue {
  readonly #waiting: Entry[] = [];
  #running: Entry | undefined;
  #closed: Error | undefined;

  /** True where a task given now would start before {@link SerialQueue.run} returns. */
  get idle(): boolean {
    return this.#running === undefined && this.#waiting.length === 0;
  }

  /** Tasks waiting, without the running one. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `task` in its turn; starts it synchronously when idle. */
  run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed !== undefined) return reject(this.#closed);
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        const at = this.#waiting.indexOf(entry);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal?.reason);
      };
      const settle = () => {
        signal?.removeEventListener('abort', onAbort);
        this.#running = undefined;
        this.#next();
      };
      const entry: Entry = {
        reject: (reason) => {
          signal?.removeEventListener('abort', onAbort);
          reject(reason);
        },
        start: () => {
          task().then(resolve, reject).finally(settle);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(entry);
      if (this.#running === undefined) this.#next();
    });
  }

  /** Rejects the running and all waiting tasks, and every later one, with `error`. */
  dispose(error: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    for (const entry of this.#waiting.splice(0)) entry.reject(error);
    this.#running?.reject(error);
  }

  #next(): void {
    const entry = this.#waiting.shift();
    if (entry === undefined) return;
    this.#running = entry;
    entry.start();
  }
}
