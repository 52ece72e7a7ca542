/**
 * What every function over pairs of boxes shares: options, the metric's loops, boxes as corners and columns, and which
 * boxes are not finite. One comparison is prepared at a time and its memory is used again by the next call.
 */
import type { BoxArray, BoxFormat, Preset } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import { pixelOffsetOf } from './conventions.ts';
import { float32Loops } from './generated/float32.ts';
import { iouNear32 } from './generated/iou.ts';
import { bindLoops } from './generated-metric.ts';
import type { BoundLoops } from './implementation.ts';
import { findKernel, type IouKernel } from './kernel.ts';
import type { Column } from './loops.ts';
import {
  areNear,
  type BoxSurvey,
  ColumnStore,
  CornerStore,
  countBoxes,
  isNonFinite,
  surveyBoxes,
  withRoom,
} from './pack.ts';
import { loopsOf, type ResolvedMetric, resolveMetric } from './resolve.ts';
import type { Metric } from './types.ts';

export interface IouOptions {
  /** How boxes are compared. Default `'iou'`. */
  readonly metric?: Metric;
  /** Library whose eps, floors and gates are followed. Default: torchvision's matrix functions. */
  readonly preset?: Preset;
  /** Replaces the preset's eps. */
  readonly eps?: number;
  /** Format of both arrays. Normalised boxes are compared as they are. Default `'xyxy'`. */
  readonly format?: BoxFormat;
  /** 1 counts a box's last pixel (legacy inclusive coordinates). Default 0. */
  readonly pixelOffset?: 0 | 1;
}

/** Boxes of B images one after the other: image k has boxes `offsets[k]` to `offsets[k + 1]` of each array. */
export interface Batch {
  /** B + 1 ascending box counts, from 0 to the number of boxes in a. */
  readonly a: ArrayLike<number>;
  /** The same for b. */
  readonly b: ArrayLike<number>;
}

export class Comparison {
  rows = 0;
  columns = 0;
  /** Row-major corners. */
  a: BoxArray = new Float32Array(0);
  b: BoxArray = new Float32Array(0);
  /** Corners of b in columns, and its terms. */
  readonly store = new ColumnStore();
  terms: readonly Column[] = [];
  metric!: ResolvedMetric;
  /** A SIMD kernel that gives the same bits, or null; it looks at the boxes itself and may refuse. */
  kernel: IouKernel | null = null;
  /** Whether results are float32. */
  float32 = true;
  private readonly survey: BoxSurvey = { nonFinite: false, extreme: false };
  private readonly aStore = new CornerStore();
  private readonly bStore = new CornerStore();
  private termStore: Column[] = [];
  private termOwner: ResolvedMetric | null = null;

  prepare(a: BoxArray, b: BoxArray, options: IouOptions): void {
    this.rows = countBoxes(a, 'a');
    this.columns = countBoxes(b, 'b');
    this.metric = metricOf(options);
    const { pixelOffset, implementation } = this.metric;
    this.a = this.aStore.read(a, options.format, pixelOffset);
    this.b = this.bStore.read(b, options.format, pixelOffset);
    this.float32 = a instanceof Float32Array && b instanceof Float32Array;
    this.kernel =
      this.float32 && implementation.single !== undefined ? findKernel(implementation.name) : null;
    this.packed = false;
  }

  private singlePrecision = true;
  /** The metric, or a faster form of it with the same bits. */
  private loops!: ResolvedMetric;
  private nearIou: ResolvedMetric | undefined;
  private packed = false;

  /**
   * Looks over the boxes and puts b into columns, for the loops; a kernel does without. False when a kernel has other
   * images of the call and some box asks for float64: the kernel sees no boxes of an image without partners.
   */
  pack(): boolean {
    if (!this.packed) this.packColumns();
    return this.kernel === null || !this.survey.extreme;
  }

  private packColumns(): void {
    this.packed = true;
    const { store, metric, columns, survey } = this;
    survey.nonFinite = false;
    survey.extreme = false;
    surveyBoxes(this.a, survey);
    surveyBoxes(this.b, survey);
    this.singlePrecision = this.float32 && metric.implementation.single !== undefined && !survey.extreme;
    this.loops = metric;
    if (metric.name === 'iou' && this.singlePrecision && !survey.nonFinite && areNear(this.a, this.b)) {
      // No preset that has float32 loops changes the plain IoU.
      this.nearIou ??= withLoops(metric, { ...metric.implementation.single!, row: iouNear32 });
      this.loops = this.nearIou;
    }
    store.fill(this.b, this.singlePrecision);
    if (metric.termCount === 0) {
      this.terms = noTerms;
      return;
    }
    const first = this.termStore[0];
    if (
      this.termOwner !== metric ||
      first === undefined ||
      first.length < columns ||
      first.constructor !== store.x1s.constructor
    ) {
      this.termStore = metric.createTerms(store.x1s, store.x1s.length);
      this.termOwner = metric;
    }
    this.terms = this.termStore;
    metric.fillTerms(store.x1s, store.y1s, store.x2s, store.y2s, 0, columns, this.terms);
  }

  /** Similarities of row `i` with columns [from, to), into `out[at …]`: NaN with a box that is not finite. */
  row(i: number, from: number, to: number, out: Column, at: number): void {
    const { a, b, store, loops } = this;
    const k = 4 * i;
    loops.row(
      a[k]!,
      a[k + 1]!,
      a[k + 2]!,
      a[k + 3]!,
      store.x1s,
      store.y1s,
      store.x2s,
      store.y2s,
      from,
      to,
      out,
      at,
      this.terms,
    );
    if (!this.survey.nonFinite) return;
    const all = isNonFinite(a, k);
    for (let j = from; j < to; j++) {
      if (all || isNonFinite(b, 4 * j)) out[at + j - from] = Number.NaN;
    }
  }

  /** Runs a job on the kernel, and where it refuses any part, all of it on the loops: one call, one precision. */
  run(job: () => boolean): void {
    if (job()) return;
    this.kernel = null;
    job();
  }

  /** An array for results: `out` if it fits, else a new one of the results' precision. */
  output(length: number, out: BoxArray | undefined): BoxArray {
    if (out) return withRoom(out, length);
    return this.float32 ? new Float32Array(length) : new Float64Array(length);
  }
}

const noTerms: readonly Column[] = [];

/** The comparison that calls of this thread take turns with. */
export const comparison = new Comparison();

/** Scratch for similarities of one tile, in either precision. */
export const tileLength = 1024;
const tile32 = new Float32Array(tileLength);
const tile64 = new Float64Array(tileLength);

/** Scratch of the results' precision, so that comparisons see what a matrix would hold. */
export function tileOf(float32: boolean): Column {
  return float32 ? tile32 : tile64;
}

const byName = new Map<string, ResolvedMetric>();
const byObject = new WeakMap<object, Map<string, ResolvedMetric>>();

/** The metric of a call; resolved once for the same metric and conventions. */
export function metricOf(options: IouOptions): ResolvedMetric {
  pixelOffsetOf(options);
  const { metric = 'iou', preset, eps, pixelOffset } = options;
  const plain = preset === undefined && eps === undefined && pixelOffset === undefined;
  const conventions = plain ? '' : `|${preset}|${eps}|${pixelOffset}`;
  let known = byName;
  let name = conventions;
  if (typeof metric === 'object' && metric !== null) {
    known = byObject.get(metric) ?? new Map<string, ResolvedMetric>();
    byObject.set(metric, known);
  } else {
    name = plain ? metric : metric + conventions;
  }
  let resolved = known.get(name);
  if (resolved === undefined) {
    resolved = withFloat32(resolveMetric(metric, options));
    if (known.size > 64) known.clear();
    known.set(name, resolved);
  }
  return resolved;
}

/** With the float32 loops of metrics that have them. */
function withFloat32(resolved: ResolvedMetric): ResolvedMetric {
  const { lean, name, single } = resolved.implementation;
  if (single !== undefined || lean === undefined || !Object.hasOwn(float32Loops, name)) return resolved;
  return withLoops(resolved, bindLoops(float32Loops[name]!, lean));
}

/** The metric with other float32 loops. */
function withLoops(
  { implementation, pixelOffset }: ResolvedMetric,
  single: BoundLoops<Float32Array>,
): ResolvedMetric {
  return loopsOf({ ...implementation, single }, pixelOffset);
}

/** Checks the offsets of a batch and gives the number of images. */
export function imagesOf(batch: Batch, rows: number, columns: number): number {
  const refuse = (name: string, what: string, got: number): never => {
    throw new OptionError(`batch.${name} must ${what}, got ${got}`, { got });
  };
  const check = (name: string, offsets: ArrayLike<number>, count: number): void => {
    let previous = 0;
    for (let k = 0; k < offsets?.length; k++) {
      const offset = offsets[k]!;
      if (!Number.isInteger(offset) || offset < previous || (k === 0 && offset !== 0)) {
        refuse(name, 'ascend from 0', offset);
      }
      previous = offset;
    }
    if (!offsets?.length || previous !== count) refuse(name, `end at ${count}, the boxes`, previous);
  };
  check('a', batch?.a, rows);
  check('b', batch.b, columns);
  const { length } = batch.a;
  if (batch.b.length !== length) refuse('b', `have the ${length} offsets of batch.a`, batch.b.length);
  return length - 1;
}
