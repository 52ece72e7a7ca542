/** The last N numbers of a measurement, in a ring that is allocated once. */
export class Rolling {
  readonly #values: Float64Array;
  #next = 0;
  #count = 0;

  constructor(capacity: number) {
    this.#values = new Float64Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  get capacity(): number {
    return this.#values.length;
  }

  push(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#values.length;
    this.#count = Math.min(this.#count + 1, this.#values.length);
  }

  /** The i-th oldest value kept. */
  at(i: number): number {
    const start = this.#next - this.#count + this.#values.length;
    return this.#values[(start + i) % this.#values.length]!;
  }

  /** Mean of the newest `last` values; NaN when there are none. */
  mean(last: number = this.#count): number {
    const n = Math.min(last, this.#count);
    let sum = 0;
    for (let i = this.#count - n; i < this.#count; i++) sum += this.at(i);
    return sum / n;
  }

  max(): number {
    let max = 0;
    for (let i = 0; i < this.#count; i++) max = Math.max(max, this.at(i));
    return max;
  }

  clear(): void {
    this.#count = 0;
    this.#next = 0;
  }
}
