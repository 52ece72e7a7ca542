export { evaluateCoco } from './coco/evaluate.ts';
export type {
  CocoAnnotation,
  CocoClassResult,
  CocoDataset,
  CocoEvaluation,
  CocoOptions,
  CocoResult,
  EvaluationTensor,
} from './coco/types.ts';
