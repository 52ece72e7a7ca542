/** Writes small ONNX models byte by byte: no tool for it is needed. Those of suppression are here, those of IoU in ../iou. */

export type Bytes = readonly number[];

const text = (value: string): Bytes => [...new TextEncoder().encode(value)];

function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

const number = (field: number, value: number): Bytes => [...varint(field * 8), ...varint(value)];
const block = (field: number, content: Bytes): Bytes => [
  ...varint(field * 8 + 2),
  ...varint(content.length),
  ...content,
];
export const name = (field: number, value: string): Bytes => block(field, text(value));

export const FLOAT = 1;
export const INT64 = 7;

function littleEndian(type: number, values: readonly number[]): Bytes {
  const bytes = new DataView(new ArrayBuffer(values.length * (type === INT64 ? 8 : 4)));
  values.forEach((value, i) => {
    if (type === INT64) bytes.setBigInt64(8 * i, BigInt(value), true);
    else bytes.setFloat32(4 * i, value, true);
  });
  return [...new Uint8Array(bytes.buffer)];
}

export function constant(label: string, type: number, values: readonly number[]): Bytes {
  return block(5, [
    ...number(1, values.length),
    ...number(2, type),
    ...name(8, label),
    ...block(9, littleEndian(type, values)),
  ]);
}

export function node(
  operator: string,
  inputs: readonly string[],
  output: string | readonly string[],
  attributes: readonly Bytes[] = [],
): Bytes {
  return block(1, [
    ...inputs.flatMap((input) => name(1, input)),
    ...[output].flat().flatMap((result) => name(2, result)),
    ...name(4, operator),
    ...attributes.flatMap((attribute) => block(5, attribute)),
  ]);
}

export const integer = (label: string, value: number): Bytes => [
  ...name(1, label),
  ...number(3, value),
  ...number(20, 2),
];
export const integers = (label: string, values: readonly number[]): Bytes => [
  ...name(1, label),
  ...values.flatMap((value) => number(8, value)),
  ...number(20, 7),
];

export function value(field: number, label: string, type: number, dims: readonly (number | string)[]): Bytes {
  const shape = dims.flatMap((dim) => block(1, typeof dim === 'number' ? number(1, dim) : name(2, dim)));
  return block(field, [...name(1, label), ...block(2, block(1, [...number(1, type), ...block(2, shape)]))]);
}

export function model(graph: Bytes): Uint8Array {
  return Uint8Array.from([
    ...number(1, 8),
    ...block(7, graph),
    ...block(8, [...name(1, ''), ...number(2, 13)]),
  ]);
}

const limits = (threshold: number, confidence: number | undefined): Bytes => [
  ...constant('limit', INT64, [1_000_000]),
  ...constant('iou', FLOAT, [threshold]),
  ...(confidence === undefined ? [] : constant('confidence', FLOAT, [confidence])),
];

/** `boxes` [1, N, 4] as y1,x1,y2,x2 and `scores` [1, C, N] to `selected` [K, 3]. */
export function nmsModel(threshold: number): Uint8Array {
  return model([
    ...node('NonMaxSuppression', ['boxes', 'scores', 'limit', 'iou'], 'selected'),
    ...name(2, 'nms'),
    ...limits(threshold, undefined),
    ...value(11, 'boxes', FLOAT, [1, 'n', 4]),
    ...value(11, 'scores', FLOAT, [1, 'c', 'n']),
    ...value(12, 'selected', INT64, ['k', 3]),
  ]);
}

/** A YOLOv8 output [1, 84, N] to `selected` [K, 3]: split, transpose, NonMaxSuppression of every class. */
export function decodeModel(threshold: number, confidence: number): Uint8Array {
  return model([
    ...node('Split', ['output', 'parts'], ['raw', 'scores'], [integer('axis', 1)]),
    ...node('Transpose', ['raw'], 'boxes', [integers('perm', [0, 2, 1])]),
    ...node('NonMaxSuppression', ['boxes', 'scores', 'limit', 'iou', 'confidence'], 'selected', [
      integer('center_point_box', 1),
    ]),
    ...name(2, 'decode'),
    ...constant('parts', INT64, [4, 80]),
    ...limits(threshold, confidence),
    ...value(11, 'output', FLOAT, [1, 84, 'n']),
    ...value(12, 'selected', INT64, ['k', 3]),
  ]);
}
