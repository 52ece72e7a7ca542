/** The configuration's matcher as one function: priors and annotations to an assignment. */
import type { Anchors } from '../anchors/index.ts';
import type { Size } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import {
  type Assignment,
  atssMatcher,
  bestAnchorMatcher,
  dynamicSoftLabelMatcher,
  fcosMatcher,
  hungarianMatcher,
  maxIouMatcher,
  type PairAssignment,
  paaMatcher,
  type SparseAssignment,
  simOtaMatcher,
  sparseMaxIouMatcher,
  ssdMatcher,
  taskAlignedMatcher,
  topkHungarianMatcher,
  uniformMatcher,
  yolov5Matcher,
} from '../matching/index.ts';
import type { TargetConfig } from './config.ts';
import { candidateLosses } from './paa-losses.ts';

/** What a network says of one image: what assigners that depend on it read. */
export interface ImagePredictions {
  /** 4·N xyxy in pixels of the input. */
  readonly boxes: Float32Array<ArrayBuffer>;
  /** N·classes: probabilities; logits for Hungarian, PAA and dynamic soft label matching. */
  readonly scores: Float32Array<ArrayBuffer>;
}

/** One image's part of a matching. */
export interface MatchInput {
  /** null where the predictions are the priors (queries). */
  readonly priors: Anchors | null;
  /** 4·G in pixels of the input. */
  readonly boxes: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
  /** 4·K regions to ignore. */
  readonly ignore: Float32Array<ArrayBuffer>;
  readonly input: Size;
  readonly predictions: ImagePredictions | null;
  /** Reused results of as many priors. */
  readonly out?: Assignment;
}

export type Matching = (image: MatchInput) => Assignment | PairAssignment | SparseAssignment;

/** Matchers that read predictions. */
const dynamic = new Set<TargetConfig['matcher']['kind']>([
  'task-aligned',
  'sim-ota',
  'dynamic-soft-label',
  'uniform',
  'paa',
  'hungarian',
]);

/** Whether the configuration's matcher needs what a network predicts. */
export const needsPredictions = ({ matcher }: Pick<TargetConfig, 'matcher'>): boolean =>
  dynamic.has(matcher.kind) || (matcher.kind === 'best-anchor' && matcher.predictionThreshold !== undefined);

/**
 * `listed`: priors that are background may be left out, and are where that is worth it. What samplers ask about those
 * can be computed again for the plain IoU alone. Throws `OptionError` where a sampler would have to choose among pairs.
 */
export function matching(config: TargetConfig, listed: boolean): Matching {
  const { kind, ...rest } = config.matcher;
  // the schema has checked names and types; absent keys must stay absent
  const options = Object.fromEntries(
    Object.entries(rest).filter(([, value]) => value !== undefined),
  ) as object;
  const { threshold, withoutObjects } = config.regions;
  const regions = {
    ...(threshold === undefined ? {} : { ignoreThreshold: threshold }),
    ...(withoutObjects === undefined ? {} : { ignoreWithoutGroundTruths: withoutObjects }),
  };
  const shared = ({ ignore, out }: MatchInput) => ({
    ...options,
    ...regions,
    ...(ignore.length > 0 ? { ignoreBoxes: ignore } : {}),
    ...(out === undefined ? {} : { out }),
  });
  const anchors = ({ priors }: MatchInput): Anchors => {
    if (priors === null) throw new OptionError(`the matcher '${kind}' needs priors, not queries`);
    return priors;
  };
  const predicted = ({ predictions }: MatchInput): ImagePredictions => {
    if (predictions === null) throw new OptionError(`the matcher '${kind}' needs predictions`);
    return predictions;
  };
  const ranked = (image: MatchInput) => ({
    ...shared(image),
    groundTruthClasses: image.labels,
    predictions: predicted(image),
  });
  switch (kind) {
    case 'max-iou': {
      const { metric = 'iou' } = options as { readonly metric?: string };
      const sparse = listed && (config.sampler.kind === 'none' || metric === 'iou');
      const matcher = sparse ? sparseMaxIouMatcher : maxIouMatcher;
      return (image) => matcher(anchors(image), image.boxes, shared(image));
    }
    case 'ssd':
      return (image) => ssdMatcher(anchors(image), image.boxes, shared(image));
    case 'atss':
      return (image) => atssMatcher(anchors(image), image.boxes, shared(image));
    case 'fcos':
      return (image) => fcosMatcher(anchors(image), image.boxes, shared(image));
    case 'yolov5':
      if (listed && config.sampler.kind !== 'none') {
        throw new OptionError(
          `sampler: '${config.sampler.kind}' takes priors, and the matcher 'yolov5' lists pairs of a prior and an object; expected the sampler 'none', or dense targets (one object a prior)`,
          { matcher: kind, sampler: config.sampler.kind },
        );
      }
      return (image) => yolov5Matcher(anchors(image), image.boxes, options);
    case 'best-anchor':
      return (image) =>
        bestAnchorMatcher(anchors(image), image.boxes, {
          ...shared(image),
          ...(needsPredictions(config) ? { predictions: predicted(image) } : {}),
        });
    case 'uniform':
      return (image) =>
        uniformMatcher(anchors(image), image.boxes, { ...shared(image), predictions: predicted(image) });
    case 'task-aligned':
      return (image) => taskAlignedMatcher(anchors(image), image.boxes, ranked(image));
    case 'sim-ota':
      return (image) => simOtaMatcher(anchors(image), image.boxes, ranked(image));
    case 'dynamic-soft-label':
      return (image) => dynamicSoftLabelMatcher(anchors(image), image.boxes, ranked(image));
    case 'paa':
      return (image) => {
        const losses = candidateLosses(predicted(image), image.boxes, image.labels, options);
        return paaMatcher(anchors(image), image.boxes, { ...shared(image), losses });
      };
    case 'hungarian':
      return (image) => {
        const { boxes, scores } = predicted(image);
        const costs = {
          ...options,
          groundTruthClasses: image.labels,
          logits: scores,
          image: image.input,
        };
        return 'k' in costs
          ? topkHungarianMatcher(boxes, image.boxes, costs as typeof costs & { readonly k: number })
          : hungarianMatcher(boxes, image.boxes, costs);
      };
  }
}
