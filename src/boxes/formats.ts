/**
 * Box formats and the way between them.
 *
 * On each axis a format is a 2×2 matrix applied to (start, end), so a conversion is one product of two matrices, worked
 * out once a call: no detour through corners, and a width that only moves keeps its bits.
 */
import { OptionError } from '../errors.ts';
import { boxCount, checkSize, outputFor } from './check.ts';
import type { BoxArray, BoxFormat } from './types.ts';

interface Layout {
  /** How the two numbers of an axis give (start, end), row-major. */
  readonly toEnds: readonly [number, number, number, number];
  readonly fromEnds: readonly [number, number, number, number];
  /** Index of the first and second number of x, then of y. */
  readonly order: readonly [number, number, number, number];
  readonly normalised: boolean;
}

const ends = { toEnds: [1, 0, 0, 1], fromEnds: [1, 0, 0, 1] } as const;
const corner = { toEnds: [1, 0, 1, 1], fromEnds: [1, 0, -1, 1] } as const;
const centre = { toEnds: [1, -0.5, 1, 0.5], fromEnds: [0.5, 0.5, -1, 1] } as const;
const xFirst = [0, 2, 1, 3] as const;
const yFirst = [1, 3, 0, 2] as const;

const layouts: Readonly<Record<BoxFormat, Layout>> = {
  xyxy: { ...ends, order: xFirst, normalised: false },
  xywh: { ...corner, order: xFirst, normalised: false },
  cxcywh: { ...centre, order: xFirst, normalised: false },
  yxyx: { ...ends, order: yFirst, normalised: false },
  xyxyn: { ...ends, order: xFirst, normalised: true },
  xywhn: { ...corner, order: xFirst, normalised: true },
  cxcywhn: { ...centre, order: xFirst, normalised: true },
  yxyxn: { ...ends, order: yFirst, normalised: true },
};

/** Every {@link BoxFormat}. */
export const boxFormats = Object.keys(layouts) as readonly BoxFormat[];

function layoutOf(format: BoxFormat, name: string): Layout {
  const layout = Object.hasOwn(layouts, format) ? layouts[format] : undefined;
  if (layout === undefined) {
    throw new OptionError(`expected ${name} to be one of ${boxFormats.join(', ')}, got '${String(format)}'`, {
      [name]: format,
    });
  }
  return layout;
}

/** Whether a format's numbers are divided by the image size; throws {@link OptionError} on an unknown format. */
export function isNormalised(format: BoxFormat): boolean {
  return layoutOf(format, 'format').normalised;
}

export interface ConvertBoxesOptions<T extends BoxArray = BoxArray> {
  /** Image width in pixels; needed when a normalised format meets one in pixels. */
  readonly width?: number;
  /** Image height in pixels. */
  readonly height?: number;
  /** Receives the result; may be the input itself. Default: a new array of the input's kind. */
  readonly out?: T;
}

/** A 2×2 row applied to two numbers, where a zero coefficient also silences NaN and infinity. */
const mix = (m: number, a: number, n: number, b: number): number =>
  n === 0 ? m * a : m === 0 ? n * b : m * a + n * b;

/**
 * Converts boxes between formats (torchvision `box_convert`, with normalised and `yxyx` formats beside it).
 *
 * `boxes` 4·N → 4·N of the same kind: `Float64Array` in, `Float64Array` out. No box is clipped, ordered or rounded to
 * pixels. Throws {@link ShapeError} when the length is not a multiple of 4, {@link OptionError} on an unknown format
 * or when a normalised format lacks `width` or `height`.
 *
 * @example
 * convertBoxes(new Float32Array([10, 15, 30, 35]), 'xyxy', 'cxcywh'); // [20, 25, 20, 20]
 * convertBoxes(new Float32Array([0.5, 0.5, 1, 1]), 'cxcywhn', 'xyxy', { width: 640, height: 480 }); // [0, 0, 640, 480]
 */
export function convertBoxes<T extends BoxArray>(
  boxes: T,
  from: BoxFormat,
  to: BoxFormat,
  options: ConvertBoxesOptions<T> = {},
): T {
  const source = layoutOf(from, 'from');
  const target = layoutOf(to, 'to');
  const count = boxCount(boxes);
  const out = outputFor(boxes, boxes.length, options.out);
  let width = 1;
  let height = 1;
  if (source.normalised || target.normalised) {
    if (options.width === undefined || options.height === undefined) {
      // the same division on both sides cancels
      if (source.normalised !== target.normalised) {
        throw new OptionError(
          `expected width and height to convert ${from} to ${to}, got ${options.width} and ${options.height}`,
          { from, to, width: options.width ?? null, height: options.height ?? null },
        );
      }
    } else {
      checkSize('image size', { width: options.width, height: options.height });
      if (source.normalised !== target.normalised) {
        width = options.width;
        height = options.height;
      }
    }
  }
  if (from === to) {
    if ((out as BoxArray) !== boxes) out.set(boxes);
    return out;
  }
  const [p, q, r, s] = source.toEnds;
  const [a, b, c, d] = target.fromEnds;
  const m0 = a * p + b * r;
  const m1 = a * q + b * s;
  const m2 = c * p + d * r;
  const m3 = c * q + d * s;
  const [x0, x1, y0, y1] = source.order;
  const [u0, u1, v0, v1] = target.order;
  // multiply on the way out of a normalised format, divide on the way in: dividing by 1 changes nothing
  const timesX = source.normalised ? width : 1;
  const timesY = source.normalised ? height : 1;
  const overX = target.normalised ? width : 1;
  const overY = target.normalised ? height : 1;
  for (let i = 0; i < 4 * count; i += 4) {
    const xa = boxes[i + x0] * timesX;
    const xb = boxes[i + x1] * timesX;
    const ya = boxes[i + y0] * timesY;
    const yb = boxes[i + y1] * timesY;
    out[i + u0] = mix(m0, xa, m1, xb) / overX;
    out[i + u1] = mix(m2, xa, m3, xb) / overX;
    out[i + v0] = mix(m0, ya, m1, yb) / overY;
    out[i + v1] = mix(m2, ya, m3, yb) / overY;
  }
  return out;
}
