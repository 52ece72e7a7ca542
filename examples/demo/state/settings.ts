/** What the controls set. The first group goes into every `detect` call, so a change costs no reload. */
import type { DetectOptions, ExecutionProvider } from '../../../src/detector/types.ts';
import { createStore } from './store.ts';

export type DemoMetric = 'iou' | 'giou' | 'diou' | 'ciou';

export interface Settings {
  readonly scoreThreshold: number;
  readonly iouThreshold: number;
  readonly metric: DemoMetric;
  readonly classAware: boolean;
  /** Draws the known boxes of the clip, dashed. */
  readonly showTruth: boolean;
  /** Shows each picture with its own boxes; otherwise the newest picture at once, boxes following. */
  readonly synced: boolean;
  readonly provider: ExecutionProvider;
}

export const defaults: Settings = {
  scoreThreshold: 0.25,
  iouThreshold: 0.5,
  metric: 'iou',
  classAware: true,
  showTruth: false,
  synced: true,
  provider: 'wasm',
};

export const settings = createStore<Settings>(defaults);

/** The run-time options of the next `detect`. */
export function detectOptions(now: Settings): DetectOptions {
  return {
    scoreThreshold: now.scoreThreshold,
    clip: true,
    nms: {
      metric: now.metric,
      iouThreshold: now.iouThreshold,
      scope: now.classAware ? 'class' : 'agnostic',
      maxDetections: 300,
    },
  };
}
