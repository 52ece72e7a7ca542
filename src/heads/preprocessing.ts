/**
 * How each family of models expects its picture, as its own code prepares it.
 *
 * An ONNX file rarely says: these are the conventions of the projects the models come from, and `inspectModel` says so
 * in its reasons. Kept apart from the decoders, so that a bundle with one head carries none of it.
 */
import type { Size } from '../boxes/types.ts';

/** How an image becomes the input tensor; the detector's `Preprocessing` with everything but the size decided. */
export interface PreprocessingChoice {
  /** Input size in pixels: the model's own, else the family's usual one. */
  readonly size: Size;
  /** How the image is fitted into the input. */
  readonly fit: 'stretch' | 'letterbox' | 'letterbox-top-left';
  /** Padding value of a letterbox, 0–255. */
  readonly padValue: number;
  readonly channelOrder: 'rgb' | 'bgr';
  /** Subtracted from each channel, in tensor channel order, 0–255 scale. */
  readonly mean: readonly [number, number, number];
  /** Divides each channel, 0–255 scale. */
  readonly std: readonly [number, number, number];
  readonly layout: 'nchw' | 'nhwc';
}

function preset(
  fit: PreprocessingChoice['fit'],
  channelOrder: 'rgb' | 'bgr',
  mean: readonly [number, number, number],
  std: readonly [number, number, number],
  layout: 'nchw' | 'nhwc' = 'nchw',
): PreprocessingChoice {
  return { size: { width: 640, height: 640 }, fit, padValue: 114, channelOrder, mean, std, layout };
}

/** The pictures' conventions by family. */
export const preprocessingPresets = {
  /** Ultralytics: RGB / 255, letterbox 114 centred. */
  ultralytics: preset('letterbox', 'rgb', [0, 0, 0], [255, 255, 255]),
  /** YOLOX: BGR 0–255, letterbox 114 in the top-left corner. */
  yolox: preset('letterbox-top-left', 'bgr', [0, 0, 0], [1, 1, 1]),
  /** YOLOX before 0.1.1: RGB with the ImageNet mean and deviation, letterbox 114 in the top-left corner. */
  yoloxLegacy: preset('letterbox-top-left', 'rgb', [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
  /** RT-DETR, D-FINE, DEIM: RGB / 255, stretched. */
  detr: preset('stretch', 'rgb', [0, 0, 0], [255, 255, 255]),
  /** DETR, RF-DETR: RGB with the ImageNet mean and deviation, stretched. */
  imagenet: preset('stretch', 'rgb', [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
} as const satisfies Record<string, PreprocessingChoice>;
