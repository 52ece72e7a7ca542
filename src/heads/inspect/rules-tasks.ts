/**
 * Rules for the tasks of YOLO beyond boxes: masks (an output of prototypes), keypoints, oriented boxes.
 *
 * Columns of plain detection, pose and oriented boxes look alike; the channels of the last convolutions, sine and
 * cosine in the graph, and Ultralytics' metadata tell them apart.
 */
import { fitsGrid } from '../layout.ts';
import { preprocessingPresets as presets } from '../preprocessing.ts';
import { type Facts, hasOp, inputSize, layerChannels, type OutputFacts, show, turnsBoxes } from './facts.ts';
import { candidate, type Match, type Rule, score } from './rule.ts';

/** The output of mask prototypes `[N, M, h, w]` beside one table, or null. */
function prototypesOf({
  outputs,
}: Facts): { table: OutputFacts; masks: number; prototypes: OutputFacts } | null {
  const prototypes = outputs.filter(({ dims }) => dims.length === 4);
  const tables = outputs.filter(({ dims }) => dims.length === 3);
  const masks = prototypes[0]?.dims[1] ?? null;
  if (prototypes.length !== 1 || tables.length !== 1 || masks === null || masks < 4) return null;
  return { table: tables[0]!, masks, prototypes: prototypes[0]! };
}

export const maskRule: Rule = (facts) => {
  const found = prototypesOf(facts);
  if (found === null) return [];
  const { table, masks, prototypes } = found;
  const [, a = null, b = null] = table.dims;
  const size = inputSize(facts);
  const dims = `outputs ${table.name} ${show(table.dims)} and ${prototypes.name} ${show(prototypes.dims)}: ${masks} mask prototypes`;
  const base = { convention: presets.ultralytics, reasons: [dims] };
  const matches: Match[] = [];
  if (b === 6 + masks && (a === null || a <= 1000)) {
    matches.push({
      ...base,
      head: 'end-to-end-seg',
      family: 'YOLO26-seg',
      score: score.read,
      classCount: null,
    });
  } else if (a !== null && a > 4 + masks && (b === null || b > a || (size !== null && fitsGrid(b, size)))) {
    const classCount = a - 4 - masks;
    matches.push({
      ...base,
      head: 'yolov8-seg',
      family: 'YOLOv8/11-seg',
      score: score.read,
      classCount,
      headOptions: { classCount },
      reasons: [dims, `columns of box, ${classCount} classes and ${masks} coefficients`],
    });
  } else if (b !== null && b > 4 + masks && separate(table, b - 4 - masks)) {
    const classCount = b - 4 - masks;
    matches.push({
      ...base,
      head: 'yolov8-seg-rows',
      family: 'YOLOv8-seg (transposed)',
      score: score.read,
      classCount,
      headOptions: { classCount },
      reasons: [dims, `rows of box, ${classCount} classes and ${masks} coefficients, no objectness`],
    });
  } else if (b !== null && b > 5 + masks) {
    const classCount = b - 5 - masks;
    const family = 'YOLOv5-seg';
    matches.push({
      ...base,
      head: 'yolov5-seg',
      family,
      score: score.likely,
      classCount,
      headOptions: { classCount },
    });
  }
  return matches.map((match) => candidate(facts, match));
};

/** Whether boxes and exactly these classes come from convolutions of their own, as in YOLOv8 and its successors. */
function separate({ tail }: OutputFacts, classCount: number): boolean {
  const channels = layerChannels(tail);
  return channels.includes(classCount) && (tail.bins !== null || channels.includes(4));
}

/** `kpt_shape` of Ultralytics' metadata: [K, 2 or 3]. */
function keypointShape(metadata: Facts['metadata']): readonly [number, 2 | 3] | null {
  const [count, dims] = metadata.kpt_shape?.match(/\d+/g)?.map(Number) ?? [];
  return count !== undefined && (dims === 2 || dims === 3) ? [count, dims] : null;
}

/** `[N, 4 + C + d·K, A]` and `[N, 4 + C + 1, A]`. */
export const columnTaskRule: Rule = (facts) => {
  if (facts.outputs.length !== 1) return [];
  const [output] = facts.outputs as [OutputFacts];
  const [, rows = null, anchors = null] = output.dims;
  if (output.dims.length !== 3 || rows === null || rows < 6 || (anchors !== null && anchors < rows))
    return [];
  const { task } = facts.metadata;
  const channels = layerChannels(output.tail);
  const dims = `output ${output.name} is ${show(output.dims)}`;
  const found: Match[] = [];
  const turned = turnsBoxes(output.tail);
  if (task === 'obb' || turned) {
    const classCount = rows - 5;
    const reason = turned ? 'the graph turns boxes by sine and cosine' : "metadata: task 'obb'";
    found.push({
      head: 'yolov8-obb',
      family: 'YOLOv8/11-obb',
      score: score.read + 0.04,
      reasons: [`${dims}: columns of box, ${classCount} classes and an angle`, reason],
      classCount,
      convention: presets.ultralytics,
      headOptions: { classCount },
    });
  }
  const shape = keypointShape(facts.metadata);
  // 15 classes and an angle (DOTA) are as many columns as one class and five keypoints
  const poses = !turned && (task === 'pose' || (task === undefined && !hasOp(output.tail, 'Einsum')));
  const numbers = !poses ? null : shape !== null ? shape[0] * shape[1] : keypointChannels(rows, channels);
  if (numbers !== null && rows - 4 - numbers >= 1) {
    const classCount = rows - 4 - numbers;
    const keypointDims = shape?.[1] ?? (numbers % 3 === 0 ? 3 : 2);
    const sure = task === 'pose' || channels.length > 0;
    found.push({
      head: 'yolov8-pose',
      family: 'YOLOv8/11-pose',
      score: sure ? score.read + 0.04 : score.likely,
      reasons: [
        `${dims}: columns of box, ${classCount} class${classCount > 1 ? 'es' : ''} and ${numbers / keypointDims} keypoints`,
        task === 'pose'
          ? "metadata: task 'pose'"
          : sure
            ? `the last convolutions have ${channels.join(', ')} channels`
            : '56 columns are the 17 keypoints of COCO',
      ],
      classCount,
      convention: presets.ultralytics,
      headOptions: { classCount, keypointDims },
    });
  }
  return found.map((match) => candidate(facts, match));
};

/** Keypoint numbers of a convolution that, with its class convolution, makes up the rows; 51 where only dims are known. */
function keypointChannels(rows: number, channels: readonly number[]): number | null {
  if (channels.length === 0) return rows === 56 ? 51 : null;
  const fits = channels.find(
    (count) =>
      count >= 6 &&
      (count % 3 === 0 || count % 2 === 0) &&
      channels.includes(rows - 4 - count) &&
      !channels.includes(rows - 4),
  );
  return fits ?? null;
}

/** Rows of end-to-end poses and oriented boxes, and of RT-DETR as Ultralytics exports it. */
export const rowTaskRule: Rule = (facts) => {
  if (facts.outputs.length !== 1) return [];
  const [output] = facts.outputs as [OutputFacts];
  const [, rows = null, columns = null] = output.dims;
  if (output.dims.length !== 3 || columns === null || columns < 5 || (rows !== null && rows > 1000))
    return [];
  const size = inputSize(facts);
  if (rows !== null && size !== null && (fitsGrid(rows, size) || fitsGrid(rows, size, 3))) return [];
  if (rows !== null && columns > rows) return [];
  const { metadata } = facts;
  const channels = layerChannels(output.tail);
  const dims = `output ${output.name} is ${show(output.dims)}`;
  const found: Match[] = [];
  const named = metadata.end2end?.toLowerCase() === 'true';
  const endToEnd = named || hasOp(output.tail, 'TopK', 'NonMaxSuppression');
  // rows of seven that the graph selects but does not turn are another family's
  const turns = metadata.task === 'obb' || named || turnsBoxes(output.tail);
  if (columns === 7 && (turns || (channels.length === 0 && !endToEnd))) {
    found.push({
      head: 'end-to-end-obb',
      family: 'YOLO26-obb',
      score: turns ? score.read : score.dims,
      reasons: [`${dims}: rows of centre, size, score, class and angle`],
      classCount: null,
      convention: presets.ultralytics,
    });
  }
  const classes = columns - 4;
  const queries =
    channels.includes(classes) && channels.includes(4) && !/pose|obb|segment/.test(metadata.task ?? '');
  const keypoints = columns - 6;
  const shape = keypointShape(metadata);
  const poseSure =
    shape !== null ? shape[0] * shape[1] === keypoints : channels.includes(keypoints) && !queries;
  if (columns >= 8 && (poseSure || (channels.length === 0 && keypoints === 51))) {
    found.push({
      head: 'end-to-end-pose',
      family: 'YOLO26-pose',
      score: poseSure ? score.read : score.likely,
      reasons: [`${dims}: rows of box, score, class and ${keypoints} numbers of keypoints`],
      classCount: null,
      convention: presets.ultralytics,
      headOptions: { keypointDims: shape?.[1] ?? (keypoints % 3 === 0 ? 3 : 2) },
    });
  }
  // rows of 6 and 7 are also those of end-to-end detections, which the graph selects itself, or the metadata name
  const silent = channels.length === 0 && metadata.task === undefined;
  const fromDims: Record<number, number> = { 7: score.dims, 84: score.likely };
  if (columns > 7 || ((queries || (silent && columns > 5)) && !endToEnd)) {
    found.push({
      head: 'detr-concatenated',
      family: 'RT-DETR (Ultralytics)',
      score: poseSure ? 0.1 : queries ? score.read : (fromDims[columns] ?? score.weak),
      reasons: [
        `${dims}: queries of box and ${classes} classes`,
        queries
          ? `the last layers have ${channels.join(', ')} channels`
          : `${rows ?? 'few'} rows are too few for a grid`,
      ],
      classCount: classes,
      convention: presets.torchvision,
      headOptions: {
        activation: hasOp(output.tail, 'Sigmoid') || channels.length === 0 ? 'none' : 'sigmoid',
      },
    });
  }
  return found.filter((match) => match.score > 0.1).map((match) => candidate(facts, match));
};
