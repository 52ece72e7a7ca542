/** What is asked of the kernels: options of a call as the words of `job`. */
import type { HeadName, HeadOptions } from '../../heads/types.ts';
import { type MetricWgsl, metricWgsl } from '../../iou/wgsl.ts';
import type { NmsOptions } from '../../nms/types.ts';
import { spreadOf, strained } from '../pack.ts';
import type { HeadPlan } from './heads.ts';
import { jobFields, metricSlots, recordLimit } from './shader-layout.ts';

/** What the CPU would be asked to do with the outputs. */
export interface ReduceRequest {
  readonly head: HeadName;
  readonly decoding: HeadOptions;
  readonly input: { readonly width: number; readonly height: number };
  readonly scoreThreshold: number;
  readonly multiLabel: boolean;
  readonly classes: readonly number[] | undefined;
  readonly nms: Omit<NmsOptions, 'classIds' | 'scoreThreshold'> | false;
}

const known = new Set([
  'metric',
  'iouThreshold',
  'scope',
  'maxCandidates',
  'maxDetections',
  'comparator',
  'pixelOffset',
  'preset',
]);

/** A similarity computed in float32 may be off by this much and no more; angles by WGSL's atan are looser. */
const slackOf = (metric: MetricWgsl): number => (metric.aTermCount + metric.bTermCount === 0 ? 2e-3 : 1e-2);

/** The values of `job` that do not depend on the image. */
export interface Job {
  readonly metric: MetricWgsl | null;
  readonly maxRecords: number;
  readonly allowed: readonly number[] | undefined;
  readonly values: Readonly<Partial<Record<(typeof jobFields)[number][0], number>>>;
}

/** The job of a plan under the options asked for, or why the CPU has to do it. */
export function describe(plan: HeadPlan, request: ReduceRequest): Job | string {
  const { nms } = request;
  const suppress = nms !== false && !plan.nmsFree;
  const everyClass = plan.family === 'logits' || (request.multiLabel && plan.family !== 'rows');
  const unlimited = 0xffffffff;
  let metric: MetricWgsl | null = null;
  let maxDetections = unlimited;
  if (suppress) {
    const foreign = Object.keys(nms).find((name) => !known.has(name));
    if (foreign !== undefined) return `there is no kernel for the option ${foreign}`;
    const { preset } = nms;
    try {
      metric = metricWgsl(nms.metric ?? 'iou', preset === undefined ? {} : { preset });
    } catch (error) {
      return `the metric has no WGSL: ${(error as Error).message}`;
    }
    if (spreadOf(metric) === 0) return strained;
    if (metric.values.length > metricSlots) return 'the metric has too many parameters';
    if (Number.isInteger(nms.maxDetections)) maxDetections = nms.maxDetections!;
  }
  // kept rows and the few in doubt
  const maxRecords = Math.min(recordLimit, maxDetections + 256);
  // where nothing is suppressed, a class left out changes no other: the CPU does it
  const allowed = suppress ? request.classes : undefined;
  const threshold = nms === false ? 0 : (nms.iouThreshold ?? 0.5);
  const candidates = nms === false ? unlimited : nms.maxCandidates;
  return {
    metric,
    maxRecords,
    allowed,
    values: {
      floor: orderOf(plan.family === 'logits' ? logitBelow(request.scoreThreshold) : request.scoreThreshold),
      everyClass: everyClass ? 1 : 0,
      filtered: allowed === undefined ? 0 : 1,
      suppress: suppress ? 1 : 0,
      maxCandidates: Number.isInteger(candidates) ? Math.min(candidates!, unlimited) : unlimited,
      maxDetections,
      maxRecords,
      classAware: nms !== false && nms.scope !== 'agnostic' ? 1 : 0,
      threshold,
      slack: (metric === null ? 0 : slackOf(metric)) * Math.max(1, Math.abs(threshold)),
      pixelOffset: nms === false ? 0 : (nms.pixelOffset ?? 0),
      width: request.input.width,
      height: request.input.height,
    },
  };
}

/** A logit below the one of a probability, by more than float32 and the sigmoid's rounding. */
function logitBelow(probability: number): number {
  return Math.log(probability / (1 - probability)) - 2e-3;
}

/** A float32 as the integer that has its place in their order. */
function orderOf(value: number): number {
  const bits = new Int32Array(Float32Array.of(value + 0).buffer)[0]!;
  return bits < 0 ? bits ^ 0x7fffffff : bits;
}

/** `job` as the kernels read it. */
export function jobWords(plan: HeadPlan, job: Job, image: number): Uint32Array<ArrayBuffer> {
  const { scores, boxes, extra, strides } = plan;
  const header = jobFields.length + 4 + metricSlots;
  const words = new Uint32Array(header + Math.ceil(plan.classes / 32));
  const floats = new Float32Array(words.buffer);
  const values: Job['values'] = {
    ...job.values,
    rows: plan.rows,
    classes: plan.classes,
    scoreBase: image * scores.imageStep,
    scoreRow: scores.rowStep,
    scoreColumn: scores.columnStep,
    firstClass: plan.firstClass,
    aux: plan.aux ?? 0xffffffff,
    boxBase: image * boxes.imageStep,
    boxRow: boxes.rowStep,
    boxColumn: boxes.columnStep,
    extraFrom: extra.from,
    extraCount: extra.count,
    levels: strides.length,
  };
  jobFields.forEach(([name, type], k) => {
    if (type === 'f32') floats[k] = values[name] ?? 0;
    else words[k] = values[name] ?? 0;
  });
  words.set(strides, jobFields.length);
  floats.set(job.metric?.values ?? [], jobFields.length + 4);
  for (const id of job.allowed ?? []) if (id < plan.classes) words[header + (id >>> 5)]! |= 1 << (id & 31);
  return words;
}
