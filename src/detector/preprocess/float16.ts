/**
 * float32 → float16 bits, rounded to nearest even, for runtimes without `Float16Array` (Node 20).
 *
 * IEEE 754 binary16: 1 sign, 5 exponent, 10 mantissa bits. Too large becomes infinity, NaN stays NaN.
 */

const floatView = new Float32Array(1);
const bitView = new Uint32Array(floatView.buffer);

/** The 16 bits of `value` as binary16. */
export function toFloat16Bits(value: number): number {
  floatView[0] = value;
  const bits = bitView[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 and above round to infinity
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // below 2^-14 the result is subnormal: shift the mantissa, implicit one included, to the place of 2^-24
  if (magnitude < 0x38800000) {
    if (magnitude < 0x33000000) return sign;
    const shift = 126 - (magnitude >>> 23);
    const mantissa = (magnitude & 0x7fffff) | 0x800000;
    return sign | roundShift(mantissa, shift);
  }
  return sign | roundShift(magnitude - 0x38000000, 13);
}

/** `value / 2^shift`, rounded to nearest, ties to even. */
function roundShift(value: number, shift: number): number {
  const half = 2 ** (shift - 1);
  const rest = value & (2 ** shift - 1);
  const floor = value >>> shift;
  if (rest > half || (rest === half && (floor & 1) === 1)) return floor + 1;
  return floor;
}

/** Converts `source` into the binary16 bits `target`; both have the same length. */
export function float32ToFloat16(source: Float32Array, target: Uint16Array<ArrayBuffer>): void {
  const Native = nativeFloat16Array();
  if (Native !== undefined) {
    new Native(target.buffer, target.byteOffset, target.length).set(source);
    return;
  }
  for (let i = 0; i < source.length; i++) target[i] = toFloat16Bits(source[i]);
}

type Float16ArrayConstructor = new (
  buffer: ArrayBuffer,
  byteOffset: number,
  length: number,
) => { set(values: ArrayLike<number>): void };

/** The platform's `Float16Array`, where there is one. */
export function nativeFloat16Array(): Float16ArrayConstructor | undefined {
  return (globalThis as { Float16Array?: Float16ArrayConstructor }).Float16Array;
}
