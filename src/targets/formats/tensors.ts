/** Named arrays with a shape: what shards hold, whatever the container. */

export type TensorData =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>;

export interface NamedTensor {
  /** Row-major. */
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export type Tensors = Readonly<Record<string, NamedTensor>>;

/** Element types by their names in safetensors and numpy; every machine this runs on is little-endian. */
export const elementTypes = [
  { safetensors: 'F32', numpy: '<f4', Kind: Float32Array },
  { safetensors: 'F64', numpy: '<f8', Kind: Float64Array },
  { safetensors: 'I32', numpy: '<i4', Kind: Int32Array },
  { safetensors: 'U8', numpy: '|u1', Kind: Uint8Array },
  { safetensors: 'I64', numpy: '<i8', Kind: BigInt64Array },
] as const;

export function elementTypeOf(data: TensorData): (typeof elementTypes)[number] {
  return elementTypes.find(({ Kind }) => data instanceof Kind)!;
}

/** The bytes under an array. */
export const bytesOf = (data: TensorData): Uint8Array<ArrayBuffer> =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
