/**
 * Outputs as the CPU would have read them, blank but for the rows that were read back: the CPU's own decoder and NMS then
 * give the result, so it cannot differ.
 */
import type { TensorLike } from '../../heads/types.ts';
import type { GpuOutputs, HeadPlan, Table } from './heads.ts';
import { recordWords } from './shader-layout.ts';

interface Blank {
  readonly data: Float32Array<ArrayBuffer>;
  readonly fill: number;
  readonly tensor: TensorLike;
  /** Elements that were written. */
  touched: number[];
}

export class SparseOutputs {
  readonly #blanks = new Map<string, Blank>();

  /** The outputs of a plan, blank: what was written before is wiped, so they are valid until the next call. */
  begin(plan: HeadPlan, outputs: GpuOutputs): Record<string, TensorLike> {
    const names = [...new Set([plan.scores.name, plan.boxes.name])];
    return Object.fromEntries(
      names.map((name) => {
        const fill = name === plan.scores.name ? plan.blank : 0;
        return [name, this.#blank(name, outputs[name]!.dims, fill).tensor];
      }),
    );
  }

  /** Writes the records of an image to where they came from, and says how many hold NaN or infinity in further columns. */
  write(plan: HeadPlan, image: number, words: Uint32Array, count: number): number {
    const numbers = new Float32Array(words.buffer, words.byteOffset, words.length);
    const size = recordWords + plan.extra.count;
    const scores = this.#blanks.get(plan.scores.name)!;
    const boxes = this.#blanks.get(plan.boxes.name)!;
    let broken = 0;
    for (let k = 0; k < count; k++) {
      const at = k * size;
      const row = words[at]!;
      put(scores, plan.scores, image, row, plan.firstClass + words[at + 1]!, numbers[at + 2]!);
      if (plan.aux !== null) put(scores, plan.scores, image, row, plan.aux, numbers[at + 3]!);
      for (let side = 0; side < 4; side++) put(boxes, plan.boxes, image, row, side, numbers[at + 4 + side]!);
      for (let e = 0; e < plan.extra.count; e++) {
        put(scores, plan.scores, image, row, plan.extra.from + e, numbers[at + recordWords + e]!);
      }
      if (!numbers.subarray(at + recordWords, at + size).every(Number.isFinite)) broken++;
    }
    return broken;
  }

  #blank(name: string, dims: readonly number[], fill: number): Blank {
    const length = dims.reduce((product, dim) => product * dim, 1);
    const known = this.#blanks.get(name);
    if (known !== undefined && known.fill === fill && String(known.tensor.dims) === String(dims)) {
      for (const index of known.touched) known.data[index] = fill;
      known.touched = [];
      return known;
    }
    const data = new Float32Array(length).fill(fill);
    const made: Blank = { data, fill, tensor: { data, dims, type: 'float32' }, touched: [] };
    this.#blanks.set(name, made);
    return made;
  }
}

function put(blank: Blank, table: Table, image: number, row: number, column: number, value: number): void {
  const index = image * table.imageStep + row * table.rowStep + column * table.columnStep;
  blank.data[index] = value;
  blank.touched.push(index);
}
