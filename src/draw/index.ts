export type { Canvas2D } from './context.ts';
export { drawDetections } from './detections.ts';
export { type LabelPlace, LabelPlacer } from './labels.ts';
export { cocoSkeleton, type DrawOptions } from './options.ts';
export { colorOf, contrastRatio, textColorOn } from './palette.ts';
