/**
 * `inspectModel`: which head reads a model, and how its pictures are prepared, from the bytes of the ONNX file alone.
 *
 * Every rule looks at the same facts and proposes candidates with reasons. The best one wins if nothing else comes
 * near; otherwise the answer is `ambiguous`, never a guess.
 */
import { BoxopsError } from '../../errors.ts';
import { cocoCategoryNames, cocoClassNames } from '../coco-classes.ts';
import { type OnnxModel, readOnnx, type ValueInfo } from '../onnx/model.ts';
import { modelError } from '../onnx/wire.ts';
import { readClassNames } from './class-names.ts';
import { collectFacts, type Facts, show } from './facts.ts';
import { score } from './rule.ts';
import { detrDecodedRule, detrRawRule } from './rules-detr.ts';
import { dualRule } from './rules-dual.ts';
import { blazeFaceRule, centerFaceRule, faceLevelRule, retinaFaceRule } from './rules-faces.ts';
import { efficientDetRowsRule, flatRowsRule } from './rules-flat-rows.ts';
import { columnRule, endToEndRule, rowRule } from './rules-grid.ts';
import { landmarkRule } from './rules-landmarks.ts';
import {
  anchorLevelRule,
  centerNetRule,
  dflRule,
  distanceLevelRule,
  fastestDetRule,
  rawYoloRule,
} from './rules-levels.ts';
import { nanoDetTableRule } from './rules-nanodet.ts';
import { postNmsRule } from './rules-post-nms.ts';
import { tableRule, yolov4Rule } from './rules-tables.ts';
import { columnTaskRule, maskRule, rowTaskRule } from './rules-tasks.ts';
import type { HeadCandidate, ModelInspection, TensorInfo } from './types.ts';

const rules = [
  columnRule,
  rowRule,
  landmarkRule,
  dualRule,
  endToEndRule,
  maskRule,
  columnTaskRule,
  rowTaskRule,
  detrDecodedRule,
  detrRawRule,
  rawYoloRule,
  dflRule,
  nanoDetTableRule,
  anchorLevelRule,
  distanceLevelRule,
  centerNetRule,
  fastestDetRule,
  tableRule,
  yolov4Rule,
  faceLevelRule,
  centerFaceRule,
  retinaFaceRule,
  blazeFaceRule,
  postNmsRule,
  flatRowsRule,
  efficientDetRowsRule,
];

/** Candidates closer than this are not told apart. */
const margin = 0.15;

/**
 * Says what an ONNX model is: its head, its pre-processing, its class names, with reasons.
 *
 * Reads operators and weights, not only names and dims, so that files without names and metadata are recognised too.
 * What no file says (how a picture is fitted into the input, mostly also the colour order) follows the convention of
 * the family, and `preprocessingSources` marks it. Where the bytes fit several heads equally, `head` is null,
 * `ambiguous` is true and `candidates` ranks them.
 *
 * Throws `ModelError` (`details.reason`: `'empty'`, `'not-onnx'`, `'truncated'`, `'corrupt'`, `'no-outputs'`). A model
 * that is no detector is no error: `head` is null and `reasons` say what was seen.
 *
 * @example
 * const { head, family, reasons } = inspectModel(await readFile('yolov8n.onnx'));
 * // 'yolov8', 'YOLOv8/9/11/12', ['output output0 is [1, 84, 8400]: columns of box and 80 classes', …]
 */
export function inspectModel(bytes: Uint8Array | ArrayBuffer): ModelInspection {
  try {
    return inspect(readOnnx(bytes));
  } catch (error) {
    if (error instanceof BoxopsError) throw error;
    // damaged files can hold numbers no rule expects
    throw modelError('corrupt', `the model cannot be read: ${(error as Error).message}`);
  }
}

function inspect(model: OnnxModel): ModelInspection {
  const facts = collectFacts(model);
  const found = rules.flatMap((rule) => [...rule(facts)]).sort((a, b) => b.score - a.score);
  const candidates = confirmTask(facts, found);
  const best = candidates[0];
  const rivals = best === undefined ? [] : candidates.filter((other) => best.score - other.score < margin);
  // dims that barely fit are no answer either
  const ambiguous = rivals.length > 1 || (best !== undefined && best.score < score.dims);
  const chosen = ambiguous ? undefined : best;
  const metadataNames = readClassNames(model.metadata);
  const classCount =
    metadataNames?.length ??
    (rivals.every((rival) => rival.classCount === best!.classCount) ? (best?.classCount ?? null) : null);
  const assumedNames = metadataNames === null ? assumeNames(chosen, classCount) : [];
  return {
    head: chosen?.head ?? null,
    family: chosen?.family ?? '',
    ambiguous,
    candidates,
    reasons: [
      ...reasonsOf(facts, chosen, rivals, assumedNames),
      ...contradiction(chosen?.classCount ?? null, metadataNames),
    ],
    classNames: metadataNames ?? assumedNames,
    classNamesSource: metadataNames !== null ? 'metadata' : assumedNames.length > 0 ? 'assumed' : 'none',
    classCount,
    preprocessing: chosen?.preprocessing ?? null,
    preprocessingSources: chosen?.preprocessingSources ?? null,
    headOptions: chosen?.headOptions ?? {},
    inputs: model.inputs.map((info) => tensorInfo(info)),
    outputs: model.outputs.map((info) => tensorInfo(info, facts)),
    producer: model.producer,
    opset: model.opset,
    metadata: model.metadata,
  };
}

/** Names that are more or fewer than the classes of the output: the names of another model, or another head. */
function contradiction(classCount: number | null, names: readonly string[] | null): string[] {
  if (classCount === null || names === null || names.length === classCount) return [];
  return [`the metadata name ${names.length} classes, the output has ${classCount}: check the head`];
}

const faceHeads: readonly string[] = [
  'ultraface',
  'ultraface-raw',
  'retinaface',
  'scrfd',
  'yunet',
  'blazeface',
  'centerface',
];

/** Names that go without saying: faces, and the 80 classes of COCO or its 91 category ids. */
function assumeNames(chosen: HeadCandidate | undefined, classCount: number | null): readonly string[] {
  if (chosen !== undefined && (faceHeads.includes(chosen.head) || chosen.family === 'YOLOv5-face'))
    return ['face'];
  return [cocoClassNames, cocoCategoryNames].find(({ length }) => length === classCount) ?? [];
}

/**
 * Ultralytics' `task` rules heads out: a classifier with a lucky shape is no detector. Nor is a model whose only output a
 * softmax ends: rows of probabilities are characters of a text or classes of a picture.
 */
function confirmTask(
  { metadata, outputs, graph }: Facts,
  candidates: readonly HeadCandidate[],
): readonly HeadCandidate[] {
  const probabilities = outputs.length === 1 && graph.producers.get(outputs[0]!.name)?.op === 'Softmax';
  return metadata.task === 'classify' || metadata.task === 'semantic' || probabilities ? [] : candidates;
}

function reasonsOf(
  facts: Facts,
  chosen: HeadCandidate | undefined,
  rivals: readonly HeadCandidate[],
  assumed: readonly string[],
): string[] {
  if (chosen !== undefined) {
    return assumed.length > 1
      ? [...chosen.reasons, `${assumed.length} classes without names: taken to be those of COCO`]
      : [...chosen.reasons];
  }
  if (rivals.length === 1)
    return [`only the dims speak for ${rivals[0]!.head}: confirm it`, ...rivals[0]!.reasons];
  if (rivals.length > 1) {
    const names = rivals.map(({ head, family }) => `${head} (${family})`).join(', ');
    return [
      `the bytes fit ${names} equally: choose one`,
      ...rivals.map(({ family, reasons }) => `${family}: ${reasons[0]}`),
    ];
  }
  const outputs = facts.outputs.map(
    ({ name, type, dims }) => `${name} ${type} ${dims.length > 0 ? show(dims) : '?'}`,
  );
  const reasons = [`no head reads the outputs ${outputs.join(', ')}`];
  if (facts.metadata.task !== undefined) reasons.push(`metadata: task '${facts.metadata.task}'`);
  if (facts.image === null) reasons.push('no input takes a picture (rank 4 with 3 channels)');
  if (facts.outputs.every(({ dims }) => dims.length <= 2)) {
    reasons.push('only vectors come out: a classifier or an embedding, not a detector');
  }
  return reasons;
}

function tensorInfo(info: ValueInfo, facts?: Facts): TensorInfo {
  const inferred = facts?.graph.shapes.get(info.name);
  const shape = info.shape ?? inferred ?? [];
  return {
    name: info.name,
    type: info.type,
    dims: shape.map((dim, i) => (typeof dim === 'number' ? dim : (inferred?.[i] ?? dim ?? '?'))),
  };
}
