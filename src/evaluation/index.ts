export type { Assignment } from './assign.ts';
export { type AveragePrecisionMethod, averagePrecision } from './average-precision.ts';
export { evaluateCoco } from './coco/evaluate.ts';
export {
  type ConfidenceClass,
  type ConfidenceCurves,
  type ConfidenceOptions,
  confidenceCurves,
  type OperatingPoint,
} from './confidence-curves.ts';
export { type ConfusionMatrix, type ConfusionOptions, confusionMatrix } from './confusion.ts';
export {
  type ErrorBreakdown,
  type ErrorBreakdownOptions,
  type ErrorType,
  errorBreakdown,
  errorTypes,
} from './error-breakdown.ts';
export {
  evaluateLrp,
  type LrpClassResult,
  type LrpEvaluation,
  type LrpNumbers,
  type LrpOptions,
} from './lrp.ts';
export { evaluateLvis, type LvisClassResult, type LvisEvaluation, type LvisOptions } from './lvis.ts';
export {
  type EqualError,
  equalErrorRate,
  type RocCurve,
  type RocOptions,
  rocAuc,
  rocCurve,
  trueAcceptanceRates,
} from './recognition/roc.ts';
export {
  pairDistances,
  type Verification,
  type VerificationOptions,
  verificationAccuracy,
} from './recognition/verification.ts';
export type {
  CocoAnnotation,
  CocoClassResult,
  CocoDataset,
  CocoEvaluation,
  CocoOptions,
  CocoResult,
  EvaluationTensor,
} from './types.ts';
export {
  evaluateVoc,
  type VocClassResult,
  type VocEvaluation,
  type VocOptions,
} from './voc.ts';
