/** Rules for models that suppress inside: TensorFlow, torchvision, EfficientNMS, mmdeploy, PaddleDetection. */
import { preprocessingPresets as presets } from '../preprocessing.ts';
import { type Facts, hasOp, type OutputFacts, show } from './facts.ts';
import { candidate, type Match, type Rule, score } from './rule.ts';

const isInteger = ({ type }: OutputFacts) => /^u?int(8|16|32|64)$/.test(type);

export const postNmsRule: Rule = (facts) => {
  const { outputs } = facts;
  const match = tensorflow(outputs) ?? torchvision(outputs) ?? mmdeploy(outputs) ?? paddle(outputs);
  if (match === null) return [];
  const listed = outputs.map(({ name, dims }) => `${name} ${show(dims)}`).join(', ');
  return [
    candidate(facts, {
      ...match,
      classCount: null,
      reasons: [`outputs ${listed}: detections after NMS`, ...match.reasons],
    }),
  ];
};

type Partial = Omit<Match, 'classCount'>;

/** Boxes `[N, R, 4]`, two `[N, R]` and a count. */
function tensorflow(outputs: Facts['outputs']): Partial | null {
  const boxes = outputs.find(({ dims }) => dims.length === 3 && dims[2] === 4);
  if (boxes === undefined || outputs.length < 4) return null;
  const rows = boxes.dims[1];
  const columns = outputs.filter(({ dims }) => dims.length === 2 && dims[1] === rows && rows !== 1);
  const count = outputs.find(({ dims }) => dims.length === 1 || (dims.length === 2 && dims[1] === 1));
  if (columns.length < 2 || count === undefined) return null;
  if (columns.some(isInteger) && isInteger(count)) {
    const reasons = ['integer classes and count: EfficientNMS, boxes in pixels'];
    return {
      head: 'efficient-nms',
      family: 'EfficientNMS',
      score: score.likely,
      reasons,
      convention: presets.ultralytics,
    };
  }
  const reasons = ['classes and count as numbers: TensorFlow, boxes normalised y1, x1, y2, x2'];
  return {
    head: 'tf-detections',
    family: 'TensorFlow detection API',
    score: score.likely,
    reasons,
    convention: presets.raw,
  };
}

/** Boxes `[R, 4]`, integer labels `[R]`, scores `[R]`. */
function torchvision(outputs: Facts['outputs']): Partial | null {
  const boxes = outputs.find(({ dims }) => dims.length === 2 && dims[1] === 4);
  const labels = outputs.find((output) => output.dims.length === 1 && isInteger(output));
  const scores = outputs.find((output) => output.dims.length === 1 && !isInteger(output));
  if (boxes === undefined || labels === undefined || scores === undefined) return null;
  const suppressed = hasOp(boxes.tail, 'NonMaxSuppression');
  return {
    head: 'torchvision',
    family: 'torchvision detection',
    score: suppressed ? score.read : score.likely,
    reasons: suppressed ? ['NonMaxSuppression in the graph'] : ['boxes, labels and scores of one picture'],
    convention: presets.torchvision,
  };
}

/** Rows `[N, R, 5]` and integer labels `[N, R]`; instance segmentation adds masks. */
function mmdeploy(outputs: Facts['outputs']): Partial | null {
  const table = outputs.find(({ dims }) => dims.length === 3 && dims[2] === 5);
  const labels = outputs.find((output) => output.dims.length === 2 && isInteger(output));
  if (table === undefined || labels === undefined || outputs.length > 3) return null;
  if (labels.dims[1] !== table.dims[1]) return null;
  return {
    head: 'mmdeploy',
    family: 'mmdetection (mmdeploy)',
    score: score.likely,
    reasons: [
      'rows of box and score, and labels: mmdeploy, boxes in pixels',
      "mmdeploy keeps the picture's conventions in pipeline.json: taken to be mmdetection's usual ones",
    ],
    convention: presets.mmdetection,
    alternatives: [presets.yolox],
  };
}

/** Rows `[R, 6]` and a count a picture; instance segmentation adds masks. */
function paddle(outputs: Facts['outputs']): Partial | null {
  const table = outputs.find(({ dims }) => dims.length === 2 && dims[1] === 6);
  const count = outputs.find((output) => output.dims.length === 1 && isInteger(output));
  if (table === undefined || count === undefined || outputs.length > 3) return null;
  return {
    head: 'paddle-detection',
    family: 'PaddleDetection',
    score: score.likely,
    reasons: [
      'rows of class, score and box, and a count: PaddleDetection',
      "PaddleDetection keeps the picture's conventions in infer_cfg.yml: PP-YOLOE+ wants RGB / 255 without mean",
    ],
    convention: presets.imagenet,
    alternatives: [presets.raw],
  };
}
