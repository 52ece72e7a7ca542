/** Arithmetic of partly known shapes: products, broadcasting, reshapes, windows. */
import type { OnnxNode } from './model.ts';

/** A dim is a number or null where it is not known; a shape is undefined where even the rank is not. */
export type Shape = readonly (number | null)[];

/** Elements of a small integer tensor, null where not known. */
export type Values = readonly (number | null)[];

/** At most this many elements of an integer tensor are followed, and dims of any tensor. */
export const valueLimit = 16;

export function product(dims: Shape): number | null {
  return dims.reduce((all, dim) => (all === null || dim === null ? null : all * dim), 1 as number | null);
}

export function broadcast(operands: readonly (Shape | undefined)[]): Shape | undefined {
  if (operands.some((shape) => shape === undefined)) return undefined;
  const rank = Math.max(...operands.map((shape) => shape!.length));
  if (!(rank >= 0 && rank <= valueLimit)) return undefined;
  return Array.from({ length: rank }, (_, i) => {
    const dims = operands.map((shape) => shape!.at(i - rank) ?? (i - rank < -shape!.length ? 1 : null));
    const wide = dims.find((dim) => dim !== null && dim !== 1);
    return wide ?? (dims.includes(null) ? null : 1);
  });
}

export function reshaped(from: Shape | undefined, target: Values): Shape {
  const dims = target.map((dim, i) => (dim === 0 ? (from?.[i] ?? null) : dim));
  const hole = dims.indexOf(-1);
  if (hole >= 0) {
    const rest = product(dims.filter((_, i) => i !== hole));
    const all = from === undefined ? null : product(from);
    dims[hole] = all === null || rest === null || rest === 0 ? null : all / rest;
  }
  return dims;
}

export function convolution(
  node: OnnxNode,
  data: Shape | undefined,
  weights: Shape | undefined,
): Shape | undefined {
  if (weights === undefined || weights.length !== 4) return undefined;
  const transposed = node.op === 'ConvTranspose';
  const group = node.attributes.get('group')?.int ?? 1;
  const outputs = transposed ? (weights[1] === null ? null : weights[1]! * group) : weights[0]!;
  if (data === undefined || data.length !== 4 || transposed) return [data?.[0] ?? null, outputs, null, null];
  return [data[0]!, outputs, ...spatial(node, data, [weights[2] ?? null, weights[3] ?? null])];
}

/** Output height and width of a window operator with explicit or SAME padding. */
export function spatial(node: OnnxNode, data: Shape, kernel: Shape): Shape {
  const { attributes } = node;
  const strides = attributes.get('strides')?.ints ?? [];
  const pads = attributes.get('pads')?.ints ?? [];
  const dilations = attributes.get('dilations')?.ints ?? [];
  return [0, 1].map((i) => {
    const size = data[2 + i] ?? null;
    const window = kernel[i] ?? null;
    if (size === null || window === null) return null;
    const padded = size + (pads[i] ?? 0) + (pads[i + 2] ?? 0) - ((window - 1) * (dilations[i] ?? 1) + 1);
    const steps = padded / (strides[i] ?? 1);
    // auto_pad leaves no pads to read: unknown rather than wrong
    if (attributes.has('auto_pad') && pads.length === 0 && window > 1) return null;
    return (attributes.get('ceil_mode')?.int === 1 ? Math.ceil(steps) : Math.floor(steps)) + 1;
  });
}

export function pooled(node: OnnxNode, data: Shape): Shape {
  const kernel = node.attributes.get('kernel_shape')?.ints;
  if (kernel === undefined) return [data[0]!, data[1]!, null, null];
  return [data[0]!, data[1]!, ...spatial(node, data, kernel)];
}
