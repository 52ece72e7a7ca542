/**
 * Tiny ONNX files made on the spot, so that tests of the pipeline take milliseconds and say exactly what the model
 * answers.
 *
 * A small protobuf writer and, on it, a "constant detector": a model in the YOLOv8 layout whose output does not depend
 * on the picture (its mean is multiplied by zero and added) unless `seesBrightness` says so, for any batch.
 */

type Bytes = readonly number[];

function varint(value: number): Bytes {
  const out: number[] = [];
  let rest = value;
  while (rest > 127) {
    out.push((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
  return out;
}

const int = (field: number, value: number): Bytes => [...varint(field << 3), ...varint(value)];
const message = (field: number, ...parts: Bytes[]): Bytes => {
  const body = parts.flat();
  return [...varint((field << 3) | 2), ...varint(body.length), ...body];
};
const text = (field: number, value: string): Bytes => message(field, [...new TextEncoder().encode(value)]);

const floatType = 1;
const int64Type = 7;

function value(field: number, name: string, dims: readonly (number | string)[], type = floatType): Bytes {
  const shape = dims.map((dim) => message(1, typeof dim === 'number' ? int(1, dim) : text(2, dim)));
  return message(field, text(1, name), message(2, message(1, int(1, type), message(2, ...shape))));
}

function tensor(name: string, dims: readonly number[], data: Float32Array | BigInt64Array): Bytes {
  const raw = [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
  const type = data instanceof Float32Array ? floatType : int64Type;
  return message(5, ...dims.map((dim) => int(1, dim)), int(2, type), text(8, name), message(9, raw));
}

function node(op: string, inputs: readonly string[], output: string, attributes: Bytes[] = []): Bytes {
  return message(1, ...inputs.map((name) => text(1, name)), text(2, output), text(4, op), ...attributes);
}

const intsAttribute = (name: string, values: readonly number[]): Bytes =>
  message(5, text(1, name), ...values.map((entry) => int(8, entry)), int(20, 7));

export interface ConstantDetectorOptions {
  /** Input side in pixels, or a symbol for a dynamic size. Default 32. */
  readonly side?: number;
  readonly dynamicSize?: boolean;
  /** Pictures a run, or `'batch'`. Default `'batch'`. */
  readonly batch?: number | 'batch';
  /** Rows of cx, cy, w, h in input pixels and one score a class. */
  readonly rows?: readonly (readonly number[])[];
  /** Adds the mean of the picture's values (0–1) to the first score. */
  readonly seesBrightness?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Answers as `[N, anchors, 7]`: box, objectness, two scores. Such dims fit YOLOX, YOLOv5 and YOLOv6 alike. */
  readonly anchorMajor?: boolean;
  /** Numbers of a row: 4 of the box, the scores, and what else the head reads. Default 6: two scores. */
  readonly columns?: number;
  /** A second output `[N, channels, side, side]` of these mask prototypes. */
  readonly prototypes?: { readonly channels: number; readonly side: number; readonly data: Float32Array };
}

/** Anchors of the constant detector: strides 8, 16 and 32 over a 32×32 input. */
const anchors = 21;

/** ONNX bytes of a YOLOv8-layout detector with two classes that always finds `rows`. */
export function constantDetector(options: ConstantDetectorOptions = {}): Uint8Array<ArrayBuffer> {
  const { side = 32, dynamicSize = false, batch = 'batch', rows = [] } = options;
  const metadata = options.metadata ?? { names: "{0: 'cat', 1: 'dog'}", stride: '32', task: 'detect' };
  const { anchorMajor = false, columns = 6, prototypes, seesBrightness = false } = options;
  const gain = Float32Array.from({ length: columns }, (_, channel) =>
    seesBrightness && channel === 4 ? 1 : 0,
  );
  const shape = anchorMajor ? [anchors, 7] : [columns, anchors];
  const answer = new Float32Array(shape[0] * shape[1]);
  for (const [anchor, row] of rows.entries()) {
    for (const [channel, entry] of row.entries()) {
      answer[anchorMajor ? anchor * 7 + channel : channel * anchors + anchor] = entry;
    }
  }
  const size = dynamicSize ? ['height', 'width'] : [side, side];
  const graph = message(
    7,
    node('ReduceMean', ['images'], 'mean', [intsAttribute('axes', [1, 2, 3])]),
    node('Reshape', ['mean', 'shape'], 'column'),
    node('Mul', ['column', 'gain'], 'seen'),
    node('Add', ['seen', 'answer'], 'output0'),
    ...(prototypes === undefined
      ? []
      : [
          node('Reshape', ['mean', 'shape1'], 'column1'),
          node('Mul', ['column1', 'zero'], 'nothing1'),
          node('Add', ['nothing1', 'prototypes'], 'output1'),
        ]),
    text(2, 'constant'),
    ...(prototypes === undefined
      ? []
      : [
          tensor('shape1', [4], BigInt64Array.of(-1n, 1n, 1n, 1n)),
          tensor('prototypes', [1, prototypes.channels, prototypes.side, prototypes.side], prototypes.data),
        ]),
    tensor('shape', [3], BigInt64Array.of(-1n, 1n, 1n)),
    tensor('gain', anchorMajor ? [1] : [1, columns, 1], anchorMajor ? Float32Array.of(0) : gain),
    tensor('zero', [1], Float32Array.of(0)),
    tensor('answer', [1, ...shape], answer),
    value(11, 'images', [batch, 3, ...size]),
    value(12, 'output0', [batch, ...shape]),
    ...(prototypes === undefined
      ? []
      : [value(12, 'output1', [batch, prototypes.channels, prototypes.side, prototypes.side])]),
  );
  const entries = Object.entries(metadata).map(([key, entry]) => message(14, text(1, key), text(2, entry)));
  return Uint8Array.from([...int(1, 8), ...graph, ...message(8, text(1, ''), int(2, 13)), ...entries.flat()]);
}
