/** Boxes as the numbers a network regresses, by the configuration's coder. */
import { convertBoxes } from '../boxes/formats.ts';
import type { Size } from '../boxes/types.ts';
import { deltaCoder, distanceCoder, yoloCoder, yoloxCoder } from '../coders/index.ts';
import type { TargetConfig } from './config.ts';

/** Matched boxes and their priors, one row each. */
export interface CodedRows {
  /** 4·N xyxy in pixels of the input. */
  readonly boxes: Float32Array<ArrayBuffer>;
  readonly priors: Float32Array<ArrayBuffer>;
  /** Stride of each prior's level. */
  readonly strides: Float32Array<ArrayBuffer>;
  readonly input: Size;
}

/** Encodes rows into `out`, 4·N. */
export type BoxEncoding = (rows: CodedRows, out: Float32Array<ArrayBuffer>) => void;

/** Options that were given. */
const given = <T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;

export function boxEncoding(coder: TargetConfig['coder']): BoxEncoding {
  if (coder.kind === 'delta' || coder.kind === 'distance') {
    const { encode } = coder.kind === 'delta' ? deltaCoder(given(coder)) : distanceCoder(given(coder));
    return ({ boxes, priors }, out) => {
      encode(boxes, priors, out);
    };
  }
  return {
    yolov5: encodeYolov5,
    yolov3: encodeYolov3,
    yolox: encodeYolox,
    cxcywh: encodeCentre,
    none: copyBoxes,
  }[coder.kind];
}

/**
 * YOLOv5's tbox: the centre in cells from the prior's cell, width and height in cells. The prior lies about the middle of
 * its cell. Source: ultralytics/yolov5 `ComputeLoss.build_targets`.
 */
function encodeYolov5({ boxes, priors, strides }: CodedRows, out: Float32Array): void {
  for (let i = 0; i < boxes.length; i += 4) {
    const stride = strides[i / 4]!;
    for (let axis = 0; axis < 2; axis++) {
      const [low, high] = [boxes[i + axis]!, boxes[i + axis + 2]!];
      const cell = Math.floor((priors[i + axis]! + priors[i + axis + 2]!) / 2 / stride);
      out[i + axis] = (low + high) / 2 / stride - cell;
      out[i + axis + 2] = (high - low) / stride;
    }
  }
}

/** YOLOv3: what the sigmoid of the centre's numbers is to be, and the logarithm of the size in anchors. */
function encodeYolov3({ boxes, priors, strides }: CodedRows, out: Float32Array<ArrayBuffer>): void {
  yoloCoder({ version: 'v3', space: 'activated', stride: strides }).encode(boxes, priors, out);
}

/**
 * YOLOX's targets count from the corner of the prior's cell, though its matching looks at the middle: `get_l1_target`
 * takes the grid, `get_geometry_constraint` the grid + 0.5.
 */
function encodeYolox({ boxes, priors, strides }: CodedRows, out: Float32Array<ArrayBuffer>): void {
  const cells = new Float32Array(priors.length);
  for (let i = 0; i < priors.length; i++) {
    const stride = strides[i >> 2]!;
    const axis = (i & 1) + (i & ~3);
    const corner = Math.floor((priors[axis]! + priors[axis + 2]!) / 2 / stride) * stride;
    cells[i] = corner + ((i & 2) === 0 ? -stride / 2 : stride / 2);
  }
  yoloxCoder().encode(boxes, cells, out);
}

/** DETR: cx, cy, w, h in units of the input. */
function encodeCentre({ boxes, input }: CodedRows, out: Float32Array<ArrayBuffer>): void {
  convertBoxes(boxes, 'xyxy', 'cxcywhn', { width: input.width, height: input.height, out });
}

function copyBoxes({ boxes }: CodedRows, out: Float32Array): void {
  out.set(boxes);
}
