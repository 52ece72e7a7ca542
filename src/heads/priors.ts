/**
 * Prior boxes of the heads that regress against them, from the generators of `anchors`: as normalised `cx, cy, w, h` (SSD
 * family) or as anchors of one cell in pixels (RetinaNet family).
 */
import { detectron2RetinaNetAnchors } from '../anchors/detectron2.ts';
import * as efficientDet from '../anchors/efficientdet.ts';
import * as faces from '../anchors/faces.ts';
import { mmdetectionAnchors } from '../anchors/mmdetection.ts';
import { ssd300DefaultBoxes } from '../anchors/ssd.ts';
import { torchvisionRetinaNetAnchors } from '../anchors/torchvision.ts';
import type { AnchorImage, Anchors } from '../anchors/types.ts';
import { convertBoxes } from '../boxes/formats.ts';
import type { Size } from '../boxes/types.ts';
import type { HeadOptions } from './types.ts';

/**
 * RetinaFace: 4·N normalised `cx, cy, w, h`, as a decoder takes them; `boxops/anchors` has them as corners in pixels.
 */
export function retinaFacePriors(input: Size): Float32Array {
  return normalised(faces.retinaFacePriors({ image: input }), input);
}

/**
 * UltraFace: 4·N normalised `cx, cy, w, h`, centres and sizes cut to the picture; `boxops/anchors` has them as corners in
 * pixels.
 */
export function ultraFacePriors(input: Size): Float32Array {
  return normalised(faces.ultraFacePriors({ image: input }), input);
}

/**
 * SSD300 as torchvision makes it (`ssd300_vgg16`): 8732 priors, 4·N normalised `cx, cy, w, h`; `ssd300DefaultBoxes` of
 * `boxops/anchors` are corners in pixels.
 */
export function ssd300Priors(): Float32Array {
  return normalised(ssd300DefaultBoxes(), { width: 300, height: 300 });
}

function normalised({ boxes }: Anchors, { width, height }: Size): Float32Array {
  return convertBoxes(boxes, 'xyxy', 'cxcywhn', { width, height, out: boxes });
}

const made = new Map<(input: Size) => Float32Array, { readonly of: Size; readonly priors: Float32Array }>();

/** Priors of an input; those of the last size are kept, so frames after frames make none. Not to be written to. */
export function priorsOf(generate: (input: Size) => Float32Array, input: Size): Float32Array {
  const last = made.get(generate);
  if (last !== undefined && last.of.width === input.width && last.of.height === input.height) {
    return last.priors;
  }
  const priors = generate(input);
  made.set(generate, { of: { width: input.width, height: input.height }, priors });
  return priors;
}

const retinaNets: Record<NonNullable<HeadOptions['anchorStyle']>, (options: LevelOf) => Anchors> = {
  torchvision: torchvisionRetinaNetAnchors,
  detectron2: detectron2RetinaNetAnchors,
  mmdetection: (options) =>
    mmdetectionAnchors({ ...options, ratios: [0.5, 1, 2], octaveBaseScale: 4, scalesPerOctave: 3 }),
};

type LevelOf = AnchorImage & { readonly strides: readonly number[] };

/** A level of a single cell. */
function oneCell(width: number, height: number, stride: number): LevelOf {
  return { image: { width, height }, strides: [stride], maps: [{ width: 1, height: 1 }] };
}

/** Anchors of one cell of a RetinaNet level, 4 numbers each: x1, y1, x2, y2 about the cell's origin. */
export function retinaNetAnchors(
  stride: number,
  style: NonNullable<HeadOptions['anchorStyle']>,
): Float32Array {
  return retinaNets[style](oneCell(stride, stride, stride)).boxes;
}

/**
 * Anchors of one cell of an EfficientDet level, about the cell's origin; their centre is the cell's middle. 9 × x1, y1, x2,
 * y2 in the units of `cellWidth`. `efficientDetAnchors` of `boxops/anchors` lays them out over a picture.
 */
export function efficientDetAnchors(cellWidth: number, cellHeight = cellWidth): Float32Array {
  return efficientDet.efficientDetAnchors(oneCell(cellWidth, cellHeight, cellWidth)).boxes;
}
