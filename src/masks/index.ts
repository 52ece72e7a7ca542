export { maskContours } from './contours.ts';
export { decodeRle, encodeRle, type PixelOptions, type PixelOrder } from './rle.ts';
export type { CocoRle, Rle } from './types.ts';
