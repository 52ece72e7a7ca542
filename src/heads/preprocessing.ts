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
  /** Smoothed when shrunk, as Pillow's BILINEAR is; false: as OpenCV's INTER_LINEAR, which is not. */
  readonly antialias: boolean;
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
  width = 640,
  height = 640,
): PreprocessingChoice {
  const size = { width, height };
  return { size, fit, padValue: 114, antialias: false, channelOrder, mean, std, layout };
}

/** The ImageNet mean and deviation, RGB, 0–255 scale. */
const imagenetMean = [123.675, 116.28, 103.53] as const;
const imagenetStd = [58.395, 57.12, 57.375] as const;

/** The pictures' conventions by family. */
export const preprocessingPresets = {
  /** Ultralytics: RGB / 255, letterbox 114 centred. */
  ultralytics: preset('letterbox', 'rgb', [0, 0, 0], [255, 255, 255]),
  /** YOLOX: BGR 0–255, letterbox 114 in the top-left corner. */
  yolox: preset('letterbox-top-left', 'bgr', [0, 0, 0], [1, 1, 1]),
  /** YOLOX before 0.1.1: RGB with the ImageNet mean and deviation, letterbox 114 in the top-left corner. */
  yoloxLegacy: preset('letterbox-top-left', 'rgb', imagenetMean, imagenetStd),
  /** RT-DETR, D-FINE, DEIM: RGB / 255, stretched by torchvision's `Resize` of a PIL image, antialiased. */
  detr: { ...preset('stretch', 'rgb', [0, 0, 0], [255, 255, 255]), antialias: true },
  /** DETR: RGB with the ImageNet mean and deviation, stretched in the same way. */
  detrImagenet: { ...preset('stretch', 'rgb', imagenetMean, imagenetStd), antialias: true },
  /** Ultralytics' RT-DETR, torchvision: RGB / 255, stretched. */
  torchvision: preset('stretch', 'rgb', [0, 0, 0], [255, 255, 255]),
  /** RF-DETR, PaddleDetection, RetinaNet, EfficientDet, FCOS, CenterNet: RGB with the ImageNet mean and deviation, stretched. */
  imagenet: preset('stretch', 'rgb', imagenetMean, imagenetStd),
  /** mmdetection: RGB with the ImageNet mean and deviation, in the top-left corner; padded with about the mean. */
  mmdetection: preset('letterbox-top-left', 'rgb', imagenetMean, imagenetStd),
  /** FastestDet: BGR / 255, stretched. */
  fastestdet: preset('stretch', 'bgr', [0, 0, 0], [255, 255, 255]),
  /** NanoDet: BGR with the ImageNet mean and deviation, stretched. */
  nanodet: preset('stretch', 'bgr', [103.53, 116.28, 123.675], [57.375, 57.12, 58.395]),
  /** torchvision's SSD300: RGB less the ImageNet mean, 0–255, stretched. */
  ssd: preset('stretch', 'rgb', [123, 117, 104], [1, 1, 1], 'nchw', 300, 300),
  /** UltraFace: RGB (x − 127) / 128, stretched. */
  ultraface: preset('stretch', 'rgb', [127, 127, 127], [128, 128, 128], 'nchw', 320, 240),
  /** RetinaFace: BGR less (104, 117, 123), stretched. */
  retinaface: preset('stretch', 'bgr', [104, 117, 123], [1, 1, 1]),
  /** SCRFD: RGB (x − 127.5) / 128, letterbox in the top-left corner on black. */
  scrfd: { ...preset('letterbox-top-left', 'rgb', [127.5, 127.5, 127.5], [128, 128, 128]), padValue: 0 },
  /** YuNet: BGR 0–255, stretched. */
  yunet: preset('stretch', 'bgr', [0, 0, 0], [1, 1, 1]),
  /** CenterFace: RGB 0–255, stretched. */
  centerface: preset('stretch', 'rgb', [0, 0, 0], [1, 1, 1]),
  /** BlazeFace: RGB x / 127.5 − 1, channels last, letterbox on black. */
  blazeface: {
    ...preset('letterbox', 'rgb', [127.5, 127.5, 127.5], [127.5, 127.5, 127.5], 'nhwc', 128, 128),
    padValue: 0,
  },
  /** TensorFlow's detection API: RGB 0–255, channels last, stretched. */
  raw: preset('stretch', 'rgb', [0, 0, 0], [1, 1, 1], 'nhwc'),
} as const satisfies Record<string, PreprocessingChoice>;
