/** The part `matcher` of a configuration: who matches, and its options as the matchers of `boxops` have them. */
import * as v from 'valibot';
import { generatedMetrics } from '../iou/generated/registry.ts';
import type { MetricName } from '../iou/types.ts';

const optional = v.optional;
export const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));
export const atLeastOne = v.pipe(v.number(), v.integer(), v.minValue(1));
export const fraction = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

/** Metrics by name; those that need a number of the data (an image size, a constant) have none. */
const metricNames = Object.keys(generatedMetrics).filter((name) => name !== 'mpdiou' && name !== 'nwd');
const metric = optional(v.picklist(metricNames as MetricName[]));

export const matcher = v.variant('kind', [
  v.strictObject({
    kind: v.literal('max-iou'),
    metric,
    positiveThreshold: optional(v.number()),
    negativeThreshold: optional(v.union([v.number(), v.tuple([v.number(), v.number()])])),
    lowQuality: optional(v.picklist(['own-best', 'selecting', 'none'])),
    minimumPositive: optional(v.number()),
    assignAll: optional(v.boolean()),
  }),
  v.strictObject({
    kind: v.literal('ssd'),
    metric,
    threshold: optional(v.number()),
    negativeThreshold: optional(v.number()),
    bipartite: optional(v.picklist(['sequential', 'global'])),
    minimumForced: optional(v.number()),
  }),
  v.strictObject({
    kind: v.literal('atss'),
    metric,
    topk: optional(atLeastOne),
    comparator: optional(v.picklist(['>=', '>'])),
    insideMargin: optional(v.number()),
    conflict: optional(v.picklist(['claimants', 'all'])),
  }),
  v.strictObject({
    kind: v.literal('fcos'),
    rule: optional(v.picklist(['torchvision', 'mmdetection'])),
    radius: optional(v.nullable(positive)),
    ranges: optional(v.array(v.tuple([v.number(), v.number()]))),
  }),
  v.strictObject({
    kind: v.literal('yolov5'),
    anchorRatio: optional(positive),
    neighbourOffset: optional(fraction),
  }),
  /** Reads predicted boxes where `predictionThreshold` is given. */
  v.strictObject({
    kind: v.literal('best-anchor'),
    shapeThreshold: optional(v.number()),
    predictionThreshold: optional(v.number()),
  }),
  v.strictObject({
    kind: v.literal('task-aligned'),
    metric,
    topk: optional(atLeastOne),
    alpha: optional(v.number()),
    beta: optional(v.number()),
    rule: optional(v.picklist(['ultralytics', 'mmyolo', 'mmdetection'])),
    insideMargin: optional(v.number()),
  }),
  v.strictObject({
    kind: v.literal('sim-ota'),
    metric,
    rule: optional(v.picklist(['yolox', 'mmdetection'])),
    radius: optional(positive),
    topk: optional(atLeastOne),
    classWeight: optional(v.number()),
    overlapWeight: optional(v.number()),
  }),
  v.strictObject({
    kind: v.literal('dynamic-soft-label'),
    metric,
    topk: optional(atLeastOne),
    softCenterRadius: optional(v.number()),
    overlapWeight: optional(v.number()),
  }),
  v.strictObject({
    kind: v.literal('uniform'),
    metric,
    matchTimes: optional(atLeastOne),
    positiveIgnore: optional(v.number()),
    negativeIgnore: optional(v.number()),
  }),
  v.strictObject({
    kind: v.literal('paa'),
    metric,
    positiveThreshold: optional(v.number()),
    negativeThreshold: optional(v.number()),
    topk: optional(atLeastOne),
    alpha: optional(fraction),
    gamma: optional(v.number()),
    boxWeight: optional(v.number()),
  }),
  v.strictObject({
    kind: v.literal('hungarian'),
    metric,
    classCost: optional(v.picklist(['softmax', 'focal'])),
    classWeight: optional(v.number()),
    boxWeight: optional(v.number()),
    overlapWeight: optional(v.number()),
    alpha: optional(v.number()),
    gamma: optional(v.number()),
    eps: optional(positive),
    /** Queries an object, where each is to have more than one. */
    k: optional(atLeastOne),
  }),
]);
