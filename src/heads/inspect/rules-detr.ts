/**
 * Rules for the DETR family: raw logits and boxes, or labels, boxes and scores decoded in the graph.
 *
 * Sigmoid or softmax is read from the graph's own post-processing where it has one, else from the bias of the
 * classifier: focal training starts it near −4.6 for every class, softmax training leaves "no object" highest.
 */
import { constantValues } from '../onnx/graph.ts';
import { preprocessingPresets as presets } from '../preprocessing.ts';
import { type Facts, hasOp, type OutputFacts, show } from './facts.ts';
import { candidate, type Match, type Rule, score } from './rule.ts';

const isInteger = (output: OutputFacts) => /^u?int(32|64)$/.test(output.type);

/** Integer labels `[N, R]`, scores `[N, R]`, boxes `[N, R, 4]`. */
export const detrDecodedRule: Rule = (facts) => {
  const labels = facts.outputs.find((output) => output.dims.length === 2 && isInteger(output));
  const scores = facts.outputs.find((output) => output.dims.length === 2 && !isInteger(output));
  const boxes = facts.outputs.find((output) => output.dims.length === 3 && output.dims[2] === 4);
  if (labels === undefined || scores === undefined || boxes === undefined) return [];
  // a count beside them belongs to EfficientNMS
  if (facts.outputs.filter(({ dims }) => dims.length === 2).length > 2) return [];
  const sizes = facts.otherInputs.filter((input) => /^int(32|64)$/.test(input.type));
  const reasons = [
    `outputs ${labels.name} ${show(labels.dims)} ${labels.type}, ${boxes.name} ${show(boxes.dims)}, ` +
      `${scores.name} ${show(scores.dims)}: decoded detections`,
  ];
  let points: number = score.likely;
  if (sizes.length > 0) {
    points = score.read;
    const names = sizes.map((input) => input.name).join(', ');
    reasons.push(`input ${names} takes the (width, height) that boxes are scaled to`);
  } else if (hasOp(scores.tail, 'TopK')) points = score.read - 0.02;
  const classCount = classesOfTopK(facts, labels);
  const match: Match = {
    head: 'detr-decoded',
    family: 'DETR family (decoded)',
    // raw logits beside the decoded rows say more, and are preferred
    score: points - (rawPair(facts) === null ? 0 : 0.25),
    reasons,
    classCount,
    convention: presets.detr,
  };
  return [candidate(facts, match)];
};

/** Class logits `[N, Q, C]` and boxes `[N, Q, 4]`. */
export const detrRawRule: Rule = (facts) => {
  const pair = rawPair(facts);
  if (pair === null) return [];
  const { logits, boxes } = pair;
  const columns = logits.dims[2] ?? null;
  const dims = `outputs ${logits.name} ${show(logits.dims)} and ${boxes.name} ${show(boxes.dims)}: queries`;
  const roboflow = logits.name === 'labels' && boxes.name === 'dets';
  const verdict = roboflow
    ? { sigmoid: true, reason: "RF-DETR's export names them so: sigmoid over classes" }
    : activation(facts, logits);
  const masks = facts.outputs.find(
    (output) => output.dims.length === 4 && masksOfQueries(output, logits.dims[1] ?? null),
  );
  const sigmoid: Match = {
    ...(masks === undefined
      ? { head: 'detr', family: 'DETR family (sigmoid)' }
      : { head: 'detr-seg', family: 'RF-DETR-seg/D-FINE-seg' }),
    score: verdict === null ? score.dims : verdict.sigmoid ? score.read : 0.1,
    reasons: [
      dims,
      verdict?.reason ?? 'sigmoid over classes, as RT-DETR, D-FINE and DEIM score',
      ...(masks === undefined ? [] : [`output ${masks.name} ${show(masks.dims)}: a mask a query`]),
    ],
    classCount: columns,
    convention: roboflow ? presets.imagenet : presets.detr,
  };
  const softmax: Match = {
    head: 'detr-softmax',
    family: 'DETR (softmax)',
    score: verdict === null ? score.dims : verdict.sigmoid ? 0.1 : score.read,
    reasons: [dims, verdict?.reason ?? 'softmax with a last class "no object", as DETR scores'],
    classCount: columns === null ? null : columns - 1,
    convention: presets.detrImagenet,
  };
  return [sigmoid, softmax].filter((match) => match.score > 0.1).map((match) => candidate(facts, match));
};

/** As many planes as queries, or open dims and the name. Planes of a few numbers are keypoints (RF-DETR's `keypoints`). */
function masksOfQueries({ name, dims }: OutputFacts, queries: number | null): boolean {
  const [, planes = null, height, width] = dims;
  if ((height ?? 16) < 16 || (width ?? 16) < 16) return false;
  return planes === null || queries === null ? /mask/i.test(name) : planes === queries;
}

/** Two rank-3 outputs with as many rows, the boxes of 4 columns. */
function rawPair({ outputs }: Facts): { logits: OutputFacts; boxes: OutputFacts } | null {
  for (const boxes of outputs) {
    if (boxes.dims.length !== 3 || boxes.dims[2] !== 4) continue;
    const logits = outputs.find(
      (other) =>
        other !== boxes &&
        other.dims.length === 3 &&
        other.dims[1] === boxes.dims[1] &&
        (other.dims[2] ?? 0) >= 2 &&
        !isInteger(other) &&
        // queries are few; SSD-like heads have thousands of priors
        (other.dims[1] ?? 300) <= 1000 &&
        outputs.length <= 5,
    );
    if (logits !== undefined) return { logits, boxes };
  }
  return null;
}

function activation(facts: Facts, logits: OutputFacts): { sigmoid: boolean; reason: string } | null {
  const { consumers } = facts.graph;
  const next = (consumers.get(logits.name) ?? []).map((node) => node.op);
  if (next.includes('Sigmoid'))
    return { sigmoid: true, reason: 'the graph itself scores these logits by sigmoid' };
  if (next.includes('Softmax'))
    return { sigmoid: false, reason: 'the graph itself scores these logits by softmax' };
  const columns = logits.dims[2];
  const bias = logits.tail.layers.find((layer) => layer.channels === columns && layer.bias !== null)?.bias;
  if (bias == null || bias.length < 2) return null;
  const mean = bias.reduce((sum, value) => sum + value, 0) / bias.length;
  const last = bias.at(-1)!;
  if (bias.every((value) => value < 0) && mean < -1.5) {
    return {
      sigmoid: true,
      reason: `classifier biases average ${mean.toFixed(1)}: trained with a focal sigmoid loss`,
    };
  }
  if (bias.slice(0, -1).every((value) => value < last)) {
    return {
      sigmoid: false,
      reason: 'the last classifier bias is the highest: a "no object" class, so softmax',
    };
  }
  return null;
}

/** C where labels are the top-k index modulo C. */
function classesOfTopK({ graph }: Facts, labels: OutputFacts): number | null {
  let name = labels.name;
  for (let depth = 0; depth < 6; depth++) {
    const node = graph.producers.get(name);
    if (node === undefined) return null;
    for (const input of node.inputs) {
      if (!graph.constants.has(input)) continue;
      const values = constantValues(graph, input, 1);
      const whole = graph.shapes.get(input)?.length === 0 && values !== null ? values[0]! : 0;
      if (/^(Mod|Div|Mul)$/.test(node.op) && Number.isInteger(whole) && whole >= 2) return whole;
    }
    const data = node.inputs.filter((input) => !graph.constants.has(input));
    name = data.at(-1) ?? '';
  }
  return null;
}
