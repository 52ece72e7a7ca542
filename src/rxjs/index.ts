/** The streams of boxops as RxJS operators (rxjs ^7.8, an optional peer). */
export { type DetectFramesOperatorOptions, detectFrames } from './detect-frames.ts';
