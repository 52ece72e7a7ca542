/**
 * An ONNX file as a value: metadata, graph inputs and outputs, nodes, and initialisers whose data stay in place.
 *
 * Field numbers are those of onnx.proto3. Subgraphs, functions and sparse tensors are skipped: they say nothing about
 * the head.
 */
import { ModelError } from '../../errors.ts';
import { type ModelErrorReason, modelError, WireReader } from './wire.ts';

/** A dim is a number, a symbol, or null where the file gives none. */
export type Dim = number | string | null;

/** A named value of the graph. */
export interface ValueInfo {
  readonly name: string;
  /** onnxruntime's name of the element type. */
  readonly type: string;
  /** null where the file declares no shape. */
  readonly shape: readonly Dim[] | null;
}

/** A constant of the graph. */
export interface OnnxTensor {
  readonly dims: readonly number[];
  readonly type: string;
  readonly raw: Uint8Array | null;
  /** Elements kept in typed fields instead of `raw`. */
  readonly values: readonly number[];
}

export interface OnnxAttribute {
  readonly int: number | null;
  readonly float: number | null;
  readonly ints: readonly number[];
  readonly floats: readonly number[];
  readonly tensor: OnnxTensor | null;
}

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  /** Version of the default operator set; 0 where the file gives none. */
  readonly opset: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Graph inputs without the initialisers, which old files list among them. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Declared shapes of intermediate values. */
  readonly valueInfo: readonly ValueInfo[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  readonly nodes: readonly OnnxNode[];
}

const elementTypes: readonly string[] = (
  'undefined float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64 complex64 ' +
  'complex128 bfloat16 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz uint4 int4 float4e2m1'
).split(' ');

/** Parses an ONNX file; anything that is not one is a `ModelError` whose `details.reason` says why. */
export function readOnnx(bytes: Uint8Array | ArrayBuffer): OnnxModel {
  const file = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  if (file.length === 0) throw modelError('empty', 'the model has zero bytes');
  const foreign = foreignFormat(file);
  if (foreign !== null) throw modelError('not-onnx', `not an ONNX file: ${foreign}`);
  try {
    return readModel(new WireReader(file), file.length);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    // bytes that go wrong before any graph was seen are some other format, unless the graph itself was cut off
    const reason = error.details.reason as ModelErrorReason;
    if (reason === 'corrupt' && !startsLikeOnnx(file)) {
      throw modelError('not-onnx', `not an ONNX file: ${error.message}`, error.details.offset as number);
    }
    throw error;
  }
}

/** The files people drop by mistake. */
function foreignFormat(file: Uint8Array): string | null {
  const text = (from: number, length: number) => String.fromCharCode(...file.subarray(from, from + length));
  if (text(4, 4) === 'ORTM') return 'an ONNX Runtime .ort file';
  if (text(4, 4) === 'TFL3') return 'a TensorFlow Lite model';
  if (text(0, 4) === 'PK\u0003\u0004') return 'a zip archive (a PyTorch .pt file is one)';
  if (text(0, 4) === '\u0089PNG' || text(0, 3) === '\u00ff\u00d8\u00ff') return 'an image';
  if (text(0, 7) === 'version') return 'a Git LFS pointer; the model itself was not fetched';
  if (/^\s*[<{[]/.test(text(0, 16))) return 'text (HTML or JSON)';
  return null;
}

/** Whether the first field is one that ONNX writers put first: ir_version, a producer string, or the graph. */
function startsLikeOnnx(file: Uint8Array): boolean {
  return [0x08, 0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a].includes(file[0]!);
}

function readModel(reader: WireReader, length: number): OnnxModel {
  let irVersion = 0;
  let opset = 0;
  let graph: ReturnType<typeof readGraph> | null = null;
  const producer = ['', ''];
  const metadata: Record<string, string> = Object.create(null);
  while (reader.next()) {
    if (reader.field === 1) irVersion = reader.integer();
    else if (reader.field === 2) producer[0] = reader.string();
    else if (reader.field === 3) producer[1] = reader.string();
    else if (reader.field === 7) graph = readGraph(reader.message());
    else if (reader.field === 8) opset = readOpset(reader.message()) ?? opset;
    else if (reader.field === 14) {
      const [key, value] = readEntry(reader.message());
      metadata[key] = value;
    } else reader.skip();
  }
  if (graph === null) {
    throw modelError('not-onnx', `not an ONNX file: ${length} bytes without a graph`);
  }
  if (graph.outputs.length === 0) throw modelError('no-outputs', 'the graph of the model has no outputs');
  return { irVersion, producer: producer.join(' ').trim(), opset, metadata: { ...metadata }, ...graph };
}

function readGraph(reader: WireReader) {
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, OnnxTensor>();
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  const valueInfo: ValueInfo[] = [];
  while (reader.next()) {
    if (reader.field === 1) nodes.push(readNode(reader.message()));
    else if (reader.field === 5) {
      const { name, tensor } = readTensor(reader.message());
      initializers.set(name, tensor);
    } else if (reader.field === 11) inputs.push(readValueInfo(reader.message()));
    else if (reader.field === 12) outputs.push(readValueInfo(reader.message()));
    else if (reader.field === 13) valueInfo.push(readValueInfo(reader.message()));
    else reader.skip();
  }
  const fed = inputs.filter((input) => !initializers.has(input.name));
  return { nodes, initializers, inputs: fed, outputs, valueInfo };
}

function readNode(reader: WireReader): OnnxNode {
  let op = '';
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  while (reader.next()) {
    if (reader.field === 1) inputs.push(reader.string());
    else if (reader.field === 2) outputs.push(reader.string());
    else if (reader.field === 4) op = reader.string();
    else if (reader.field === 5) readAttribute(reader.message(), attributes);
    else reader.skip();
  }
  return { op, inputs, outputs, attributes };
}

function readAttribute(reader: WireReader, into: Map<string, OnnxAttribute>): void {
  let name = '';
  let int: number | null = null;
  let float: number | null = null;
  let tensor: OnnxTensor | null = null;
  const ints: number[] = [];
  const floats: number[] = [];
  while (reader.next()) {
    if (reader.field === 1) name = reader.string();
    else if (reader.field === 2) float = reader.float();
    else if (reader.field === 3) int = reader.integer();
    else if (reader.field === 5) tensor = readTensor(reader.message()).tensor;
    else if (reader.field === 7) reader.floats(floats);
    else if (reader.field === 8) reader.integers(ints);
    else reader.skip();
  }
  into.set(name, { int, float, ints, floats, tensor });
}

function readTensor(reader: WireReader): { name: string; tensor: OnnxTensor } {
  let name = '';
  let type = 0;
  let raw: Uint8Array | null = null;
  const dims: number[] = [];
  const values: number[] = [];
  while (reader.next()) {
    if (reader.field === 1) reader.integers(dims);
    else if (reader.field === 2) type = reader.integer();
    else if (reader.field === 4) reader.floats(values);
    else if (reader.field === 5 || reader.field === 7) reader.integers(values);
    else if (reader.field === 8) name = reader.string();
    else if (reader.field === 9) raw = reader.blob();
    else reader.skip();
  }
  return { name, tensor: { dims, type: elementTypes[type] ?? 'undefined', raw, values } };
}

function readValueInfo(reader: WireReader): ValueInfo {
  let name = '';
  let type = 'undefined';
  let shape: Dim[] | null = null;
  while (reader.next()) {
    if (reader.field === 1) name = reader.string();
    else if (reader.field === 2) {
      const typeProto = reader.message();
      while (typeProto.next()) {
        if (typeProto.field !== 1) {
          typeProto.skip();
          continue;
        }
        const tensorType = typeProto.message();
        while (tensorType.next()) {
          if (tensorType.field === 1) type = elementTypes[tensorType.integer()] ?? 'undefined';
          else if (tensorType.field === 2) shape = readShape(tensorType.message());
          else tensorType.skip();
        }
      }
    } else reader.skip();
  }
  return { name, type, shape };
}

function readShape(reader: WireReader): Dim[] {
  const shape: Dim[] = [];
  while (reader.next()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    let dim: Dim = null;
    const message = reader.message();
    while (message.next()) {
      if (message.field === 1) dim = message.integer();
      else if (message.field === 2) dim = readSymbol(message.string());
      else message.skip();
    }
    // some writers put -1 or 0 where the dim is not known
    shape.push(typeof dim === 'number' && dim <= 0 ? null : dim);
  }
  return shape;
}

/** End-to-end exports of YOLOv6, v7 and v9 and DAMO-YOLO write numbers as symbols: '100' is a hundred. */
function readSymbol(symbol: string): Dim {
  return /^\d{1,9}$/.test(symbol) ? Number(symbol) : symbol;
}

function readOpset(reader: WireReader): number | null {
  let domain = '';
  let version = 0;
  while (reader.next()) {
    if (reader.field === 1) domain = reader.string();
    else if (reader.field === 2) version = reader.integer();
    else reader.skip();
  }
  return domain === '' || domain === 'ai.onnx' ? version : null;
}

function readEntry(reader: WireReader): [string, string] {
  const entry: [string, string] = ['', ''];
  while (reader.next()) {
    if (reader.field === 1) entry[0] = reader.string();
    else if (reader.field === 2) entry[1] = reader.string();
    else reader.skip();
  }
  return entry;
}

/** The elements of a small constant as numbers; null for types without numbers, external data, or more than `limit`. */
export function tensorValues(tensor: OnnxTensor, limit = 4096): readonly number[] | null {
  let count = 1;
  for (const dim of tensor.dims) count *= dim;
  if (!(count >= 0 && count <= limit)) return null;
  const { raw, values, type } = tensor;
  if (raw === null) {
    if (values.length !== count) return null;
    return type === 'float16' ? values.map(halfToNumber) : values;
  }
  const read = rawReaders[type];
  if (read === undefined || raw.length !== count * read[0]) return null;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: count }, (_, i) => read[1](view, i * read[0]));
}

const rawReaders: Readonly<Record<string, readonly [number, (view: DataView, at: number) => number]>> = {
  float32: [4, (view, at) => view.getFloat32(at, true)],
  float64: [8, (view, at) => view.getFloat64(at, true)],
  float16: [2, (view, at) => halfToNumber(view.getUint16(at, true))],
  int64: [8, (view, at) => view.getInt32(at + 4, true) * 4294967296 + view.getUint32(at, true)],
  int32: [4, (view, at) => view.getInt32(at, true)],
  int8: [1, (view, at) => view.getInt8(at)],
  uint8: [1, (view, at) => view.getUint8(at)],
  bool: [1, (view, at) => view.getUint8(at)],
};

function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const magnitude = exponent === 0 ? (bits & 1023) * 2 ** -24 : (1024 + (bits & 1023)) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}
