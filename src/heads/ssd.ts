/**
 * SSD and the face detectors built on it: deltas against priors, `centre = p + t·0.1·size`, `size = p·exp(0.2·t)`.
 */
import { LayoutError, OptionError } from '../errors.ts';
import type { Grid } from './grids.ts';
import { findOutput, layoutError } from './layout.ts';
import { finishPicks, finiteRows, gatherColumn } from './picks.ts';
import { priorsOf, retinaFacePriors, ssd300Priors, ultraFacePriors } from './priors.ts';
import { findBoxTable, readTable, scanTable } from './tables.ts';
import type { Candidates, DecodeOptions, HeadOptions, ModelOutputs } from './types.ts';

/**
 * Candidates of SSD: deltas `[N, P, 4]`, scores `[N, P, C + 1]` with background first. `priors` (normalised
 * `cx, cy, w, h`) default to torchvision's SSD300; `activation` to softmax. Class ids count without the background.
 */
export function decodeSsd(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const found = findBoxTable(outputs, (dims, rows) => dims[1] === rows && dims[2]! >= 2);
  if (found === null)
    throw layoutError('ssd', 'deltas [N, P, 4] and scores [N, P, C + 1]', outputs, options.input);
  const deltas = readTable(found.boxes, options, 0);
  const scores = readTable(found.scores, options, 1);
  const priors = options.priors ?? priorsOf(ssd300Priors, options.input);
  requirePriors('ssd', priors, deltas.rows);
  const counted = { ...options, classCount: options.classCount ?? scores.columns - 1 };
  scanTable(scores, counted, options.activation ?? 'softmax', 1, 1);
  return finishPicks(false, (row, boxes, at) => writeSsdBox(deltas, row, priors, options, boxes, at));
}

/**
 * Candidates of UltraFace before its decoding: scores `[N, P, 2]` (softmax done) and deltas `[N, P, 4]`; the priors
 * follow from the input size (4420 at 320×240). Faces are class 0.
 */
export function decodeUltraFaceRaw(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const priors = options.priors ?? priorsOf(ultraFacePriors, options.input);
  const { boxes: deltas } = scanFaces('ultraface-raw', outputs, options, priors.length / 4);
  return finishPicks(false, (row, boxes, at) => writeSsdBox(deltas, row, priors, options, boxes, at));
}

/** Candidates of UltraFace: scores `[N, P, 2]` and decoded boxes `[N, P, 4]`, normalised x1,y1,x2,y2. */
export function decodeUltraFace(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const { width, height } = options.input;
  const { boxes: source } = scanFaces('ultraface', outputs, options, null);
  return finishPicks(false, (row, boxes, at) => {
    for (let k = 0; k < 4; k++) boxes[at + k] = source.data[4 * row + k]! * (k % 2 === 0 ? width : height);
  });
}

function scanFaces(
  head: string,
  outputs: ModelOutputs,
  options: DecodeOptions & HeadOptions,
  rows: number | null,
) {
  const found = findBoxTable(outputs, (dims, count) => dims[1] === count && dims[2] === 2);
  if (found === null || (rows !== null && found.boxes.dims[1] !== rows)) {
    throw layoutError(
      head,
      `scores [N, ${rows ?? 'P'}, 2] and boxes [N, ${rows ?? 'P'}, 4]`,
      outputs,
      options.input,
    );
  }
  const boxes = readTable(found.boxes, options, 0);
  scanTable(
    readTable(found.scores, options, 1),
    { ...options, classCount: 1 },
    options.activation ?? 'none',
    1,
    1,
  );
  return { boxes };
}

/**
 * Candidates of RetinaFace: deltas 4, scores 2, five landmarks 10, in one tensor `[N, P, 16]` or in three. Scores are
 * taken as they are unless `activation` is `'softmax'`. Keypoints are eyes, nose, mouth corners.
 */
export function decodeRetinaFace(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const { input } = options;
  const priors = options.priors ?? priorsOf(retinaFacePriors, input);
  const rows = priors.length / 4;
  const table = (columns: number, slot: number): Grid | null => {
    const tensor = findOutput(
      outputs,
      (dims) => dims.length === 3 && dims[1] === rows && dims[2] === columns,
    );
    return tensor === undefined ? null : readTable(tensor, options, slot);
  };
  const joined = table(16, 0);
  const deltas = joined ?? table(4, 0);
  const scores = joined ?? table(2, 1);
  const landmarks = joined ?? table(10, 2);
  if (deltas === null || scores === null) {
    throw layoutError('retinaface', `[N, ${rows}, 16], or [N, ${rows}, 4], …2] and …10]`, outputs, input);
  }
  const first = joined === null ? 0 : 4;
  scanTable(scores, { ...options, classCount: 1 }, options.activation ?? 'none', first + 1, 1);
  const candidates = finishPicks(false, (row, boxes, at) =>
    writeSsdBox(deltas, row, priors, options, boxes, at),
  );
  if (landmarks === null) return candidates;
  const firstLandmark = joined === null ? 0 : 6;
  const keypoints = gatherColumn(15, (row, column, at) => {
    const from = row * landmarks.columns + firstLandmark;
    for (let k = 0; k < 5; k++) {
      for (let axis = 0; axis < 2; axis++) {
        const t = landmarks.data[from + 2 * k + axis]!;
        const point = priors[4 * row + axis]! + t * 0.1 * priors[4 * row + 2 + axis]!;
        column[at + 3 * k + axis] = point * (axis === 0 ? input.width : input.height);
      }
      column[at + 3 * k + 2] = 1;
    }
  });
  return finiteRows({ ...candidates, keypoints, keypointCount: 5 });
}

/** Variances 0.1 and 0.2, no clamp. */
function writeSsdBox(
  deltas: Grid,
  row: number,
  priors: ArrayLike<number>,
  { input }: DecodeOptions,
  boxes: Float32Array,
  at: number,
): void {
  const from = row * deltas.columns;
  for (let axis = 0; axis < 2; axis++) {
    const scale = axis === 0 ? input.width : input.height;
    const size = priors[4 * row + 2 + axis]!;
    const centre = priors[4 * row + axis]! + deltas.data[from + axis]! * 0.1 * size;
    const half = (Math.exp(0.2 * deltas.data[from + 2 + axis]!) * size) / 2;
    boxes[at + axis] = (centre - half) * scale;
    boxes[at + 2 + axis] = (centre + half) * scale;
  }
}

function requirePriors(head: string, priors: ArrayLike<number>, rows: number): void {
  if (priors.length % 4 !== 0)
    throw new OptionError(`priors: expected 4·P numbers, got ${priors.length}`, { head });
  if (priors.length !== 4 * rows) {
    throw new LayoutError(
      `head ${head}: ${rows} rows, but ${priors.length / 4} priors; pass the model's own as priors`,
      {
        head,
        got: rows,
        expected: priors.length / 4,
        fits: [],
      },
    );
  }
}
