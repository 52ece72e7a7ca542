/**
 * Configurations of common detectors, as their reference training codes have them.
 *
 * `retinanet`, `faster-rcnn-rpn`, `ssd300` and `fcos` are torchvision's, `atss` mmdetection's, `yolov5` Ultralytics';
 * `yolov8`, `yolox` and `detr` match by what the network predicts.
 */
import { pyramidStrides } from '../anchors/grid.ts';
import { retinaNetSizes } from '../anchors/torchvision.ts';

/** The reference codes leave crowd regions out of the annotations. */
const regions = { mode: 'drop' };
const letterbox640 = { fit: 'letterbox', width: 640, height: 640 };

export const presets = {
  retinanet: {
    input: { fit: 'shortest-edge', shortest: 800, longest: 1333, multiple: 32 },
    priors: { kind: 'torchvision', strides: pyramidStrides, sizes: pyramidStrides.map(retinaNetSizes) },
    matcher: { kind: 'max-iou', positiveThreshold: 0.5, negativeThreshold: 0.4, lowQuality: 'own-best' },
    coder: { kind: 'delta' },
    regions,
  },
  'faster-rcnn-rpn': {
    input: { fit: 'shortest-edge', shortest: 800, longest: 1333, multiple: 32 },
    priors: {
      kind: 'torchvision',
      strides: [4, 8, 16, 32, 64],
      sizes: [[32], [64], [128], [256], [512]],
    },
    matcher: { kind: 'max-iou', positiveThreshold: 0.7, negativeThreshold: 0.3, lowQuality: 'own-best' },
    coder: { kind: 'delta' },
    sampler: { kind: 'random', count: 256, positiveFraction: 0.5 },
    regions,
  },
  ssd300: {
    input: { fit: 'stretch', width: 300, height: 300 },
    priors: { kind: 'ssd300' },
    matcher: { kind: 'ssd', threshold: 0.5, bipartite: 'sequential' },
    coder: { kind: 'delta', std: [0.1, 0.1, 0.2, 0.2] },
    regions,
  },
  fcos: {
    input: { fit: 'shortest-edge', shortest: 800, longest: 1333, multiple: 32 },
    priors: {
      kind: 'torchvision',
      strides: pyramidStrides,
      sizes: pyramidStrides.map((stride) => [stride]),
      aspectRatios: [1],
    },
    matcher: { kind: 'fcos', rule: 'torchvision', radius: 1.5 },
    coder: { kind: 'distance', normalise: true },
    regions,
  },
  atss: {
    input: { fit: 'shortest-edge', shortest: 800, longest: 1333, multiple: 32 },
    priors: { kind: 'mmdetection', strides: pyramidStrides, ratios: [1], scales: [8] },
    matcher: { kind: 'atss', topk: 9 },
    coder: { kind: 'delta', std: [0.1, 0.1, 0.2, 0.2] },
    regions,
  },
  yolov5: {
    input: letterbox640,
    priors: { kind: 'yolo' },
    matcher: { kind: 'yolov5', anchorRatio: 4 },
    coder: { kind: 'yolov5' },
    regions,
  },
  yolov8: {
    input: letterbox640,
    priors: { kind: 'points', strides: [8, 16, 32] },
    matcher: { kind: 'task-aligned', topk: 10, alpha: 0.5, beta: 6 },
    coder: { kind: 'distance', normalise: true, maximum: 14.99 },
    regions,
  },
  yolox: {
    input: { ...letterbox640, align: 'top-left' },
    // matched about the middle of cells, coded from their corners
    priors: { kind: 'points', strides: [8, 16, 32] },
    matcher: { kind: 'sim-ota' },
    coder: { kind: 'yolox' },
    regions,
  },
  detr: {
    input: { fit: 'shortest-edge', shortest: 800, longest: 1333 },
    priors: { kind: 'queries' },
    matcher: { kind: 'hungarian', classCost: 'softmax', classWeight: 1, boxWeight: 5, overlapWeight: 2 },
    coder: { kind: 'cxcywh' },
    regions,
  },
} as const;

/** Names that `preset` of a configuration takes. */
export type TargetPreset = keyof typeof presets;

export const presetNames = Object.keys(presets) as readonly TargetPreset[];
