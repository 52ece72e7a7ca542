/**
 * What a detector found in one image: columns (boxes, scores, class ids, …) in one `ArrayBuffer`.
 *
 * One buffer makes a result that crosses a worker boundary by transfer, without a copy and whatever its columns are:
 * {@link Detections.transferable} on one side, {@link Detections.fromTransferred} on the other.
 */
import type { Rle } from '../masks/types.ts';
import {
  agreedNames,
  agreedSize,
  expectIndices,
  expectLength,
  expectSameColumns,
  expectTransferred,
  shapeOf,
} from './detections-check.ts';
import { copyRows, raggedLength } from './detections-copy.ts';
import { fillFromInit, shapeOfInit } from './detections-init.ts';
import { type DetectionsHeader, detectionsByteLength, headerOf, layDetections } from './detections-layout.ts';
import { type CocoResult, cocoRows, type DetectionRow, detectionRow, maskRow } from './detections-rows.ts';
import type {
  DetectionsInit,
  DetectionsShape,
  MaskDecoder,
  MaskLogits,
  TransferredDetections,
} from './detections-types.ts';
import type { Size } from './types.ts';

export type { CocoResult, DetectionRow } from './detections-rows.ts';
export type {
  DetectionsInit,
  DetectionsShape,
  MaskDecoder,
  MaskLogits,
  TransferredDetections,
} from './detections-types.ts';

/**
 * N detections in columns over one buffer; all views share {@link Detections.buffer}.
 *
 * The columns may be written to. After the buffer was transferred away every view has length 0.
 *
 * @example
 * const found = Detections.from({ boxes: [10, 20, 50, 80], scores: [0.9], classIds: [0], classNames: ['dog'] });
 * found.classNameOf(0); // 'dog'
 * found.filter((index) => found.scores[index] > 0.95).count; // 0
 */
export class Detections {
  /** Number of detections N. */
  readonly count: number;
  /** The one buffer all columns lie in. */
  readonly buffer: ArrayBuffer;
  /** 4·N, xyxy in pixels of the image. */
  readonly boxes: Float32Array<ArrayBuffer>;
  /** N. */
  readonly scores: Float32Array<ArrayBuffer>;
  /** N. */
  readonly classIds: Int32Array<ArrayBuffer>;
  /** N, radians, clockwise on the screen. */
  readonly angles: Float32Array<ArrayBuffer> | undefined;
  /** N, -1 where there is no track. */
  readonly trackIds: Int32Array<ArrayBuffer> | undefined;
  /** 3·K·N: x, y, visibility. */
  readonly keypoints: Float32Array<ArrayBuffer> | undefined;
  /** K, 0 without keypoints. */
  readonly keypointCount: number;
  /** N+1: mask i has the runs `maskRuns[maskOffsets[i]] … maskRuns[maskOffsets[i + 1] - 1]`. */
  readonly maskOffsets: Uint32Array<ArrayBuffer> | undefined;
  /** Run lengths of all masks, column-major, each mask beginning with its zeros. */
  readonly maskRuns: Uint32Array<ArrayBuffer> | undefined;
  /** Masks as logits, where a model gave them; `maskAt` turns them into runs, and the two columns above are absent. */
  readonly maskLogits: MaskLogits | undefined;
  /** Decodes `maskLogits`. */
  readonly maskDecoder: MaskDecoder | undefined;
  /** Size of every mask. */
  readonly maskSize: Size | undefined;
  /** Name of class id 0, 1, …; empty where unknown. */
  readonly classNames: readonly string[];
  /** Image the boxes refer to. */
  readonly imageSize: Size | undefined;
  private readonly header: DetectionsHeader;

  private constructor(
    header: DetectionsHeader,
    buffer: ArrayBuffer,
    classNames: readonly string[],
    imageSize: Size | undefined,
    maskDecoder: MaskDecoder | undefined,
  ) {
    const columns = layDetections(header, buffer);
    this.header = header;
    this.count = header.count;
    this.buffer = buffer;
    this.boxes = columns.boxes;
    this.scores = columns.scores;
    this.classIds = columns.classIds;
    this.angles = columns.angles;
    this.trackIds = columns.trackIds;
    this.keypoints = columns.keypoints;
    this.keypointCount = header.keypointCount;
    this.maskOffsets = columns.maskOffsets;
    this.maskRuns = columns.maskRuns;
    this.maskLogits = columns.maskLogits;
    this.maskDecoder = maskDecoder;
    this.maskSize = header.maskSize ?? undefined;
    this.classNames = classNames;
    this.imageSize = imageSize;
  }

  /** The same as {@link Detections.count}. */
  get length(): number {
    return this.count;
  }

  /** No detections. */
  static empty(options: Pick<DetectionsShape, 'classNames' | 'imageSize'> = {}): Detections {
    return Detections.create({ ...options, count: 0 });
  }

  /** Columns of zeros, to be filled in place. */
  static create(shape: DetectionsShape): Detections {
    const header = headerOf(shape);
    const buffer = new ArrayBuffer(detectionsByteLength(header));
    return new Detections(header, buffer, shape.classNames ?? [], shape.imageSize, shape.maskDecoder);
  }

  /** Copies columns into one buffer; throws {@link ShapeError} when their lengths do not belong together. */
  static from(init: DetectionsInit): Detections {
    const result = Detections.create(shapeOfInit(init));
    fillFromInit(result, init);
    return result;
  }

  /**
   * Rebuilds what {@link Detections.transferable} took apart; no copy. Throws {@link ShapeError} on anything else.
   *
   * A function does not cross to another thread: give `maskDecoder` again where detections carry `maskLogits`.
   */
  static fromTransferred(data: TransferredDetections, maskDecoder?: MaskDecoder): Detections {
    expectTransferred(data);
    const { count, angles, trackIds, keypointCount, maskSize, maskRunCount, maskLogitCount } = data;
    const header = { count, angles, trackIds, keypointCount, maskSize, maskRunCount, maskLogitCount };
    return new Detections(header, data.buffer, data.classNames, data.imageSize ?? undefined, maskDecoder);
  }

  /**
   * All detections of several values that speak of one image, in order.
   *
   * Values without detections add only their class names. The others must have the same columns
   * ({@link ShapeError}); class names and image sizes must agree wherever they are given ({@link OptionError}).
   */
  static merge(...parts: readonly Detections[]): Detections {
    const classNames = agreedNames(parts);
    const imageSize = agreedSize(parts);
    const filled = parts.filter((part) => part.count > 0);
    const first = filled[0];
    if (first === undefined) return Detections.empty({ classNames, imageSize });
    for (const part of filled) expectSameColumns(first, part);
    const total = (length: (part: Detections) => number) =>
      filled.reduce((sum, part) => sum + length(part), 0);
    const result = Detections.create({
      ...shapeOf(first),
      count: total((part) => part.count),
      maskRunCount: total((part) => raggedLength(part.maskOffsets)),
      maskLogitCount: first.maskLogits && total((part) => raggedLength(part.maskLogits?.offsets)),
      classNames,
      imageSize,
    });
    let row = 0;
    for (const part of filled) {
      copyRows(part, result, row);
      row += part.count;
    }
    return result;
  }

  /** These detections followed by those of `others`; see {@link Detections.merge}. */
  merge(...others: readonly Detections[]): Detections {
    return Detections.merge(this, ...others);
  }

  /** The detections at `indices`, in that order, repeats allowed; an index outside 0 … N-1 is a {@link ShapeError}. */
  select(indices: ArrayLike<number>): Detections {
    const count = indices.length;
    expectIndices(indices, this.count);
    const { classNames, imageSize, maskLogits } = this;
    const result = Detections.create({
      ...shapeOf(this),
      count,
      maskRunCount: raggedLength(this.maskOffsets, indices),
      maskLogitCount: maskLogits && raggedLength(maskLogits.offsets, indices),
      classNames,
      imageSize,
    });
    copyRows(this, result, 0, indices);
    return result;
  }

  /**
   * The detections a predicate accepts, or those a mask of N truthy values marks; order is kept.
   *
   * The predicate gets the index, so that it reads columns: `found.filter((i) => found.scores[i] > 0.5)`.
   */
  filter(
    keep: ((index: number, detections: Detections) => boolean) | ArrayLike<number | boolean>,
  ): Detections {
    if (typeof keep !== 'function') expectLength('mask', keep, this.count, this.count);
    const indices: number[] = [];
    for (let i = 0; i < this.count; i++) {
      if (typeof keep === 'function' ? keep(i, this) : keep[i]) indices.push(i);
    }
    return this.select(indices);
  }

  /** A copy with some columns or facts replaced, e.g. `found.with({ trackIds })`; `undefined` removes a column. */
  with(replacement: Partial<DetectionsInit>): Detections {
    const { boxes, scores, classIds, angles, trackIds, keypoints, keypointCount } = this;
    const { classNames, imageSize, maskDecoder } = this;
    const maskLogits = 'masks' in replacement ? undefined : this.maskLogits;
    const masks = this.maskSize && !maskLogits && !('masks' in replacement) ? this.masks() : undefined;
    return Detections.from({
      boxes,
      scores,
      classIds,
      angles,
      trackIds,
      keypoints,
      keypointCount: 'keypoints' in replacement || keypoints === undefined ? undefined : keypointCount,
      masks,
      maskLogits,
      maskDecoder,
      classNames,
      imageSize,
      ...replacement,
    });
  }

  /** Name of detection `index`'s class; the id as text where the name is unknown. */
  classNameOf(index: number): string {
    const id = this.classIds[index];
    return this.classNames[id] ?? String(id);
  }

  /**
   * Mask of one detection in pixels of the image, or undefined without masks: a view of this buffer where masks are runs,
   * decoded anew by every call where they are logits. `decodeRle` turns it into pixels.
   */
  maskAt(index: number): Rle | undefined {
    return maskRow(this, index);
  }

  /** All masks in order, see {@link Detections.maskAt}; an empty list without masks. */
  masks(): Rle[] {
    if (!this.maskSize) return [];
    return Array.from({ length: this.count }, (_, index) => this.maskAt(index)!);
  }

  /** One detection as an object; meant for logs and tests, not for hot paths. */
  at(index: number): DetectionRow {
    return detectionRow(this, index);
  }

  /** One object a detection, for `JSON.stringify`. */
  toJSON(): DetectionRow[] {
    return Array.from({ length: this.count }, (_, index) => detectionRow(this, index));
  }

  /**
   * Rows of a COCO results file: `bbox` as x, y, width, height, `segmentation` and `keypoints` where there are any.
   *
   * `categoryIds` maps class id to COCO category id (`categoryIds[classId]`); without it the class id is used as it is,
   * which is another category where ids begin at 1 or have gaps, as COCO's 80 do.
   * A class id without a category is an {@link OptionError}.
   */
  toCoco(imageId: number, categoryIds?: readonly number[]): CocoResult[] {
    return cocoRows(this, imageId, categoryIds);
  }

  /**
   * Takes this value apart for `postMessage(data, transfer)`; the views here are empty once it is posted.
   *
   * @example
   * const { data, transfer } = detections.transferable();
   * postMessage(data, transfer);            // here
   * Detections.fromTransferred(event.data); // there
   */
  transferable(): { readonly data: TransferredDetections; readonly transfer: [ArrayBuffer] } {
    const data: TransferredDetections = {
      ...this.header,
      kind: 'boxops/detections',
      version: 1,
      buffer: this.buffer,
      classNames: this.classNames,
      imageSize: this.imageSize ?? null,
    };
    return { data, transfer: [this.buffer] };
  }
}
