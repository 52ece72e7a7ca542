/**
 * `createDetector`: a detector that is ready to run, in this thread or in a worker.
 */
import { OptionError } from '../errors.ts';
import { checkDetectorOptions } from './check-options.ts';
import { createLocalDetector } from './create-local.ts';
import type { Detector, DetectorOptions } from './types.ts';
import { withPageUrls } from './urls.ts';

/**
 * Loads a model and gives a detector, in this thread or, with `worker`, in a worker; the interface is the same.
 *
 * The head and the pre-processing come from the model's bytes (`inspectModel`); where they leave several heads open,
 * the `head` option settles it. Detections are boxes in pixels of the picture, best first. Suppression is class-aware
 * NMS at IoU 0.7 (or what its family's own code has) with at most 300 detections unless `nms` says otherwise; models that need none (end-to-end, DETR)
 * get none. Dispose the detector when done.
 *
 * Rejects with `ModelError` (not a model, truncated, not a detector, download failed), `AmbiguousModelError` (its
 * `details.candidates` ranks the heads that fit), `UnsupportedError` (onnxruntime-web missing, no provider usable),
 * `OptionError`, `WorkerLoadError`, or the signal's reason.
 *
 * @example
 * const detector = await createDetector({ model: '/models/yolox_nano_416.onnx', head: 'yolox' });
 * const detections = await detector.detect(imageBitmap, { scoreThreshold: 0.4 });
 * detections.classNameOf(0); // 'dog'
 * detector.dispose();
 */
export async function createDetector(options: DetectorOptions): Promise<Detector> {
  checkDetectorOptions(options);
  const { worker = false, signal, threads = 1 } = options;
  signal?.throwIfAborted();
  if (!Number.isInteger(threads) || threads < 1) {
    throw new OptionError(`threads: expected a whole number of at least 1, got ${threads}`, { threads });
  }
  if (worker !== false) {
    const { createRemoteDetector } = await import('./remote.ts');
    return createRemoteDetector(withPageUrls(options));
  }
  return createLocalDetector(withPageUrls(options));
}
