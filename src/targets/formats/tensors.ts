/** Named arrays with a shape: what shards hold, whatever the container. */
import { OptionError, ShapeError } from '../../errors.ts';

export type TensorData<Buffer extends ArrayBufferLike = ArrayBuffer> =
  | Float32Array<Buffer>
  | Float64Array<Buffer>
  | Int32Array<Buffer>
  | Uint8Array<Buffer>
  | BigInt64Array<Buffer>;

/** What is read has memory of its own; what is written may lie in shared memory, too. */
export interface NamedTensor<Buffer extends ArrayBufferLike = ArrayBuffer> {
  /** Row-major. */
  readonly shape: readonly number[];
  readonly data: TensorData<Buffer>;
}

export type Tensors<Buffer extends ArrayBufferLike = ArrayBuffer> = Readonly<
  Record<string, NamedTensor<Buffer>>
>;

/** Element types by their names in safetensors and numpy; every machine this runs on is little-endian. */
export const elementTypes = [
  { safetensors: 'F32', numpy: '<f4', Kind: Float32Array },
  { safetensors: 'F64', numpy: '<f8', Kind: Float64Array },
  { safetensors: 'I32', numpy: '<i4', Kind: Int32Array },
  { safetensors: 'U8', numpy: '|u1', Kind: Uint8Array },
  { safetensors: 'I64', numpy: '<i8', Kind: BigInt64Array },
] as const;

/**
 * Element type of a tensor that is to be written under this name. Throws {@link OptionError} for elements that are none
 * of {@link elementTypes}, {@link ShapeError} where the shape is none, or does not hold as many numbers as there are.
 */
export function elementTypeOf(
  { shape, data }: NamedTensor<ArrayBufferLike>,
  name: string,
): (typeof elementTypes)[number] {
  const type = elementTypes.find(({ Kind }) => data instanceof Kind);
  if (type === undefined) {
    const kinds = elementTypes.map(({ Kind }) => Kind.name).join(', ');
    const got = (data as object | undefined)?.constructor.name ?? String(data);
    throw new OptionError(`${name}: expected data in one of ${kinds}, got ${got}`, { name, got });
  }
  const sides = Array.isArray(shape) && shape.every((side) => Number.isSafeInteger(side) && side >= 0);
  if (!sides || shape.reduce((product, side) => product * side, 1) !== data.length) {
    const text = sides ? `[${shape.join(', ')}]` : String(shape);
    throw new ShapeError(`${name}: a shape ${text} is not that of ${data.length} numbers`, {
      name,
      shape,
      length: data.length,
    });
  }
  return type;
}

/** The bytes under an array. */
export const bytesOf = ({
  buffer,
  byteOffset,
  byteLength,
}: TensorData<ArrayBufferLike>): Uint8Array<ArrayBufferLike> =>
  new Uint8Array(buffer, byteOffset, byteLength);
