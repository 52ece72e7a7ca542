/** The generator of generate.py: same seed, same boxes. */
export class Sequence {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(bound: number): number {
    this.#state = (Math.imul(1664525, this.#state) + 1013904223) >>> 0;
    return (this.#state >>> 8) % bound;
  }
}

/** x1, y1 in -60 … 700, sides 0 … 300, thousandths, as float32; every fifth box has a side of zero. */
export function goldenBoxes(seed: number, count: number): Float32Array<ArrayBuffer> {
  const sequence = new Sequence(seed);
  const boxes = new Float32Array(4 * count);
  for (let i = 0; i < count; i++) {
    const x = sequence.below(760000) / 1000 - 60;
    const y = sequence.below(760000) / 1000 - 60;
    let width = sequence.below(300000) / 1000;
    const height = sequence.below(300000) / 1000;
    if (i % 5 === 4) width = 0;
    boxes.set([x, y, x + width, y + height], 4 * i);
  }
  return boxes;
}
