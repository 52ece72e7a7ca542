/**
 * A wait that can be cut short: until a frame is due, or until something rings (a new video frame, a moved slider).
 * A ring with nobody waiting is kept for the next wait, so that none is lost.
 */
export class Alarm {
  #wake: (() => void) | null = null;
  #rung = false;

  ring(): void {
    if (this.#wake === null) this.#rung = true;
    else this.#wake();
  }

  /** Resolves after `milliseconds` (`Infinity`: never by itself), at a ring, or when the signal fires. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (this.#rung || signal.aborted) {
      this.#rung = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = Number.isFinite(milliseconds)
        ? setTimeout(() => this.#wake?.(), milliseconds)
        : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', this.#wake!);
        this.#wake = null;
        resolve();
      };
      signal.addEventListener('abort', this.#wake);
    });
  }
}
