/** Boxes as the caller has them to what is uploaded: float32 corners with the pixel offset added, and metrics as WGSL. */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { imagesOf } from '../iou/comparison.ts';
import { pixelOffsetOf } from '../iou/conventions.ts';
import type { Batch, IouOptions } from '../iou/index.ts';
import { CornerStore, countBoxes, isNonFinite } from '../iou/pack.ts';
import { checkRotated, radiansClockwise } from '../iou/rotated.ts';
import { probIouWgsl, turnTerms } from '../iou/rotated-wgsl.ts';
import { type MetricWgsl, metricWgsl } from '../iou/wgsl.ts';
import { type BoxesOnGpu, isOnGpu, readGpuBoxes } from './gpu-boxes.ts';
import type { Kernel } from './shaders.ts';
import type { Images } from './tiles.ts';
import type { GpuBoxes, JobKind, RotatedJob } from './types.ts';

/** A call, checked and ready to upload. */
export interface Job {
  readonly kind: JobKind;
  readonly kernel: Kernel;
  readonly metric: MetricWgsl;
  /** The metric and its conventions, as the caller gave them; `rotated` as a flag. */
  readonly comparison: Comparison;
  readonly a: Float32Array | BoxesOnGpu;
  readonly b: Float32Array | BoxesOnGpu;
  /** Two terms a box that do not follow from its corners. */
  readonly aTerms?: Float32Array;
  readonly bTerms?: Float32Array;
  /** Whether a are the metric's second boxes. */
  readonly swapped: boolean;
  readonly rows: number;
  readonly columns: number;
  readonly images: Images;
  readonly pairs: number;
  /** Numbers in the result; rows for best match. */
  readonly results: number;
  /** Sides so small or large that float32 products lose their digits or overflow: the CPU takes it, in float64. */
  readonly extreme: boolean;
}

/** How two boxes are compared. */
export interface Comparison extends Pick<IouOptions, 'metric' | 'preset' | 'eps'> {
  readonly rotated?: unknown;
}

export type PackOptions = IouOptions & {
  readonly batch?: Batch;
  readonly rotated?: RotatedJob;
  readonly secondBest?: boolean;
};

export function packJob(
  kind: JobKind,
  a: BoxArray | GpuBoxes,
  b: BoxArray | GpuBoxes,
  options: PackOptions,
): Job {
  const rows = isOnGpu(a) ? a.count : countBoxes(a, 'a');
  const columns = isOnGpu(b) ? b.count : countBoxes(b, 'b');
  if (kind === 'aligned' && rows !== columns) {
    throw new ShapeError(`expected a and b of as many boxes, got ${rows} and ${columns}`, {
      a: rows,
      b: columns,
    });
  }
  const { batch, rotated } = options;
  const pixelOffset = pixelOffsetOf(options);
  if (batch !== undefined) imagesOf(batch, rows, columns);
  const images = batch ?? { a: [0, rows], b: [0, columns] };
  let pairs = kind === 'aligned' ? rows : 0;
  for (let k = 0; kind !== 'aligned' && k + 1 < images.a.length; k++) {
    pairs += (images.a[k + 1]! - images.a[k]!) * (images.b[k + 1]! - images.b[k]!);
  }
  const corners = ([a, b] as const).map((boxes, side) => {
    if (isOnGpu(boxes)) return readGpuBoxes(boxes, side === 0 ? 'a' : 'b', options.format, pixelOffset);
    const read = new CornerStore().read(boxes, options.format, pixelOffset);
    return read instanceof Float32Array ? read : Float32Array.from(read);
  }) as [Float32Array | BoxesOnGpu, Float32Array | BoxesOnGpu];
  const onCpu = corners.filter((boxes) => boxes instanceof Float32Array);
  const { metric } = metricOf(options, onCpu.length < 2);
  const turned = rotated === undefined ? undefined : turn(corners, rotated);
  return {
    kind,
    kernel: kernelOf(kind, options),
    metric,
    comparison: conventionsOf(options),
    a: corners[0],
    b: corners[1],
    ...turned,
    swapped: false,
    rows,
    columns,
    images,
    pairs,
    results: kind === 'pairwise' ? pairs : rows,
    // What is on the GPU is computed there, as it is.
    extreme:
      onCpu.length === 2 &&
      (onCpu.some((boxes) => isExtreme(boxes, rotated === undefined ? 60 : 28)) ||
        (rotated === undefined && strainsPower(metric, onCpu[0]!, onCpu[1]!, images))),
  };
}

/** The kernel of a call. */
export function kernelOf(kind: JobKind, { secondBest }: { readonly secondBest?: boolean }): Kernel {
  return kind === 'bestMatch' && secondBest === true ? 'bestTwo' : kind;
}

/** The same job with the sides exchanged: what is best for a column. */
export function swapSides(job: Job): Job {
  const { a, b, rows, columns, images, aTerms, bTerms } = job;
  return {
    ...job,
    kernel: 'bestMatch',
    ...{ a: b, b: a, rows: columns, columns: rows, images: { a: images.b, b: images.a } },
    ...(aTerms !== undefined && bTerms !== undefined && { aTerms: bTerms, bTerms: aTerms }),
    swapped: true,
  };
}

/** Checks angles and gives the terms of turned boxes. A box whose angle is not finite becomes one that is not finite. */
function turn(
  corners: [Float32Array | BoxesOnGpu, Float32Array | BoxesOnGpu],
  rotated: RotatedJob,
): { aTerms: Float32Array; bTerms: Float32Array } {
  const factor = radiansClockwise(rotated);
  const terms = (['a', 'b'] as const).map((name, side) => {
    const boxes = corners[side]!;
    if (!(boxes instanceof Float32Array)) throw new OptionError('rotated boxes must be arrays');
    const angles = rotated[`${name}Angles`];
    const count = checkRotated(name, boxes, angles);
    let own = boxes;
    for (let i = 0; i < count; i++) {
      if (Number.isFinite(angles[i])) continue;
      if (own === boxes) own = boxes.slice();
      own[4 * i] = Number.NaN;
    }
    corners[side] = own;
    return turnTerms(angles, factor);
  });
  return { aTerms: terms[0]!, bTerms: terms[1]! };
}

/**
 * As the CPU decides between float32 and float64, but a box that is not finite does not count: the GPU tells it. Products
 * of four sides leave float32 sooner: the exponent of the largest coordinate is given.
 */
function isExtreme(corners: Float32Array, exponent: number): boolean {
  for (let i = 0; i < corners.length; i += 4) {
    const width = corners[i + 2]! - corners[i]!;
    const height = corners[i + 3]! - corners[i + 1]!;
    const size =
      Math.abs(corners[i]!) +
      Math.abs(corners[i + 1]!) +
      Math.abs(corners[i + 2]!) +
      Math.abs(corners[i + 3]!);
    const small = (width > 0 && width < 2 ** -50) || (height > 0 && height < 2 ** -50);
    if ((small || !(size < 2 ** exponent)) && !isNonFinite(corners, i)) return true;
  }
  return false;
}

/** Why a metric whose {@link spreadOf} is 0 stays on the CPU; boxes that lie on the GPU stay there. */
export const strained = "the metric's power magnifies the rounding of float32";

/**
 * How far the boxes of an image may spread for the GPU, in pixels. The alpha family raises squared distances to a power,
 * whose float32 logarithm and exponential lose a digit with every few bits of the result: with the usual 3, more than the
 * GPU may be off by where boxes spread over 4096 pixels. 0, which none keeps, for a power below 0.4 of centre distances:
 * it makes much of those that are all rounding.
 */
export function spreadOf(metric: MetricWgsl): number {
  if (!/exp\(.*log\(/.test(metric.source)) return Number.POSITIVE_INFINITY;
  const at = metric.parameters.indexOf('alpha');
  const alpha = at < 0 ? 3 : metric.values[at]!;
  if (alpha < 0.4 && /alpha[CD]iou/.test(metric.key)) return 0;
  return 2 ** (36 / Math.max(1, alpha));
}

function strainsPower(metric: MetricWgsl, a: Float32Array, b: Float32Array, images: Images): boolean {
  const limit = spreadOf(metric);
  if (limit === Number.POSITIVE_INFINITY) return false;
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
function conventionsOf({ metric, preset, eps, rotated }: Comparison): Comparison {
  return {
    ...(rotated !== undefined && { rotated: true }),
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

/**
 * The metric of a call as WGSL; written once for the same metric and conventions. With `onGpu` it needs no terms from the
 * CPU.
 */
export function metricOf(options: Comparison, onGpu = false): NamedMetric {
  const { metric = 'iou', preset, eps } = options;
  if (options.rotated !== undefined) {
    if (options.metric !== undefined) {
      throw new OptionError('rotated boxes take no metric', {
        metric: String(metric),
      });
    }
    return { metric: probIouWgsl, metricName: 'probiou' };
  }
  let known = byName;
  let key = `${String(metric)}|${preset}|${eps}|${onGpu}`;
  if (typeof metric === 'object' && metric !== null) {
    known = byObject.get(metric) ?? new Map<string, NamedMetric>();
    byObject.set(metric, known);
    key = `${preset}|${eps}|${onGpu}`;
  }
  let found = known.get(key);
  if (found === undefined) {
    const { metric: _, ...conventions } = conventionsOf(options);
    found = {
      metric: metricWgsl(metric, conventions, onGpu ? 'computed' : 'given'),
      metricName: typeof metric === 'string' ? metric : metric.name,
    };
    if (known.size > 64) known.clear();
    known.set(key, found);
  }
  return found;
}
