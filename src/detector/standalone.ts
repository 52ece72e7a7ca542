/** Post-processing without a detector: for outputs that come from a session of the caller's own. */
import type { Detections } from '../boxes/detections.ts';
import { FrameTransform } from '../boxes/frame-transform.ts';
import type { Size } from '../boxes/types.ts';
import type { HeadName, HeadOptions, ModelOutputs } from '../heads/types.ts';
import { checkPostprocessOptions } from './check-options.ts';
import { decodeCandidates, finishCandidates } from './postprocess.ts';
import { resolveOptions } from './run-options.ts';
import type { DetectOptions } from './types.ts';

export interface PostprocessOptions extends Omit<DetectOptions, 'signal' | 'transfer'> {
  readonly head: HeadName;
  /** Size of the model input in pixels. */
  readonly input: Size;
  /** The picture's way into the model input. Default: the input is the picture. */
  readonly transform?: FrameTransform;
  /** What the head needs to know besides the outputs; `inspectModel` says it. */
  readonly headOptions?: HeadOptions;
  readonly classNames?: readonly string[];
  /** Which picture of the batch. Default 0. */
  readonly image?: number;
}

/**
 * Detections of one picture from a model's output tensors: head, threshold, suppression, back to pixels of the picture;
 * what a detector does after its session.
 *
 * Throws what `detect` rejects with: `LayoutError` for outputs of another head, `NumericError` where all is NaN,
 * `OptionError`.
 *
 * @example
 * const transform = FrameTransform.letterbox({ source: image, target: { width: 640, height: 640 } });
 * const found = postprocess(await session.run(feeds), { head: 'yolov8', input: transform.target, transform, preset: 'ultralytics' });
 */
export function postprocess(outputs: ModelOutputs, options: PostprocessOptions): Detections {
  checkPostprocessOptions(options);
  const { head, input, headOptions = {}, classNames = [], image = 0 } = options;
  const { transform = FrameTransform.identity(input) } = options;
  const resolved = resolveOptions(options, {}, { head, classNames });
  const plan = { head, decoding: headOptions, preprocessing: { size: input } };
  return finishCandidates(decodeCandidates(outputs, image, plan, resolved), transform, classNames, resolved);
}
