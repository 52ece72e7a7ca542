/** Everything `boxops eval` can say about a results file, as one object: what is printed, written and drawn. */
import {
  type CocoDataset,
  type CocoEvaluation,
  type CocoResult,
  type ConfidenceCurves,
  type ConfusionMatrix,
  confidenceCurves,
  confusionMatrix,
  type ErrorBreakdown,
  errorBreakdown,
  evaluateCoco,
  evaluateLrp,
  evaluateLvis,
  evaluateVoc,
  type LrpEvaluation,
  type LvisEvaluation,
  type VocClassResult,
  type VocEvaluation,
} from '../evaluation/index.ts';

export const protocols = ['coco', 'lvis', 'voc', 'voc07'] as const;
export type Protocol = (typeof protocols)[number];
export type EvaluationType = 'bbox' | 'segm' | 'keypoints';

/** What goes beyond the protocol's numbers; there for boxes and masks under COCO. */
export interface Analysis {
  readonly confidence: ConfidenceCurves;
  readonly confusion: ConfusionMatrix;
  readonly errors: ErrorBreakdown;
  readonly lrp: LrpEvaluation;
}

export interface Report {
  readonly protocol: Protocol;
  readonly type: EvaluationType;
  readonly stats: readonly number[];
  readonly statNames: readonly string[];
  /** Columns after the class's name, and a row a class. */
  readonly classHead: readonly string[];
  readonly classRows: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly perClass: readonly object[];
  /** The tensors of COCO and LVIS, which the curves are drawn from. */
  readonly curves?: CocoEvaluation;
  /** The curves of Pascal VOC. */
  readonly vocCurves?: readonly VocClassResult[];
  readonly analysis?: Analysis;
}

/** Runs a protocol; `analyse` adds what is slower. */
export function report(
  groundTruth: CocoDataset,
  detections: readonly CocoResult[],
  options: { readonly protocol: Protocol; readonly type: EvaluationType; readonly analyse: boolean },
): Report {
  const { analyse, protocol, type } = options;
  if (protocol === 'voc' || protocol === 'voc07') {
    const method = protocol === 'voc07' ? '11-point' : 'all-point';
    return {
      protocol,
      type,
      ...vocNumbers(evaluateVoc(groundTruth, detections, { method })),
    };
  }
  if (protocol === 'lvis') {
    const evaluation = evaluateLvis(groundTruth, detections, { type: type as 'bbox' });
    return { protocol, type, ...cocoNumbers(evaluation) };
  }
  const evaluation = evaluateCoco(groundTruth, detections, { type });
  const numbers = { protocol, type, ...cocoNumbers(evaluation) };
  if (!analyse || type === 'keypoints') return numbers;
  return {
    ...numbers,
    analysis: {
      confidence: confidenceCurves(groundTruth, detections, { type }),
      confusion: confusionMatrix(groundTruth, detections, { type }),
      errors: errorBreakdown(groundTruth, detections, { type }),
      lrp: evaluateLrp(groundTruth, detections, { type }),
    },
  };
}

type Numbers = Omit<Report, 'protocol' | 'type' | 'analysis'>;

function cocoNumbers(evaluation: CocoEvaluation | LvisEvaluation): Numbers {
  const { perClass, statNames, stats } = evaluation;
  return {
    stats,
    statNames,
    perClass,
    classHead: ['objects', 'AP', 'AP50', 'AP75', 'AR'],
    classRows: perClass.map(({ name, objects, ap, ap50, ap75, ar }) => ({
      name,
      values: [objects, ap, ap50, ap75, ar],
    })),
    curves: evaluation,
  };
}

function vocNumbers({ map, perClass }: VocEvaluation): Numbers {
  return {
    vocCurves: perClass,
    stats: [map],
    statNames: ['mAP'],
    classHead: ['objects', 'AP', 'found', 'false'],
    classRows: perClass.map(({ ap, falsePositives, name, objects, truePositives }) => ({
      name,
      values: [objects, ap, truePositives, falsePositives],
    })),
    perClass: perClass.map(({ precision, recall, scores, ...row }) => ({
      ...row,
      precision: [...precision],
      recall: [...recall],
      scores: [...scores],
    })),
  };
}

/** The report as plain data: arrays for typed arrays, nothing that JSON cannot hold (a number that is none is null). */
export function reportJson({ protocol, type, stats, statNames, perClass, curves, analysis }: Report): object {
  const head = { protocol, type, stats, statNames, perClass };
  const precisionRecall = curves === undefined ? {} : { precisionRecall: sampledCurves(curves) };
  if (analysis === undefined) return { ...head, ...precisionRecall };
  const { confidence, confusion, errors, lrp } = analysis;
  const { matrix, names, rows, size } = confusion;
  return {
    ...head,
    ...precisionRecall,
    confidence: {
      scores: confidence.scores,
      precision: [...confidence.mean.precision],
      recall: [...confidence.mean.recall],
      f1: [...confidence.mean.f1],
      operatingPoint: confidence.operatingPoint,
      perClass: confidence.perClass.map(({ atOperatingPoint, best, categoryId, name, objects }) => ({
        categoryId,
        name,
        objects,
        best,
        atOperatingPoint,
      })),
    },
    confusion: {
      names,
      rows,
      matrix: Array.from({ length: size }, (_, r) => [...matrix.subarray(r * size, (r + 1) * size)]),
    },
    errors,
    lrp,
  };
}

/** Mean precision at each recall, a row an IoU threshold. */
function sampledCurves({ iouThresholds, precision, recallThresholds }: CocoEvaluation): object {
  return {
    recall: recallThresholds,
    iou: iouThresholds,
    precision: iouThresholds.map((_, t) => recallThresholds.map((_, r) => meanPrecision(precision, t, r))),
  };
}

/** Mean over the classes with objects, all areas, most detections; −1 without any. */
export function meanPrecision({ data, dims }: CocoEvaluation['precision'], t: number, r: number): number {
  const [, R, K, A, M] = dims as [number, number, number, number, number];
  let [sum, classes] = [0, 0];
  for (let k = 0; k < K; k++) {
    const value = data[((t * R + r) * K + k) * A * M + M - 1]!;
    if (value < 0) continue;
    sum += value;
    classes++;
  }
  return classes === 0 ? -1 : sum / classes;
}
