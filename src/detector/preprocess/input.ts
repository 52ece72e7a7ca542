/**
 * The input tensor of a detector: one buffer a batch size, filled again and again, so that steady work allocates
 * nothing.
 */
import { FrameTransform } from '../../boxes/frame-transform.ts';
import type { Size } from '../../boxes/types.ts';
import type { ImageTensorType } from '../plan.ts';
import type { Preprocessing, RawImage } from '../types.ts';
import { fillImage } from './fill.ts';
import { float32ToFloat16, nativeFloat16Array } from './float16.ts';
import { ResizeCache } from './resize-cache.ts';

/** What the runtime wants as tensor data of each type; float16 is bits where the platform has no `Float16Array`. */
export type TensorData = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** How an image of `source` size lies in the model input. */
export function placeImage(source: Size, { fit, size }: Required<Preprocessing>): FrameTransform {
  if (fit === 'stretch') return FrameTransform.stretch({ source, target: size });
  const align = fit === 'letterbox' ? 'center' : 'top-left';
  return FrameTransform.letterbox({ source, target: size, align });
}

/** Turns pictures into the values of one input tensor. */
export class InputBuffer {
  readonly #preprocessing: Required<Preprocessing>;
  readonly #type: ImageTensorType;
  readonly #cache = new ResizeCache();
  #values = new Float32Array(0);
  #converted: Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer> | undefined;

  constructor(preprocessing: Required<Preprocessing>, type: ImageTensorType) {
    this.#preprocessing = preprocessing;
    this.#type = type;
  }

  /** Makes room for `count` pictures; those of an earlier call are overwritten. */
  reserve(count: number): void {
    const length = count * this.#imageLength;
    if (this.#values.length !== length) {
      this.#values = new Float32Array(length);
      this.#converted = undefined;
    }
  }

  /** Writes picture `index` of the batch; the transform maps boxes back. */
  fill(index: number, image: RawImage): FrameTransform {
    const transform = placeImage(image, this.#preprocessing);
    const content = {
      left: transform.contentX,
      top: transform.contentY,
      width: transform.contentWidth,
      height: transform.contentHeight,
    };
    const { size, ...rest } = this.#preprocessing;
    fillImage(
      this.#values,
      index * this.#imageLength,
      image.data,
      image.width,
      image.height,
      content,
      { ...rest, ...size },
      this.#cache,
    );
    return transform;
  }

  /** The batch in the tensor's type, valid until the next `reserve` or `fill`. */
  data(): TensorData {
    const values = this.#values;
    if (this.#type === 'float32') return values;
    if (this.#type === 'float16') {
      this.#converted ??= new Uint16Array(values.length);
      const bits = this.#converted as Uint16Array<ArrayBuffer>;
      float32ToFloat16(values, bits);
      const Native = nativeFloat16Array();
      return Native === undefined ? bits : (new Native(bits.buffer, 0, bits.length) as unknown as TensorData);
    }
    this.#converted ??= new Uint8Array(values.length);
    for (let i = 0; i < values.length; i++)
      this.#converted[i] = Math.min(255, Math.max(0, Math.round(values[i])));
    return this.#converted;
  }

  /** Tensor dims of `count` pictures. */
  dims(count: number): readonly number[] {
    const { size, layout } = this.#preprocessing;
    return layout === 'nchw' ? [count, 3, size.height, size.width] : [count, size.height, size.width, 3];
  }

  get #imageLength(): number {
    return 3 * this.#preprocessing.size.width * this.#preprocessing.size.height;
  }
}
