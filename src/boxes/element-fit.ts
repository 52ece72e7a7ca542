/**
 * Where the browser draws an image inside its element: CSS `object-fit` and `object-position` as numbers, so that an
 * overlay canvas of the element's size can follow a video it does not control.
 */
import { OptionError } from '../errors.ts';
import type { Size } from './types.ts';

export type ObjectFit = 'contain' | 'cover' | 'fill' | 'none' | 'scale-down';

/** Fractions of the free space (0 left or top, 1 right or bottom), or the CSS text, e.g. `'50% 50%'`, `'left 10px'`. */
export type ObjectPosition = { readonly x: number; readonly y: number } | string;

export interface ElementFitOptions {
  /** Intrinsic size of the image or video, in pixels. */
  readonly source: Size;
  /** Size of the element's content box, in CSS pixels. */
  readonly element: Size;
  /** Default `'contain'`. (CSS's own default is `'fill'`, except that a video is drawn contained.) */
  readonly objectFit?: ObjectFit;
  /** Default the middle, as CSS. */
  readonly objectPosition?: ObjectPosition;
}

/** Rectangle of the image in the element, in CSS pixels; it overhangs the element where the image is cropped. */
export interface ElementFit {
  readonly x: number;
  readonly y: number;
  readonly scaleX: number;
  readonly scaleY: number;
}

/** The rectangle `object-fit` and `object-position` give. */
export function elementFit(options: ElementFitOptions): ElementFit {
  const { source, element, objectFit = 'contain', objectPosition = '50% 50%' } = options;
  const ratioX = element.width / source.width;
  const ratioY = element.height / source.height;
  const contain = Math.min(ratioX, ratioY);
  let scaleX: number;
  let scaleY: number;
  switch (objectFit) {
    case 'fill':
      scaleX = ratioX;
      scaleY = ratioY;
      break;
    case 'contain':
      scaleX = scaleY = contain;
      break;
    case 'cover':
      scaleX = scaleY = Math.max(ratioX, ratioY);
      break;
    case 'none':
      scaleX = scaleY = 1;
      break;
    case 'scale-down':
      scaleX = scaleY = Math.min(1, contain);
      break;
    default:
      throw new OptionError(
        `expected objectFit 'contain', 'cover', 'fill', 'none' or 'scale-down', got '${String(objectFit)}'`,
        { objectFit },
      );
  }
  const freeX = element.width - source.width * scaleX;
  const freeY = element.height - source.height * scaleY;
  const [x, y] = placeAt(objectPosition, freeX, freeY);
  return { x, y, scaleX, scaleY };
}

function placeAt(position: ObjectPosition, freeX: number, freeY: number): [number, number] {
  if (typeof position !== 'string') {
    if (!Number.isFinite(position.x) || !Number.isFinite(position.y)) {
      throw new OptionError(`expected a finite objectPosition, got ${position.x}, ${position.y}`, {
        objectPosition: position,
      });
    }
    return [position.x * freeX, position.y * freeY];
  }
  const words = position.trim().toLowerCase().split(/\s+/);
  const [first, second = 'center'] = words;
  if (words.length > 2) throw unreadable(position);
  // keywords may come in either order
  const swapped = first === 'top' || first === 'bottom' || second === 'left' || second === 'right';
  const [horizontal, vertical] = swapped ? [second, first] : [first, second];
  return [
    offset(horizontal, freeX, 'left', 'right', position),
    offset(vertical, freeY, 'top', 'bottom', position),
  ];
}

function offset(word: string, free: number, start: string, end: string, position: string): number {
  if (word === start) return 0;
  if (word === end) return free;
  if (word === 'center') return free / 2;
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(%|px)?$/.exec(word);
  if (match === null || (match[2] === undefined && Number(match[1]) !== 0)) throw unreadable(position);
  return match[2] === '%' ? (Number(match[1]) / 100) * free : Number(match[1]);
}

function unreadable(position: string): OptionError {
  return new OptionError(
    `expected objectPosition as two of a percentage, px length or keyword, got '${position}'`,
    { objectPosition: position },
  );
}
