/**
 * The worker's side of a detector: one detector a worker, offered to the client of `remote.ts`.
 */
import { Detections, type TransferredDetections } from '../boxes/detections.ts';
import { type CallContext, transferring, type WorkerMethods } from '../client/index.ts';
import { OptionError } from '../errors.ts';
import { decodeMaskLogits } from '../heads/mask-logits.ts';
import { type MetricData, packMetric, unpackMetric } from '../iou/metric-data.ts';
import type {
  DetectNms,
  DetectOptions,
  Detector,
  DetectorInfo,
  DetectorOptions,
  DetectorStats,
  ImageSource,
} from './types.ts';

/** Suppression as it reaches the worker. */
export type RemoteNms = (Omit<DetectNms, 'metric'> & { readonly metric?: MetricData }) | false;

/** Options of a detector as they reach its worker: what cannot be cloned stayed behind. */
export type RemoteOptions = Omit<
  DetectorOptions,
  'worker' | 'readyTimeout' | 'signal' | 'onProgress' | 'nms'
> & { readonly nms?: RemoteNms };

/** One `detect` call as it reaches the worker; its frames and copied arrays were moved here. */
export interface RemoteDetect {
  readonly sources: readonly ImageSource[];
  readonly options: Omit<DetectOptions, 'signal' | 'transfer' | 'nms'> & { readonly nms?: RemoteNms };
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
      detector = await create({ ...unpackNms(options), worker: false, signal, onProgress: progress });
      return detector.info;
    },
    async detect({ sources, options }: RemoteDetect, { signal }: CallContext): Promise<RemoteResults> {
      const { info, detect } = made();
      // Everything here was sent for this call alone, so nothing needs another copy.
      const found = await detect.call(detector, sources, { ...unpackNms(options), signal, transfer: true });
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
  };
}

/** Options with `nms` as it can be posted. A metric is packed under the call's conventions, `made` are the detector's. */
export function packNms<Options extends { readonly nms?: DetectOptions['nms'] }>(
  options: Options,
  made?: DetectOptions['nms'],
): Omit<Options, 'nms'> & { readonly nms?: RemoteNms } {
  const { nms, ...rest } = options;
  if (nms === undefined || nms === false) return { ...rest, ...(nms === false && { nms }) };
  const asked = { ...(made === false ? {} : made), ...nms };
  const { metric: _, ...others } = nms;
  const { metric } = asked;
  return { ...rest, nms: { ...others, ...(metric !== undefined && { metric: packMetric(metric, asked) }) } };
}

function unpackNms<Options extends { readonly nms?: RemoteNms }>(
  options: Options,
): Omit<Options, 'nms'> & { readonly nms?: DetectNms | false } {
  const { nms, ...rest } = options;
  if (nms === undefined || nms === false) return { ...rest, ...(nms === false && { nms }) };
  const { metric, ...others } = nms;
  return { ...rest, nms: { ...others, ...(metric !== undefined && { metric: unpackMetric(metric) }) } };
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
