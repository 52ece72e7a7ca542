/**
 * Prior boxes of the heads that regress against them, as normalised `cx, cy, w, h` (SSD family) or as anchors about a
 * cell in pixels (RetinaNet family).
 */
import type { DecodeOptions, HeadOptions } from './types.ts';

type Input = DecodeOptions['input'];

/**
 * RetinaFace: strides 8, 16, 32, two square sizes each, centres `(cell + ½)·stride`. 4·N normalised `cx, cy, w, h`, as a
 * decoder takes them; `boxops/anchors` has them as corners in pixels.
 */
export function retinaFacePriors(input: Input): Float32Array {
  const sizes = [
    [16, 32],
    [64, 128],
    [256, 512],
  ];
  return Float32Array.from(squarePriors(input, [8, 16, 32], sizes, (stride) => stride));
}

/**
 * UltraFace: strides 8, 16, 32, 64, square sizes. Its cells share the picture evenly, so where a stride does not divide
 * the side they are smaller than the stride: centre `(cell + ½) / cells`. Clipped to the picture. 4·N normalised
 * `cx, cy, w, h`; `boxops/anchors` has them as corners in pixels.
 */
export function ultraFacePriors(input: Input): Float32Array {
  const sizes = [
    [10, 16, 24],
    [32, 48],
    [64, 96],
    [128, 192, 256],
  ];
  const priors = squarePriors(
    input,
    [8, 16, 32, 64],
    sizes,
    (stride, side) => side / Math.ceil(side / stride),
  );
  return Float32Array.from(priors, (value) => Math.min(1, Math.max(0, value)));
}

/** Priors at the middle of every cell; `pitch` is the distance of cells along a side in pixels. */
function squarePriors(
  { width, height }: Input,
  strides: readonly number[],
  sizes: readonly (readonly number[])[],
  pitch: (stride: number, side: number) => number,
): number[] {
  const priors: number[] = [];
  strides.forEach((stride, level) => {
    const pitchX = pitch(stride, width) / width;
    const pitchY = pitch(stride, height) / height;
    for (let y = 0; y < Math.ceil(height / stride); y++) {
      for (let x = 0; x < Math.ceil(width / stride); x++) {
        for (const size of sizes[level]!) {
          priors.push((x + 0.5) * pitchX, (y + 0.5) * pitchY, size / width, size / height);
        }
      }
    }
  });
  return priors;
}

/**
 * SSD300 as torchvision makes it (`ssd300_vgg16`): 8732 priors on maps of 38, 19, 10, 5, 3 and 1 cells. 4·N normalised
 * `cx, cy, w, h`; `ssd300DefaultBoxes` of `boxops/anchors` are corners in pixels.
 */
export function ssd300Priors(): Float32Array {
  const scales = [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05];
  const steps = [8, 16, 32, 64, 100, 300];
  const maps = [38, 19, 10, 5, 3, 1];
  const ratios = [[2], [2, 3], [2, 3], [2, 3], [2], [2]];
  const limit = (size: number) => Math.min(1, Math.max(0, size));
  const priors: number[] = [];
  maps.forEach((cells, level) => {
    const scale = scales[level]!;
    const between = Math.sqrt(scale * scales[level + 1]!);
    const sizes: [number, number][] = [
      [scale, scale],
      [between, between],
    ];
    for (const ratio of ratios[level]!) {
      const root = Math.sqrt(ratio);
      sizes.push([scale * root, scale / root], [scale / root, scale * root]);
    }
    const across = 300 / steps[level]!;
    for (let y = 0; y < cells; y++) {
      for (let x = 0; x < cells; x++) {
        for (const [width, height] of sizes) {
          priors.push((x + 0.5) / across, (y + 0.5) / across, limit(width), limit(height));
        }
      }
    }
  });
  return Float32Array.from(priors);
}

/** Anchors of one cell of a RetinaNet level, 4 numbers each: x1, y1, x2, y2 about the cell's origin. */
export function retinaNetAnchors(
  stride: number,
  style: NonNullable<HeadOptions['anchorStyle']>,
): Float32Array {
  const rounded = style === 'torchvision';
  const sizes = [0, 1, 2].map((octave) => {
    const size = 4 * stride * 2 ** (octave / 3);
    return rounded ? Math.trunc(size) : size;
  });
  const ratios = [0.5, 1, 2];
  const anchors: number[] = [];
  const add = (size: number, ratio: number) => {
    const width = size / Math.sqrt(ratio);
    const corners = [-width / 2, (-width * ratio) / 2, width / 2, (width * ratio) / 2];
    anchors.push(...(rounded ? corners.map(roundHalfEven) : corners));
  };
  if (style === 'detectron2') for (const size of sizes) for (const ratio of ratios) add(size, ratio);
  else for (const ratio of ratios) for (const size of sizes) add(size, ratio);
  return Float32Array.from(anchors);
}

/** torch rounds halves to the even number. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/**
 * Anchors of one cell of an EfficientDet level, about the cell's origin; their centre is the cell's middle. 9 × x1, y1, x2,
 * y2 in the units of `cellWidth`. `efficientDetAnchors` of `boxops/anchors` lays them out over a picture.
 */
export function efficientDetAnchors(cellWidth: number, cellHeight = cellWidth): Float32Array {
  const anchors: number[] = [];
  for (let octave = 0; octave < 3; octave++) {
    const side = 2 * 2 ** (octave / 3);
    for (const [wide, tall] of [
      [1, 1],
      [1.4, 0.7],
      [0.7, 1.4],
    ] as const) {
      const [x, y] = [side * wide, side * tall];
      anchors.push(
        (0.5 - x) * cellWidth,
        (0.5 - y) * cellHeight,
        (0.5 + x) * cellWidth,
        (0.5 + y) * cellHeight,
      );
    }
  }
  return Float32Array.from(anchors);
}
