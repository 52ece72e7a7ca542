/**
 * The safetensors container: an eight-byte length, a JSON header, then the tensors' bytes one after another.
 *
 * Source: the format's description in huggingface/safetensors.
 */
import { DatasetError } from '../../errors.ts';
import {
  bytesOf,
  elementTypeOf,
  elementTypes,
  type NamedTensor,
  type TensorData,
  type Tensors,
} from './tensors.ts';

/**
 * Bytes of a file with these tensors; the same tensors and metadata give the same bytes. Throws {@link ShapeError} where
 * a shape does not hold as many numbers as there are, {@link OptionError} for elements of another type.
 */
export function writeSafetensors(
  tensors: Tensors<ArrayBufferLike>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const types = new Map(
    Object.entries(tensors).map(([name, tensor]) => [name, elementTypeOf(tensor, name).safetensors]),
  );
  // the widest elements first, so that every tensor is aligned
  const names = Object.keys(tensors).sort((a, b) => {
    const width = tensors[b]!.data.BYTES_PER_ELEMENT - tensors[a]!.data.BYTES_PER_ELEMENT;
    return width !== 0 ? width : a < b ? -1 : 1;
  });
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(['__metadata__', metadata]);
  let at = 0;
  for (const name of names) {
    const { shape, data } = tensors[name]!;
    const offsets = [at, at + data.byteLength];
    header.push([name, { dtype: types.get(name), shape, data_offsets: offsets }]);
    at += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + at);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(32, 8, 8 + headerLength);
  bytes.set(text, 8);
  let to = 8 + headerLength;
  for (const name of names) {
    const { data } = tensors[name]!;
    bytes.set(bytesOf(data), to);
    to += data.byteLength;
  }
  return bytes;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Reads a file's tensors, each into memory of its own. Throws {@link DatasetError} where the bytes are no such file. */
export function readSafetensors(bytes: Uint8Array): {
  readonly tensors: Tensors;
  readonly metadata: Readonly<Record<string, string>>;
} {
  const fail = (why: string): never => {
    throw new DatasetError(`expected a safetensors file: ${why}`);
  };
  if (bytes.length < 8) fail(`got ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  if (8 + headerLength > bytes.length) fail('the file ends inside its header');
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
  } catch (cause) {
    return fail((cause as Error).message);
  }
  const tensors: [string, NamedTensor][] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: offsets } = entry as HeaderEntry;
    const type = elementTypes.find(({ safetensors }) => safetensors === dtype);
    if (type === undefined) return fail(`'${name}' has elements of type ${dtype}`);
    const [start, end] = offsets.map((offset) => 8 + headerLength + offset) as [number, number];
    const count = shape.reduce((product, side) => product * side, 1);
    if (end > bytes.length) fail(`the file ends inside '${name}'`);
    if (end - start !== count * type.Kind.BYTES_PER_ELEMENT)
      fail(`'${name}' is not as long as its shape says`);
    // not `slice`, which in a Node Buffer copies nothing
    const own = new Uint8Array(bytes.subarray(start, end));
    tensors.push([name, { shape, data: new type.Kind(own.buffer, 0, count) as TensorData }]);
  }
  return {
    tensors: Object.fromEntries(tensors),
    metadata: (header.__metadata__ ?? {}) as Record<string, string>,
  };
}
