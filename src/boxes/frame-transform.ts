/**
 * The way of boxes and points from an image into another frame and back: a model input (stretched or letterboxed) or
 * an element on the screen.
 *
 * Every frame here is an axis-aligned affine map of the image with an optional mirror, so it is five numbers with an
 * exact inverse. The same numbers place the pixels (`content…`) and the boxes, which is what keeps them together.
 */
import { OptionError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { checkSize } from './check.ts';
import { type ElementFitOptions, elementFit } from './element-fit.ts';
import {
  checkPoints,
  closeFrame,
  openFrame,
  type TransformBoxesOptions,
  type TransformPointsOptions,
} from './frame-arrays.ts';
import { clipBoxes } from './geometry.ts';
import { type LetterboxOptions, letterboxGeometry, roundHalfEven } from './letterbox.ts';
import type { BoxArray, Size } from './types.ts';

export type { TransformBoxesOptions, TransformPointsOptions } from './frame-arrays.ts';

/** The numbers of a {@link FrameTransform}; plain data, so an instance posted to a worker can be built again. */
export interface FrameTransformInit {
  readonly source: Size;
  readonly target: Size;
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
  readonly mirror?: boolean;
  /** Rectangle of the image in the target, in target pixels; the mapped source where left out. */
  readonly contentX?: number;
  readonly contentY?: number;
  readonly contentWidth?: number;
  readonly contentHeight?: number;
}

/** Options of {@link FrameTransform.toElement}. */
export interface ToElementOptions extends ElementFitOptions {
  /** Backing-store pixels a CSS pixel: the target is the canvas, not the element. Default 1. */
  readonly devicePixelRatio?: number;
  /** The element is shown mirrored (`transform: scaleX(-1)`), as a front camera is. Default false. */
  readonly mirror?: boolean;
}

/**
 * An affine map `x' = offsetX ± scaleX·x`, `y' = offsetY + scaleY·y` from a source image to a target frame (− where
 * `mirror`), with its exact inverse.
 *
 * @example
 * const fit = FrameTransform.letterbox({ source: { width: 768, height: 576 }, target: { width: 416, height: 416 } });
 * fit.contentY; // 52: 52 rows of padding above 312 rows of image
 * fit.toImage(new Float32Array([0, 52, 416, 364])); // [0, 0, 768, 576]
 */
export class FrameTransform {
  readonly source: Size;
  readonly target: Size;
  /** Target pixels a source pixel, positive also where mirrored. */
  readonly scaleX: number;
  readonly scaleY: number;
  /** Where x = 0 of the source falls in the target: the left edge, or the right one where mirrored. */
  readonly offsetX: number;
  readonly offsetY: number;
  /** Whether left and right are exchanged. */
  readonly mirror: boolean;
  /** Rectangle of the image in the target; whole pixels for a letterbox or a stretch, where a resizer fills exactly it. */
  readonly contentX: number;
  readonly contentY: number;
  readonly contentWidth: number;
  readonly contentHeight: number;

  constructor(init: FrameTransformInit) {
    checkSize('source', init.source);
    checkSize('target', init.target);
    for (const name of ['scaleX', 'scaleY'] as const) {
      if (!(init[name] > 0 && Number.isFinite(init[name]))) {
        throw new OptionError(`expected ${name} to be finite and > 0, got ${init[name]}`, {
          [name]: init[name],
        });
      }
    }
    for (const name of ['offsetX', 'offsetY'] as const) {
      if (!Number.isFinite(init[name])) {
        throw new OptionError(`expected ${name} to be finite, got ${init[name]}`, { [name]: init[name] });
      }
    }
    this.source = { width: init.source.width, height: init.source.height };
    this.target = { width: init.target.width, height: init.target.height };
    this.scaleX = init.scaleX;
    this.scaleY = init.scaleY;
    this.offsetX = init.offsetX;
    this.offsetY = init.offsetY;
    this.mirror = init.mirror ?? false;
    this.contentWidth = init.contentWidth ?? init.source.width * init.scaleX;
    this.contentHeight = init.contentHeight ?? init.source.height * init.scaleY;
    this.contentX = init.contentX ?? (this.mirror ? init.offsetX - this.contentWidth : init.offsetX);
    this.contentY = init.contentY ?? init.offsetY;
  }

  /** The frame of the image itself. */
  static identity(source: Size): FrameTransform {
    return FrameTransform.stretch({ source, target: source });
  }

  /** Fills the target, each axis by its own scale. */
  static stretch(options: { readonly source: Size; readonly target: Size }): FrameTransform {
    const { source, target } = options;
    checkSize('source', source);
    checkSize('target', target);
    return new FrameTransform({
      source,
      target,
      scaleX: target.width / source.width,
      scaleY: target.height / source.height,
      offsetX: 0,
      offsetY: 0,
      contentX: 0,
      contentY: 0,
      contentWidth: target.width,
      contentHeight: target.height,
    });
  }

  /** Fits the image with its proportions kept and padding around it; the geometry is Ultralytics' or YOLOX's. */
  static letterbox(options: LetterboxOptions): FrameTransform {
    const { source, align = 'center' } = options;
    checkSize('source', source);
    checkSize('target', options.target);
    const inverse = choiceOption('inverse', options.inverse, ['exact', 'ultralytics']);
    const { target, gain, contentX, contentY, contentWidth, contentHeight } = letterboxGeometry(options);
    const content = { contentX, contentY, contentWidth, contentHeight };
    if (inverse === 'exact') {
      return new FrameTransform({
        source,
        target,
        scaleX: contentWidth / source.width,
        scaleY: contentHeight / source.height,
        offsetX: contentX,
        offsetY: contentY,
        ...content,
      });
    }
    // scale_boxes derives the gain and the padding from the two sizes alone, whatever the letterbox did
    const seen = Math.min(target.height / source.height, target.width / source.width);
    const scale = options.scaleUp === false ? gain : seen;
    const pad = (targetSide: number, sourceSide: number) =>
      align === 'center' ? roundHalfEven((targetSide - sourceSide * scale) / 2 - 0.1) : 0;
    return new FrameTransform({
      source,
      target,
      scaleX: scale,
      scaleY: scale,
      offsetX: pad(target.width, source.width),
      offsetY: pad(target.height, source.height),
      ...content,
    });
  }

  /** Follows an image or video into its element: CSS `object-fit`, `object-position`, device pixels and mirror. */
  static toElement(options: ToElementOptions): FrameTransform {
    const { source, element, devicePixelRatio = 1, mirror = false } = options;
    checkSize('source', source);
    checkSize('element', element);
    if (!(devicePixelRatio > 0 && Number.isFinite(devicePixelRatio))) {
      throw new OptionError(`expected devicePixelRatio to be finite and > 0, got ${devicePixelRatio}`, {
        devicePixelRatio,
      });
    }
    const { x, y, scaleX, scaleY } = elementFit(options);
    const ratio = devicePixelRatio;
    return new FrameTransform({
      source,
      target: { width: element.width * ratio, height: element.height * ratio },
      scaleX: scaleX * ratio,
      scaleY: scaleY * ratio,
      offsetX: (mirror ? element.width - x : x) * ratio,
      offsetY: y * ratio,
      mirror,
    });
  }

  /**
   * Boxes of the image into the target frame; 4·N in, 4·N out, of the input's kind.
   *
   * A mirror exchanges x1 and x2, so a proper box stays proper. Throws {@link ShapeError} on a wrong length.
   */
  toModel<T extends BoxArray>(boxes: T, options: TransformBoxesOptions<T> = {}): T {
    const out = openFrame(boxes, options, this.source);
    const scaleX = this.mirror ? -this.scaleX : this.scaleX;
    const { scaleY, offsetX, offsetY } = this;
    for (let i = 0; i < out.length; i += 4) {
      const x1 = offsetX + scaleX * out[i];
      const x2 = offsetX + scaleX * out[i + 2];
      out[i] = this.mirror ? x2 : x1;
      out[i + 1] = offsetY + scaleY * out[i + 1];
      out[i + 2] = this.mirror ? x1 : x2;
      out[i + 3] = offsetY + scaleY * out[i + 3];
    }
    return closeFrame(out, options, this.target);
  }

  /**
   * Boxes of the target frame back into the image: the exact inverse of {@link FrameTransform.toModel}, up to the
   * rounding of the array's element type.
   *
   * With `clip` the result lies in [0, width] × [0, height] of the source, as torchvision's `clip_boxes_to_image`.
   */
  toImage<T extends BoxArray>(
    boxes: T,
    options: TransformBoxesOptions<T> & { readonly clip?: boolean } = {},
  ): T {
    const out = openFrame(boxes, options, this.target);
    const { scaleX, scaleY, offsetX, offsetY } = this;
    for (let i = 0; i < out.length; i += 4) {
      const x1 = out[i];
      const x2 = out[i + 2];
      out[i] = (this.mirror ? offsetX - x2 : x1 - offsetX) / scaleX;
      out[i + 1] = (out[i + 1] - offsetY) / scaleY;
      out[i + 2] = (this.mirror ? offsetX - x1 : x2 - offsetX) / scaleX;
      out[i + 3] = (out[i + 3] - offsetY) / scaleY;
    }
    if (options.clip) clipBoxes(out, this.source, { out });
    return closeFrame(out, options, this.source);
  }

  /** Points of the image into the target frame. */
  pointsToModel<T extends BoxArray>(points: T, options: TransformPointsOptions<T> = {}): T {
    const { stride, out } = checkPoints(points, options);
    const scaleX = this.mirror ? -this.scaleX : this.scaleX;
    for (let i = 0; i < points.length; i += stride) {
      out[i] = this.offsetX + scaleX * points[i];
      out[i + 1] = this.offsetY + this.scaleY * points[i + 1];
      for (let k = 2; k < stride; k++) out[i + k] = points[i + k];
    }
    return out;
  }

  /** Points of the target frame back into the image, optionally clipped to it. */
  pointsToImage<T extends BoxArray>(
    points: T,
    options: TransformPointsOptions<T> & { readonly clip?: boolean } = {},
  ): T {
    const { stride, out } = checkPoints(points, options);
    const { width, height } = this.source;
    for (let i = 0; i < points.length; i += stride) {
      let x = (this.mirror ? this.offsetX - points[i] : points[i] - this.offsetX) / this.scaleX;
      let y = (points[i + 1] - this.offsetY) / this.scaleY;
      if (options.clip) {
        x = Math.min(Math.max(x, 0), width);
        y = Math.min(Math.max(y, 0), height);
      }
      out[i] = x;
      out[i + 1] = y;
      for (let k = 2; k < stride; k++) out[i + k] = points[i + k];
    }
    return out;
  }

  /** First this transform, then `next`, whose source is this one's target. */
  compose(next: FrameTransform): FrameTransform {
    const sign = next.mirror ? -1 : 1;
    return new FrameTransform({
      source: this.source,
      target: next.target,
      scaleX: this.scaleX * next.scaleX,
      scaleY: this.scaleY * next.scaleY,
      offsetX: next.offsetX + sign * next.scaleX * this.offsetX,
      offsetY: next.offsetY + next.scaleY * this.offsetY,
      mirror: this.mirror !== next.mirror,
    });
  }

  /** The way back as a transform of its own. */
  inverse(): FrameTransform {
    const sign = this.mirror ? 1 : -1;
    return new FrameTransform({
      source: this.target,
      target: this.source,
      scaleX: 1 / this.scaleX,
      scaleY: 1 / this.scaleY,
      offsetX: (sign * this.offsetX) / this.scaleX,
      offsetY: -this.offsetY / this.scaleY,
      mirror: this.mirror,
    });
  }
}
