/** Options of {@link drawDetections} and what they default to. */
import type { Detections } from '../boxes/detections.ts';
import { FrameTransform } from '../boxes/frame-transform.ts';
import type { Size } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import type { Canvas2D } from './context.ts';
import { colorOf } from './palette.ts';

export interface DrawOptions {
  /**
   * From image pixels to canvas pixels, e.g. {@link FrameTransform.toElement} for an overlay over a video. Default: the
   * image fills the canvas (`imageSize` of the detections), or its pixels are the canvas's where the size is unknown.
   */
  readonly transform?: FrameTransform;
  /** Colours as `#rrggbb`, by class id and repeating, or a function. Default {@link colorOf}. */
  readonly palette?: readonly string[] | ((id: number) => string);
  /** What a colour stands for. Default `'track'` where there are track ids, else `'class'`. */
  readonly colorBy?: 'class' | 'track' | 'index';
  /** Of boxes, in canvas pixels. Default 0.3 % of the canvas's mean side, at least 1.5. */
  readonly lineWidth?: number;
  /** CSS font family. Default `'sans-serif'`. */
  readonly fontFamily?: string;
  /** In canvas pixels. Default 1.9 % of the canvas's mean side, at least 11. */
  readonly fontSize?: number;
  readonly boxes?: boolean;
  /** Whether labels are drawn, or the text of each; an empty text draws none. Default true. */
  readonly labels?: boolean | ((index: number, detections: Detections) => string);
  /** Appends the score in per cent to the default label. Default true. */
  readonly showScores?: boolean;
  /** Draws only scores strictly above this. Default all. */
  readonly scoreThreshold?: number;
  readonly masks?: boolean;
  /** Of masks, 0–1. Default 0.4. */
  readonly maskOpacity?: number;
  readonly keypoints?: boolean;
  /** Draws keypoints whose visibility is strictly above this. Default 0. */
  readonly keypointThreshold?: number;
  /** Pairs of keypoints to join. Default COCO's skeleton for 17 keypoints, none otherwise. */
  readonly skeleton?: readonly (readonly [number, number])[];
  /** Clears the canvas first, as an overlay needs every frame. Default false. */
  readonly clear?: boolean;
}

/** Limbs of the 17 COCO keypoints, by index from 0. */
export const cocoSkeleton: readonly (readonly [number, number])[] = [
  [15, 13],
  [13, 11],
  [16, 14],
  [14, 12],
  [11, 12],
  [5, 11],
  [6, 12],
  [5, 6],
  [5, 7],
  [6, 8],
  [7, 9],
  [8, 10],
  [1, 2],
  [0, 1],
  [0, 2],
  [1, 3],
  [2, 4],
  [3, 5],
  [4, 6],
];

/** All options settled for one call. */
export interface DrawStyle {
  readonly frame: Size;
  readonly transform: FrameTransform;
  readonly color: (index: number) => string;
  readonly lineWidth: number;
  readonly font: string;
  readonly fontSize: number;
  readonly label: ((index: number) => string) | null;
  readonly boxes: boolean;
  readonly masks: boolean;
  readonly maskOpacity: number;
  readonly keypoints: boolean;
  readonly keypointThreshold: number;
  readonly skeleton: readonly (readonly [number, number])[];
}

export function settleStyle(context: Canvas2D, detections: Detections, options: DrawOptions): DrawStyle {
  const frame = { width: context.canvas.width, height: context.canvas.height };
  const meanSide = (frame.width + frame.height) / 2;
  const { lineWidth = Math.max(1.5, 0.003 * meanSide), maskOpacity = 0.4 } = options;
  const fontSize = options.fontSize ?? Math.max(11, Math.round(0.019 * meanSide));
  for (const [name, value] of Object.entries({ lineWidth, fontSize })) {
    if (!(value > 0 && Number.isFinite(value))) {
      throw new OptionError(`expected ${name} to be finite and > 0, got ${value}`, { [name]: value });
    }
  }
  if (!(maskOpacity >= 0 && maskOpacity <= 1)) {
    throw new OptionError(`expected maskOpacity from 0 to 1, got ${maskOpacity}`, { maskOpacity });
  }
  return {
    frame,
    transform:
      options.transform ?? FrameTransform.stretch({ source: detections.imageSize ?? frame, target: frame }),
    color: colorFunction(detections, options),
    lineWidth,
    font: `${fontSize}px ${options.fontFamily ?? 'sans-serif'}`,
    fontSize,
    label: labelFunction(detections, options),
    boxes: options.boxes ?? true,
    masks: (options.masks ?? true) && detections.maskSize !== undefined,
    maskOpacity,
    keypoints: (options.keypoints ?? true) && detections.keypoints !== undefined,
    keypointThreshold: options.keypointThreshold ?? 0,
    skeleton: options.skeleton ?? (detections.keypointCount === 17 ? cocoSkeleton : []),
  };
}

function colorFunction(detections: Detections, options: DrawOptions): (index: number) => string {
  const { palette = colorOf, colorBy = detections.trackIds === undefined ? 'class' : 'track' } = options;
  if (colorBy === 'track' && detections.trackIds === undefined) {
    throw new OptionError("expected detections with trackIds for colorBy 'track'", { colorBy });
  }
  if (typeof palette !== 'function' && palette.length === 0) {
    throw new OptionError('expected at least one colour in palette, got none', { palette });
  }
  const idOf = (index: number): number =>
    colorBy === 'class'
      ? detections.classIds[index]
      : colorBy === 'track'
        ? detections.trackIds![index]
        : index;
  if (typeof palette === 'function') return (index) => palette(idOf(index));
  const { length } = palette;
  return (index) => palette[((idOf(index) % length) + length) % length];
}

function labelFunction(detections: Detections, options: DrawOptions): ((index: number) => string) | null {
  const { labels = true, showScores = true } = options;
  if (labels === false) return null;
  if (typeof labels === 'function') return (index) => labels(index, detections);
  return (index) => {
    const name = detections.classNameOf(index);
    const track =
      detections.trackIds === undefined || detections.trackIds[index] < 0
        ? ''
        : ` #${detections.trackIds[index]}`;
    const score = showScores ? ` ${Math.round(100 * detections.scores[index])}%` : '';
    return `${name}${track}${score}`;
  };
}
