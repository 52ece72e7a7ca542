/**
 * The worker's side of a detector: one detector a worker, offered to the client of `remote.ts`.
 */
import { Detections, type TransferredDetections } from '../boxes/detections.ts';
import { type CallContext, transferring, type WorkerMethods } from '../client/index.ts';
import { OptionError } from '../errors.ts';
import { decodeMaskLogits } from '../heads/mask-logits.ts';
import type {
  DetectOptions,
  Detector,
  DetectorInfo,
  DetectorOptions,
  DetectorStats,
  ImageSource,
} from './types.ts';

/** Options of a detector as they reach its worker: what cannot be cloned stayed behind. */
export type RemoteOptions = Omit<DetectorOptions, 'worker' | 'readyTimeout' | 'signal' | 'onProgress'>;

/** One `detect` call as it reaches the worker; its frames and copied arrays were moved here. */
export interface RemoteDetect {
  readonly sources: readonly ImageSource[];
  readonly options: Omit<DetectOptions, 'signal' | 'transfer'>;
}

/** Results on their way back; empty class names stand for the detector's own. */
export type RemoteResults = readonly TransferredDetections[];

/** Makes the detector; `createDetector` in a worker, anything of its shape in a test. */
export type DetectorFactory = (options: DetectorOptions) => Promise<Detector>;

/** The methods `create`, `detect`, `stats` of a detector's worker. */
export function detectorMethods(create: DetectorFactory): WorkerMethods {
  let detector: Detector | undefined;
  const made = (): Detector => {
    if (detector === undefined) throw new OptionError('the worker was given no model: call create first');
    return detector;
  };
  return {
    async create(options: RemoteOptions, { signal, progress }: CallContext): Promise<DetectorInfo> {
      detector?.dispose();
      detector = await create({ ...options, worker: false, signal, onProgress: progress });
      return detector.info;
    },
    async detect({ sources, options }: RemoteDetect, { signal }: CallContext): Promise<RemoteResults> {
      const { info, detect } = made();
      // Everything here was sent for this call alone, so nothing needs another copy.
      const found = await detect.call(detector, sources, { ...options, signal, transfer: true });
      const results = found.map((detections) => {
        const { data } = detections.transferable();
        return detections.classNames === info.classNames ? { ...data, classNames: [] } : data;
      });
      return transferring(
        results,
        results.map(({ buffer }) => buffer),
      );
    },
    stats: (): Promise<DetectorStats> => made().stats(),
    dispose: () => detector?.dispose(),
  };
}

/** The detections of a worker's answer. */
export function receiveResults(results: RemoteResults, classNames: readonly string[]): Detections[] {
  return results.map((sent) =>
    Detections.fromTransferred(
      sent.classNames.length === 0 ? { ...sent, classNames } : sent,
      decodeMaskLogits,
    ),
  );
}
