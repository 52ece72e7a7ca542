/**
 * Where the columns of a {@link Detections} lie in its one buffer.
 *
 * Offsets follow from the few numbers in {@link DetectionsHeader}, so a receiver rebuilds every view from the header
 * and the buffer alone. Each column starts at a multiple of 8 bytes.
 */
import { OptionError, ShapeError } from '../errors.ts';
import type { DetectionsShape, MaskLogits } from './detections-types.ts';
import type { Size } from './types.ts';

/** What decides the layout: plain data that survives structured cloning. */
export interface DetectionsHeader {
  /** Number of detections N. */
  readonly count: number;
  readonly angles: boolean;
  readonly trackIds: boolean;
  /** Keypoints a detection K; 0 where there is no keypoint column. */
  readonly keypointCount: number;
  /** Size of every mask, or null where there are no masks. */
  readonly maskSize: Size | null;
  /** Run lengths of all masks together. */
  readonly maskRunCount: number;
  /** Values of all mask patches together; absent where masks are runs. */
  readonly maskLogitCount?: number | undefined;
}

/** The layout of these columns; throws {@link OptionError} on a count that is none. */
export function headerOf(shape: DetectionsShape): DetectionsHeader {
  const { count, maskLogitCount } = shape;
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new OptionError(`expected count to be a whole number ≥ 0, got ${count}`, { count });
  }
  return {
    count,
    angles: shape.angles ?? false,
    trackIds: shape.trackIds ?? false,
    keypointCount: shape.keypointCount ?? 0,
    maskSize: shape.maskSize ?? null,
    maskRunCount: shape.maskSize === undefined ? 0 : (shape.maskRunCount ?? 0),
    ...(maskLogitCount === undefined ? {} : { maskLogitCount }),
  };
}

/** Numbers that place a patch of mask logits. */
export const placeLength = 9;

/** The typed views of one buffer. */
export interface DetectionsColumns {
  readonly boxes: Float32Array<ArrayBuffer>;
  readonly scores: Float32Array<ArrayBuffer>;
  readonly classIds: Int32Array<ArrayBuffer>;
  readonly angles: Float32Array<ArrayBuffer> | undefined;
  readonly trackIds: Int32Array<ArrayBuffer> | undefined;
  readonly keypoints: Float32Array<ArrayBuffer> | undefined;
  readonly maskOffsets: Uint32Array<ArrayBuffer> | undefined;
  readonly maskRuns: Uint32Array<ArrayBuffer> | undefined;
  readonly maskLogits: MaskLogits | undefined;
}

/** Elements of each column, in the order they lie in the buffer; every element has 4 bytes. */
function columnLengths(header: DetectionsHeader): number[] {
  const { count, maskLogitCount } = header;
  const masked = header.maskSize !== null;
  const lazy = masked && maskLogitCount !== undefined;
  return [
    4 * count,
    count,
    count,
    header.angles ? count : 0,
    header.trackIds ? count : 0,
    3 * header.keypointCount * count,
    masked ? count + 1 : 0,
    masked && !lazy ? header.maskRunCount : 0,
    lazy ? placeLength * count : 0,
    lazy ? maskLogitCount : 0,
  ];
}

const alignTo8 = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** Bytes a buffer needs for this header. */
export function detectionsByteLength(header: DetectionsHeader): number {
  return columnLengths(header).reduce((total, length) => total + alignTo8(4 * length), 0);
}

/** Lays the views over `buffer`; throws {@link ShapeError} when its length does not follow from the header. */
export function layDetections(header: DetectionsHeader, buffer: ArrayBuffer): DetectionsColumns {
  checkHeader(header);
  const expected = detectionsByteLength(header);
  if (buffer.byteLength !== expected) {
    throw new ShapeError(
      `expected a buffer of ${expected} bytes for ${header.count} detections, got ${buffer.byteLength}`,
      { expected, got: buffer.byteLength },
    );
  }
  const lengths = columnLengths(header);
  const offsets: number[] = [];
  let offset = 0;
  for (const length of lengths) {
    offsets.push(offset);
    offset += alignTo8(4 * length);
  }
  const floats = (column: number) => new Float32Array(buffer, offsets[column], lengths[column]);
  const integers = (column: number) => new Int32Array(buffer, offsets[column], lengths[column]);
  const runs = (column: number) => new Uint32Array(buffer, offsets[column], lengths[column]);
  const masked = header.maskSize !== null;
  const lazy = masked && header.maskLogitCount !== undefined;
  return {
    boxes: floats(0),
    scores: floats(1),
    classIds: integers(2),
    angles: header.angles ? floats(3) : undefined,
    trackIds: header.trackIds ? integers(4) : undefined,
    keypoints: header.keypointCount > 0 ? floats(5) : undefined,
    maskOffsets: masked && !lazy ? runs(6) : undefined,
    maskRuns: masked && !lazy ? runs(7) : undefined,
    maskLogits: lazy ? { places: floats(8), offsets: runs(6), values: floats(9) } : undefined,
  };
}

function checkHeader(header: DetectionsHeader): void {
  for (const name of ['count', 'keypointCount', 'maskRunCount', 'maskLogitCount'] as const) {
    const value = header[name] ?? 0;
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new OptionError(`expected ${name} to be a whole number ≥ 0, got ${value}`, { [name]: value });
    }
  }
}
