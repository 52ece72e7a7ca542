/**
 * What `boxops targets` is told: the network's input, its priors, who matches them, how boxes are coded, who is sampled.
 *
 * A configuration names a preset, or every part; parts that are given replace the preset's of the same kind, option by
 * option.
 */
import * as v from 'valibot';
import { OptionError } from '../errors.ts';
import { atLeastOne, fraction, matcher, positive } from './matcher-config.ts';
import { presets, type TargetPreset } from './presets.ts';

const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000));
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const four = v.tuple([v.number(), v.number(), v.number(), v.number()]);
const lists = v.array(v.array(positive));
const optional = v.optional;

/** How an image comes into the network's input. */
const input = v.variant('fit', [
  /** Proportions kept, padding on both sides, or right and below (`align: top-left`: YOLOX). */
  v.strictObject({
    fit: v.literal('letterbox'),
    width: side,
    height: side,
    align: optional(v.picklist(['center', 'top-left'])),
  }),
  /** Each axis by its own scale. */
  v.strictObject({ fit: v.literal('stretch'), width: side, height: side }),
  /** Proportions kept, the shorter side this long unless the longer gets too long; padding right and below. */
  v.strictObject({
    fit: v.literal('shortest-edge'),
    shortest: side,
    longest: side,
    multiple: optional(side),
  }),
]);

const priors = v.variant('kind', [
  v.strictObject({
    kind: v.literal('torchvision'),
    strides: v.array(positive),
    sizes: lists,
    aspectRatios: optional(v.union([v.array(positive), lists])),
  }),
  v.strictObject({
    kind: v.literal('detectron2'),
    strides: v.array(positive),
    sizes: v.union([v.array(positive), lists]),
    aspectRatios: optional(v.union([v.array(positive), lists])),
    offset: optional(v.number()),
  }),
  v.strictObject({
    kind: v.literal('mmdetection'),
    strides: v.array(positive),
    ratios: v.array(positive),
    scales: optional(v.array(positive)),
    octaveBaseScale: optional(positive),
    scalesPerOctave: optional(atLeastOne),
    baseSizes: optional(v.array(positive)),
    centerOffset: optional(v.number()),
    scaleMajor: optional(v.boolean()),
  }),
  v.strictObject({
    kind: v.literal('mmdetection-ssd'),
    inputSize: side,
    strides: v.array(positive),
    ratios: lists,
    basesizeRatioRange: optional(v.tuple([fraction, fraction])),
    minSizes: optional(v.array(positive)),
    maxSizes: optional(v.array(positive)),
  }),
  v.strictObject({
    kind: v.literal('efficientdet'),
    strides: optional(v.array(positive)),
    scalesPerOctave: optional(atLeastOne),
    aspectRatios: optional(v.array(v.tuple([positive, positive]))),
    anchorScale: optional(positive),
  }),
  v.strictObject({ kind: v.literal('retinaface') }),
  v.strictObject({ kind: v.literal('ultraface') }),
  v.strictObject({ kind: v.literal('ssd300') }),
  v.strictObject({
    kind: v.literal('ssd'),
    aspectRatios: lists,
    steps: v.array(positive),
    scales: optional(v.array(positive)),
    minRatio: optional(positive),
    maxRatio: optional(positive),
    clip: optional(v.boolean()),
  }),
  v.strictObject({ kind: v.literal('yolo'), sizes: optional(lists), strides: optional(v.array(positive)) }),
  v.strictObject({
    kind: v.literal('points'),
    strides: v.array(positive),
    offset: optional(v.number()),
    perCell: optional(atLeastOne),
    scale: optional(positive),
  }),
  /** The predictions themselves (DETR's queries). */
  v.strictObject({ kind: v.literal('queries') }),
]);

const coder = v.variant('kind', [
  v.strictObject({ kind: v.literal('delta'), std: optional(four), mean: optional(four) }),
  v.strictObject({
    kind: v.literal('distance'),
    normalise: optional(v.boolean()),
    maximum: optional(positive),
  }),
  /** Centre in cells from the prior's cell, size in cells (YOLOv5's tbox). */
  v.strictObject({ kind: v.literal('yolov5') }),
  /** Centre within the prior's cell, from 0 to 1, logarithm of the size in priors (YOLOv2 to v4). */
  v.strictObject({ kind: v.literal('yolov3') }),
  /** Centre in strides from the point, logarithm of the size in strides. */
  v.strictObject({ kind: v.literal('yolox') }),
  /** cx, cy, w, h in units of the input (DETR). */
  v.strictObject({ kind: v.literal('cxcywh') }),
  /** The matched box itself, xyxy in pixels of the input. */
  v.strictObject({ kind: v.literal('none') }),
]);

const sampler = v.variant('kind', [
  /** Every prior counts. */
  v.strictObject({ kind: v.literal('none') }),
  /** `count` priors an image, at most `positiveFraction` of them positive, chosen at random. */
  v.strictObject({ kind: v.literal('random'), count: atLeastOne, positiveFraction: fraction }),
]);

/** What is done with crowd regions and objects marked difficult. */
const regions = v.strictObject({
  /** `'ignore'`: priors over them are ignored. `'drop'`: as if they were not annotated. */
  mode: v.picklist(['ignore', 'drop']),
  /** Part of a prior that must lie in the region. */
  threshold: optional(fraction),
  /** Whether an image without objects has ignored priors, too. Default true; mmdetection: false. */
  withoutObjects: optional(v.boolean()),
});

const complete = v.strictObject({ input, priors, matcher, coder, sampler, regions, seed: whole });

/** A configuration with every part settled. */
export type TargetConfig = v.InferOutput<typeof complete>;

const overrides = v.strictObject({
  preset: optional(v.picklist(Object.keys(presets) as TargetPreset[])),
  input: optional(v.record(v.string(), v.unknown())),
  priors: optional(v.record(v.string(), v.unknown())),
  matcher: optional(v.record(v.string(), v.unknown())),
  coder: optional(v.record(v.string(), v.unknown())),
  sampler: optional(v.record(v.string(), v.unknown())),
  regions: optional(v.record(v.string(), v.unknown())),
  seed: optional(whole),
});

/** What a configuration file may hold. */
export type TargetConfigInput = v.InferInput<typeof overrides>;

function check<T>(schema: v.GenericSchema<unknown, T>, value: unknown, name: string): T {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issues = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'configuration'}: ${explain(issue)}`);
  throw new OptionError(`${name}: ${issues.join('; ')}`, { issues });
}

/** What is wrong at an issue's place, and what could stand there. */
function explain(issue: v.BaseIssue<unknown>): string {
  if (issue.type !== 'strict_object' || issue.kind !== 'schema') return issue.message;
  const path = issue.path ?? [];
  if (issue.expected === 'never') return `there is no such key; expected ${keysBeside(path).join(', ')}`;
  if (issue.received !== 'undefined') return issue.message;
  return path.length === 1 ? 'is missing: name a preset, or give every part' : 'is missing';
}

/** Keys that may stand where a path ends. */
function keysBeside(path: readonly v.IssuePathItem[]): readonly string[] {
  if (path.length < 2) return Object.keys(overrides.entries);
  const part = complete.entries[path[0]!.key as keyof typeof complete.entries];
  if (!('options' in part)) return 'entries' in part ? Object.keys(part.entries) : [];
  const kind = (path[1]!.input as Readonly<Record<string, unknown>>)[part.key];
  const own = part.options.find(
    ({ entries }) =>
      (entries as Record<string, unknown>)[part.key] !== undefined &&
      (entries as unknown as Record<string, { literal: unknown }>)[part.key]!.literal === kind,
  );
  return own === undefined ? [] : Object.keys(own.entries);
}

/**
 * The full configuration of a file's content. Throws {@link OptionError} naming every key that is wrong.
 *
 * @example
 * targetConfig({ preset: 'retinanet', input: { width: 512, height: 512 }, matcher: { metric: 'giou' } });
 */
export function targetConfig(value: unknown, name = 'configuration'): TargetConfig {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const got = Array.isArray(value) ? 'a list' : value == null ? 'nothing' : JSON.stringify(value);
    throw new OptionError(`${name}: expected keys and values (preset, input, priors, …), got ${got}`);
  }
  const given = check(overrides, value, name);
  const { preset, ...parts } = given;
  const base: Readonly<Record<string, unknown>> = preset === undefined ? {} : presets[preset];
  const merged: Record<string, unknown> = {
    sampler: { kind: 'none' },
    regions: { mode: 'ignore', threshold: 0.5 },
    seed: 0,
    ...base,
  };
  for (const [key, part] of Object.entries(parts)) {
    merged[key] = typeof part === 'object' ? mergePart(merged[key], part) : part;
  }
  return check(complete, merged, name);
}

/** Options over those of the preset; another kind (or fit) starts anew. */
function mergePart(base: unknown, part: Record<string, unknown>): Record<string, unknown> {
  const from = (base ?? {}) as Record<string, unknown>;
  const replaced =
    (part.kind !== undefined && part.kind !== from.kind) || (part.fit !== undefined && part.fit !== from.fit);
  return replaced ? part : { ...from, ...part };
}
