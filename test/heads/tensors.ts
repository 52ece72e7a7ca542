/** The seeded tensors of test/golden/heads/generate.py, written again. */
import type { ModelOutputs, TensorLike } from '../../src/heads/index.ts';

export interface GoldenCase {
  readonly id: string;
  readonly head: string;
  readonly seed: number;
  readonly input: readonly [number, number];
  readonly scoreThreshold: number;
  readonly image?: number;
  readonly multiLabel?: boolean;
  readonly classes?: readonly number[];
  readonly half?: boolean;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, { readonly dims: readonly number[]; readonly kind: string }>>;
}

/** Numbers in [0, 1) on a grid of 2^-24, or 2^-10 for half. */
function uniform(seed: number, count: number, half: boolean): Float64Array {
  const out = new Float64Array(count);
  let state = seed >>> 0;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = half ? (state >>> 22) / 1024 : (state >>> 8) / 16777216;
  }
  return out;
}

function values(
  kind: string,
  dims: readonly number[],
  u: Float64Array,
  [width, height]: readonly [number, number],
): Float64Array {
  const last = dims.at(-1)!;
  const scale = [width, height, width / 4, height / 4];
  return u.map((value, i) => {
    const column = kind.endsWith('-major') ? Math.floor(i / last) % dims[1]! : i % last;
    switch (kind) {
      case 'cxcywh-major':
      case 'cxcywh-row':
        return column < 4 ? value * scale[column]! : value;
      case 'offset-row':
        return column < 4 ? value * 2 - 0.5 : value;
      case 'detections':
        return column < 4 || kind !== 'detections'
          ? value * 512
          : column === 5
            ? Math.floor(value * 80)
            : value;
      case 'logits':
        return value * 8 - 6;
      case 'signed':
        return value * 4 - 2;
      case 'labels':
        return Math.floor(value * 80);
      case 'pixels':
        return value * 512;
      case 'whole':
        return Math.floor(value * 80) + 1;
      case 'count':
        return 20 + Math.floor(value * 20);
      case 'class-first':
        return column === 0 ? Math.floor(value * 81) - 1 : column === 1 ? value : value * 512;
      case 'class-last':
        if (column === 0) return Math.floor(value * 3);
        return column === 6 ? Math.floor(value * 80) + 1 : column === 5 ? value : value * 512;
      case 'batched':
        if (column === 0) return Math.floor(value * 3);
        return column === 5 ? Math.floor(value * 80) : column < 5 ? value * 512 : value;
      default:
        return value;
    }
  });
}

/** Number → float16 bits, round to nearest even; independent of the decoder's table. */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 1e-9)));
  const unit = 2 ** (exponent - 10);
  const exact = size / unit;
  let steps = Math.floor(exact);
  if (exact - steps > 0.5 || (exact - steps === 0.5 && steps % 2 === 1)) steps++;
  // below 2^-14 the steps are the bits; above, the leading one moves into the exponent
  return sign | (steps < 1024 ? steps : ((exponent + 15) << 10) + (steps - 1024));
}

/** The outputs of a case as onnxruntime gives them: float32, float16 bits, int64 labels. */
export function caseOutputs(test: GoldenCase): ModelOutputs {
  const outputs: Record<string, TensorLike> = {};
  Object.entries(test.tensors).forEach(([name, { dims, kind }], i) => {
    const count = dims.reduce((product, dim) => product * dim, 1);
    const half = test.half === true;
    const data = values(kind, dims, uniform(test.seed + 1000 * i, count, half), test.input);
    if (kind === 'labels')
      outputs[name] = { dims, type: 'int64', data: BigInt64Array.from(data, (x) => BigInt(x)) };
    else if (half) outputs[name] = { dims, type: 'float16', data: Uint16Array.from(data, (x) => toHalf(x)) };
    else outputs[name] = { dims, type: 'float32', data: Float32Array.from(data) };
  });
  return outputs;
}
