/** Boxes as the caller has them to what is uploaded: float32 corners with the pixel offset added, and metrics as WGSL. */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { imagesOf } from '../iou/comparison.ts';
import type { Batch, IouOptions } from '../iou/index.ts';
import { CornerStore, countBoxes, isNonFinite } from '../iou/pack.ts';
import { type MetricWgsl, metricWgsl } from '../iou/wgsl.ts';
import type { Images } from './tiles.ts';
import type { JobKind } from './types.ts';

/** A call, checked and ready to upload. */
export interface Job {
  readonly kind: JobKind;
  readonly metric: MetricWgsl;
  /** The metric and its conventions, as the caller gave them. */
  readonly comparison: Pick<IouOptions, 'metric' | 'preset' | 'eps'>;
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly images: Images;
  readonly pairs: number;
  /** Numbers in the result; rows for best match. */
  readonly results: number;
  /** Sides so small or large that float32 products lose their digits or overflow: the CPU takes it, in float64. */
  readonly extreme: boolean;
}

export function packJob(
  kind: JobKind,
  a: BoxArray,
  b: BoxArray,
  options: IouOptions & { readonly batch?: Batch },
): Job {
  const rows = countBoxes(a, 'a');
  const columns = countBoxes(b, 'b');
  if (kind === 'aligned' && rows !== columns) {
    throw new ShapeError(`expected a and b of one length, got ${a.length} and ${b.length}`, {
      a: a.length,
      b: b.length,
    });
  }
  const { batch, pixelOffset = 0 } = options;
  if (pixelOffset !== 0 && pixelOffset !== 1) {
    throw new OptionError(`pixelOffset must be 0 or 1, got ${String(pixelOffset)}`, { pixelOffset });
  }
  if (batch !== undefined) imagesOf(batch, rows, columns);
  const images = batch ?? { a: [0, rows], b: [0, columns] };
  let pairs = kind === 'aligned' ? rows : 0;
  for (let k = 0; kind !== 'aligned' && k + 1 < images.a.length; k++) {
    pairs += (images.a[k + 1]! - images.a[k]!) * (images.b[k + 1]! - images.b[k]!);
  }
  const corners = [a, b].map((boxes) => {
    const read = new CornerStore().read(boxes, options.format, pixelOffset);
    return read instanceof Float32Array ? read : Float32Array.from(read);
  }) as [Float32Array, Float32Array];
  const { metric } = metricOf(options);
  return {
    kind,
    metric,
    comparison: conventionsOf(options),
    a: corners[0],
    b: corners[1],
    rows,
    columns,
    images,
    pairs,
    results: kind === 'pairwise' ? pairs : rows,
    extreme: corners.some(isExtreme) || overflowsPower(metric, ...corners, images),
  };
}

/** As the CPU decides between float32 and float64, but a box that is not finite does not count: the GPU tells it. */
function isExtreme(corners: Float32Array): boolean {
  for (let i = 0; i < corners.length; i += 4) {
    const width = corners[i + 2]! - corners[i]!;
    const height = corners[i + 3]! - corners[i + 1]!;
    const size =
      Math.abs(corners[i]!) +
      Math.abs(corners[i + 1]!) +
      Math.abs(corners[i + 2]!) +
      Math.abs(corners[i + 3]!);
    const small = (width > 0 && width < 2 ** -50) || (height > 0 && height < 2 ** -50);
    if ((small || !(size < 2 ** 60)) && !isNonFinite(corners, i)) return true;
  }
  return false;
}

/**
 * The alpha family raises squared distances to a power, which leaves float32 long before the distances do: with the
 * usual 3, in pictures a million pixels wide.
 */
function overflowsPower(metric: MetricWgsl, a: Float32Array, b: Float32Array, images: Images): boolean {
  if (!/exp\(.*log\(/.test(metric.source)) return false;
  const at = metric.parameters.indexOf('alpha');
  const limit = 2 ** (60 / Math.max(1, at < 0 ? 3 : metric.values[at]!));
  for (let k = 0; k + 1 < images.a.length; k++) {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    const widen = (corners: Float32Array, from: number, to: number) => {
      for (let i = 4 * from; i < 4 * to; i++) {
        const value = corners[i]!;
        if (value * 0 !== 0) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    };
    widen(a, images.a[k]!, images.a[k + 1]!);
    widen(b, images.b[k]!, images.b[k + 1]!);
    if (high - low >= limit) return true;
  }
  return false;
}

/** What of the options tells how two boxes are compared. */
function conventionsOf({ metric, preset, eps }: IouOptions): Job['comparison'] {
  return {
    ...(metric !== undefined && { metric }),
    ...(preset !== undefined && { preset }),
    ...(eps !== undefined && { eps }),
  };
}

interface NamedMetric {
  readonly metric: MetricWgsl;
  readonly metricName: string;
}

const byName = new Map<string, NamedMetric>();
const byObject = new WeakMap<object, Map<string, NamedMetric>>();

/** The metric of a call as WGSL; written once for the same metric and conventions. */
export function metricOf(options: IouOptions): NamedMetric {
  const { metric = 'iou', preset, eps } = options;
  let known = byName;
  let key = `${String(metric)}|${preset}|${eps}`;
  if (typeof metric === 'object' && metric !== null) {
    known = byObject.get(metric) ?? new Map<string, NamedMetric>();
    byObject.set(metric, known);
    key = `${preset}|${eps}`;
  }
  let found = known.get(key);
  if (found === undefined) {
    const { metric: _, ...conventions } = conventionsOf(options);
    found = {
      metric: metricWgsl(metric, conventions),
      metricName: typeof metric === 'string' ? metric : metric.name,
    };
    if (known.size > 64) known.clear();
    known.set(key, found);
  }
  return found;
}
