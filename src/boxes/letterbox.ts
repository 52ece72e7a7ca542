/**
 * Where an image lies inside a model input when its proportions are kept: the integer rectangle the resized pixels
 * occupy, and the padding around it.
 *
 * The numbers equal those of Ultralytics' `LetterBox` (centred) and YOLOX's `preproc` (top-left), because half a pixel
 * here moves every box that comes back.
 */
import { OptionError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import type { Size } from './types.ts';

/** Rounds halves to even, as Python's `round`. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  if (fraction !== 0.5) return floor + (fraction > 0.5 ? 1 : 0); // Math.round would give -0
  return floor % 2 === 0 ? floor : floor + 1;
}

/** How the resized width and height become whole pixels. */
export type LetterboxRounding = 'half-even' | 'floor' | 'half-up';

export interface LetterboxOptions {
  /** Size of the image. */
  readonly source: Size;
  /** Size of the model input. */
  readonly target: Size;
  /** Centred with padding on both sides (Ultralytics), or padded right and below (YOLOX). Default `'center'`. */
  readonly align?: 'center' | 'top-left';
  /** Default `'half-even'` when centred (Ultralytics), `'floor'` in the top-left corner (YOLOX). */
  readonly rounding?: LetterboxRounding;
  /** False never enlarges (Ultralytics `scaleup=False`). Default true. */
  readonly scaleUp?: boolean;
  /**
   * Pads only up to the next multiple of this (Ultralytics `auto=True`); the input is then smaller than `target`.
   * Default: pads to the whole target.
   */
  readonly stride?: number;
  /**
   * Which affine map the boxes follow. `'exact'`: that of the pixels, the resized rectangle over the image, so the
   * axes may differ by the rounding. `'ultralytics'`: one gain for both axes and the padding rounded from the
   * unrounded size, as `scale_boxes` does (and with `align: 'top-left'` YOLOX's division by the ratio). They differ by
   * at most one pixel of the input. Default `'exact'`.
   */
  readonly inverse?: 'exact' | 'ultralytics';
}

export interface LetterboxGeometry {
  /** Size of the input: the target, or less with `stride`. */
  readonly target: Size;
  /** Ratio before rounding. */
  readonly gain: number;
  /** Rectangle of the resized image in the input, whole pixels. */
  readonly contentX: number;
  readonly contentY: number;
  readonly contentWidth: number;
  readonly contentHeight: number;
}

const rounders: Record<LetterboxRounding, (value: number) => number> = {
  'half-even': roundHalfEven,
  floor: Math.floor,
  'half-up': (value) => Math.floor(value + 0.5),
};

/** The geometry of a letterbox; no side of the content is ever below one pixel. */
export function letterboxGeometry(options: LetterboxOptions): LetterboxGeometry {
  const { source, target, scaleUp = true, stride } = options;
  const align = choiceOption('align', options.align, ['center', 'top-left']);
  const { rounding = align === 'center' ? 'half-even' : 'floor' } = options;
  const round = rounders[choiceOption('rounding', rounding, ['half-even', 'floor', 'half-up'])];
  if (stride !== undefined && !(Number.isInteger(stride) && stride > 0)) {
    throw new OptionError(`expected stride to be a whole number > 0, got ${stride}`, { stride });
  }
  const fit = Math.min(target.height / source.height, target.width / source.width);
  const gain = scaleUp ? fit : Math.min(fit, 1);
  const contentWidth = Math.max(1, round(source.width * gain));
  const contentHeight = Math.max(1, round(source.height * gain));
  let padX = target.width - contentWidth;
  let padY = target.height - contentHeight;
  if (stride !== undefined) {
    padX %= stride;
    padY %= stride;
  }
  // an odd padding puts its extra pixel right and below: LetterBox rounds the half minus 0.1
  const centred = align === 'center';
  return {
    target: { width: contentWidth + padX, height: contentHeight + padY },
    gain,
    contentX: centred ? roundHalfEven(padX / 2 - 0.1) : 0,
    contentY: centred ? roundHalfEven(padY / 2 - 0.1) : 0,
    contentWidth,
    contentHeight,
  };
}
