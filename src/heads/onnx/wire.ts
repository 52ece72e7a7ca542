/**
 * A reader of protobuf's wire format: fields one after the other, nothing copied.
 *
 * Only what ONNX uses: varint, 64-bit, length-delimited and 32-bit fields, packed or not. Every read is checked
 * against the end of its message, and every step consumes bytes, so damaged input ends in a `ModelError`, never in a
 * loop (https://protobuf.dev/programming-guides/encoding).
 */
import { ModelError } from '../../errors.ts';

const utf8 = /* @__PURE__ */ new TextDecoder();

/** Why a file could not be read; in `details.reason` of the error. */
export type ModelErrorReason = 'empty' | 'not-onnx' | 'truncated' | 'corrupt' | 'no-outputs';

export function modelError(reason: ModelErrorReason, message: string, offset?: number): ModelError {
  return new ModelError(message, offset === undefined ? { reason } : { reason, offset });
}

export class WireReader {
  /** Number of the field that {@link next} moved to. */
  field = 0;
  private wireType = 0;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private at = 0,
    private readonly end = bytes.length,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves to the next field; false at the end of the message. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag & 7;
    if (this.field < 1 || this.field > 0x1fffffff || this.wireType > 5 || (this.wireType & 6) === 6) {
      throw modelError('corrupt', `no protobuf field starts at byte ${this.at}`, this.at);
    }
    return true;
  }

  /** An integer of up to 64 bits, signed; exact to 2^53. */
  varint(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end)
        throw modelError('truncated', `the file ends inside a number, at byte ${this.at}`, this.at);
      const byte = this.bytes[this.at++]!;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >> 4;
      } else high |= bits << (shift - 32);
      if (byte < 128) return high * 4294967296 + (low >>> 0);
    }
    throw modelError('corrupt', `a number of more than 64 bits at byte ${this.at}`, this.at);
  }

  /** The bytes of a length-delimited field, as a view. */
  blob(): Uint8Array {
    this.expect(2);
    const length = this.varint();
    const start = this.at;
    if (length < 0 || length > this.end - start) {
      const left = this.end - start;
      throw modelError(
        'truncated',
        `the file is cut short or damaged: field ${this.field} at byte ${start} promises ${length} bytes, ${left} are left`,
        start,
      );
    }
    this.at += length;
    return this.bytes.subarray(start, this.at);
  }

  string(): string {
    return utf8.decode(this.blob());
  }

  message(): WireReader {
    return new WireReader(this.blob());
  }

  float(): number {
    this.expect(5);
    return this.view.getFloat32(this.take(4), true);
  }

  integer(): number {
    this.expect(0);
    return this.varint();
  }

  /** Appends a repeated integer field, packed or one at a time. */
  integers(into: number[]): void {
    if (this.wireType !== 2) {
      into.push(this.integer());
      return;
    }
    const packed = this.message();
    while (packed.at < packed.end) into.push(packed.varint());
  }

  /** Appends a repeated float field, packed or one at a time. */
  floats(into: number[]): void {
    if (this.wireType !== 2) {
      into.push(this.float());
      return;
    }
    const packed = this.message();
    while (packed.at < packed.end) into.push(packed.view.getFloat32(packed.take(4), true));
  }

  skip(): void {
    if (this.wireType === 0) this.varint();
    else if (this.wireType === 2) this.blob();
    else if (this.wireType === 1) this.take(8);
    else if (this.wireType === 5) this.take(4);
    else throw modelError('corrupt', `group field at byte ${this.at}, which ONNX does not use`, this.at);
  }

  private take(count: number): number {
    const start = this.at;
    if (count > this.end - start) {
      throw modelError('truncated', `the file ends inside a number, at byte ${start}`, start);
    }
    this.at += count;
    return start;
  }

  private expect(wireType: number): void {
    if (this.wireType !== wireType) {
      throw modelError(
        'corrupt',
        `field ${this.field} at byte ${this.at} has wire type ${this.wireType}`,
        this.at,
      );
    }
  }
}
