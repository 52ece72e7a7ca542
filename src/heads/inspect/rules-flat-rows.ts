/**
 * Rules for rows of seven numbers from models that suppress inside. YOLOv7 and YOLO-NAS both give `[R, 7]` of image and box, one
 * with the class before the score, the other after it; the columns the graph joins at its end tell which.
 */
import type { OnnxNode } from '../onnx/model.ts';
import { preprocessingPresets as presets } from '../preprocessing.ts';
import { type Facts, hasOp, type OutputFacts, show, turnsBoxes } from './facts.ts';
import { candidate, type Match, type Rule, score } from './rule.ts';

/** One table `[R, 7]` of all pictures. */
export const flatRowsRule: Rule = (facts) => {
  const [output] = facts.outputs;
  if (facts.outputs.length !== 1 || output!.dims.length !== 2 || output!.dims[1] !== 7) return [];
  const classLast = isClassLast(facts, output!) ?? (/flat_predictions/.test(output!.name) ? true : null);
  const suppressed = hasOp(output!.tail, 'NonMaxSuppression');
  const how = suppressed ? 'NonMaxSuppression in the graph' : 'seven columns of image, box, class and score';
  const points = classLast !== null ? score.read : suppressed ? score.likely : score.dims;
  const match = (head: Match['head'], family: string, points: number, order: string) =>
    candidate(facts, {
      head,
      family,
      score: points,
      reasons: [`output ${output!.name} ${show(output!.dims)}: detections after NMS`, how, order],
      classCount: null,
      convention: presets.ultralytics,
    });
  const nas = (points: number) =>
    match('yolo-nas-flat', 'YOLO-NAS (flat)', points, 'the class after the score, as YOLO-NAS joins them');
  if (classLast === true) return [nas(points)];
  const order = 'the class before the score, as YOLOv6 and YOLOv7 join them';
  const yolov7 = match('yolov7-end-to-end', 'YOLOv7 end-to-end', points, order);
  return classLast === null ? [yolov7, nas(score.weak)] : [yolov7];
};

/** AutoML's EfficientDet, `[N, R, 7]` of image id, box, score and class; the oriented rows of YOLO26 are turned. */
export const efficientDetRowsRule: Rule = (facts) => {
  const [output] = facts.outputs;
  const { metadata, image } = facts;
  if (facts.outputs.length !== 1 || output!.dims.length !== 3 || output!.dims[2] !== 7) return [];
  const { tail, dims, name } = output!;
  const turned = metadata.task !== undefined || turnsBoxes(tail);
  const rows = dims[1] ?? null;
  if (turned || metadata.end2end !== undefined || (rows !== null && rows > 1000)) return [];
  const selected = hasOp(tail, 'TopK', 'NonMaxSuppression');
  const channelsLast = image?.layout === 'nhwc';
  if (!selected && !channelsLast) return [];
  return [
    candidate(facts, {
      head: 'efficientdet-rows',
      family: 'EfficientDet (AutoML)',
      score: selected && channelsLast ? score.read : score.likely,
      reasons: [
        `output ${name} is ${show(dims)}: rows of image id, box, score and class`,
        selected
          ? 'the graph selects the rows itself (TopK or NonMaxSuppression) and turns no box'
          : 'channels last, as TensorFlow has them',
      ],
      classCount: null,
      convention: presets.raw,
    }),
  ];
};

/** Whether the last column was made from integers and the one before it was not; null where the graph does not show it. */
function isClassLast({ graph }: Facts, { name }: OutputFacts): boolean | null {
  let node = graph.producers.get(name);
  while (node?.op === 'Identity' || node?.op === 'Cast') node = graph.producers.get(node.inputs[0] ?? '');
  if (node?.op !== 'Concat' || node.inputs.length < 3) return null;
  const [beforeLast, last] = node.inputs.slice(-2).map((input) => isCast(graph.producers, input));
  return beforeLast === last ? null : last!;
}

/** Whether a column is a cast of integers: a Cast comes before anything else that computes or picks. */
function isCast(producers: ReadonlyMap<string, OnnxNode>, column: string): boolean {
  let node = producers.get(column);
  for (let depth = 0; depth < 8 && /^(Unsqueeze|Squeeze|Reshape|Identity)$/.test(node?.op ?? ''); depth++)
    node = producers.get(node!.inputs[0] ?? '');
  return node?.op === 'Cast';
}
