export { type AdaptiveNmsOptions, adaptiveNms } from './adaptive-nms.ts';
export { type BatchSuppression, nmsBatch } from './batch.ts';
export { type BoxVotingOptions, boxVoting, type ScoreVotingOptions, scoreVoting } from './box-voting.ts';
export { nmsBySimilarity, type SimilarityNmsOptions } from './by-similarity.ts';
export { type ClusterNmsOptions, clusterNms } from './cluster-nms.ts';
export { fastNms } from './fast-nms.ts';
export type { Fusion, FusionOptions, ModelBoxes } from './fusion.ts';
export { type MaskNmsOptions, maskNms } from './mask-nms.ts';
export { type MatrixNmsOptions, matrixNms } from './matrix-nms.ts';
export {
  type LabelledRows,
  type MultiLabelOptions,
  multiLabelCandidates,
  multiLabelNms,
} from './multi-label.ts';
export { nms } from './nms.ts';
export { type MergeResult, type NonMaximumMergeOptions, nonMaximumMerge } from './non-maximum-merge.ts';
export { nonMaximumWeighted } from './non-maximum-weighted.ts';
export { type OksNmsOptions, oksNms } from './oks-nms.ts';
export { type OnnxNmsOptions, onnxNms } from './onnx-nms.ts';
export { type RotatedNmsOptions, rotatedNms } from './rotated-nms.ts';
export { type SoftNmsOptions, softNms } from './soft-nms.ts';
export { type SofterNmsOptions, softerNms } from './softer-nms.ts';
export type { MovingSuppression, NmsOptions, RankedOptions, ScoreArray, Suppression } from './types.ts';
export { type WeightedBoxesFusionOptions, weightedBoxesFusion } from './weighted-boxes-fusion.ts';
export { type WeightedNmsOptions, type WeightedSuppression, weightedNms } from './weighted-nms.ts';
