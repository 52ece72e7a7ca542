export { maskContours } from './contours.ts';
export { type MaskIouOptions, maskIou } from './mask-iou.ts';
export { cocoSigmas, type OksOptions, oks } from './oks.ts';
export { rleFromBoxes, rleFromPolygon, rleFromPolygons } from './polygon.ts';
export { decodeRle, encodeRle, type PixelOptions, type PixelOrder } from './rle.ts';
export { mergeRle, rleArea, rleToBoxes } from './rle-algebra.ts';
export { compressRuns, decompressRuns, rleFromCoco, rleToCoco } from './rle-string.ts';
export { type CocoSegmentation, rleFromSegmentation } from './segmentation.ts';
export type { CocoRle, Rle } from './types.ts';
