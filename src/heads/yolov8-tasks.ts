/**
 * YOLOv8/11/12 beyond boxes: segmentation, pose and oriented boxes. All are the columns of YOLOv8 with further rows
 * after the classes.
 */
import { layoutError } from './layout.ts';
import { finiteRows, gatherColumn } from './picks.ts';
import { readPrototypes } from './prototypes.ts';
import type { Candidates, DecodeOptions, HeadOptions, ModelOutputs } from './types.ts';
import { decodeColumns } from './yolov8.ts';

/**
 * Candidates of YOLOv8-seg: `[N, 4 + C + M, A]` and prototypes `[N, M, h, w]`; coefficients are a column, masks are
 * decoded on demand by `decodeMask`.
 */
export function decodeYolov8Seg(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const prototypes = readPrototypes(outputs, options);
  const layout = '[N, 4 + classes + masks, anchors] and prototypes [N, masks, h, w]';
  if (prototypes === null) throw layoutError('yolov8-seg', layout, outputs, options.input);
  const { channels } = prototypes;
  const { candidates, data, anchors, classCount } = decodeColumns(
    'yolov8-seg',
    layout,
    channels,
    outputs,
    options,
  );
  const maskCoefficients = gatherColumn(channels, (row, column, at) => {
    for (let m = 0; m < channels; m++) column[at + m] = data[row + (4 + classCount + m) * anchors]!;
  });
  return finiteRows({ ...candidates, maskCoefficients, prototypes });
}

/**
 * Candidates of YOLOv8-pose: `[N, 4 + C + d·K, A]`, keypoints `x, y` in input pixels and, where d is 3, a visibility
 * already through the sigmoid. `classCount` defaults to 1, `keypointDims` to 3 where the rows divide by it.
 */
export function decodeYolov8Pose(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const counted = { ...options, classCount: options.classCount ?? 1 };
  const layout = '[N, 4 + classes + keypoints, anchors]';
  const { candidates, data, anchors, classCount } = decodeColumns('yolov8-pose', layout, 2, outputs, counted);
  const rows = data.length / anchors - 4 - classCount;
  const dims = options.keypointDims ?? (rows % 3 === 0 ? 3 : 2);
  if (rows % dims !== 0)
    throw layoutError('yolov8-pose', `${layout} of ${dims} numbers`, outputs, options.input);
  const keypointCount = rows / dims;
  const keypoints = gatherColumn(3 * keypointCount, (row, column, at) => {
    for (let k = 0; k < keypointCount; k++) {
      const from = row + (4 + classCount + dims * k) * anchors;
      column[at + 3 * k] = data[from]!;
      column[at + 3 * k + 1] = data[from + anchors]!;
      column[at + 3 * k + 2] = dims === 3 ? data[from + 2 * anchors]! : 1;
    }
  });
  return finiteRows({ ...candidates, keypoints, keypointCount });
}

/**
 * Candidates of YOLOv8-obb: `[N, 4 + C + 1, A]`: centre, size, classes, angle in radians. `boxes` are the unrotated
 * rectangles, `angles` turn them clockwise about their centres.
 */
export function decodeYolov8Obb(outputs: ModelOutputs, options: DecodeOptions & HeadOptions): Candidates {
  const layout = '[N, 4 + classes + 1, anchors]';
  const { candidates, data, anchors, classCount } = decodeColumns('yolov8-obb', layout, 1, outputs, options);
  const angles = gatherColumn(1, (row, column, at) => {
    column[at] = data[row + (4 + classCount) * anchors]!;
  });
  return finiteRows({ ...candidates, angles });
}
