/**
 * The boxes of the experiment: targets, and the boxes that are moved onto them.
 *
 * Seven targets of area 1 at (10, 10), one an aspect ratio; at every point, scattered over the disc of radius 3 around
 * them, 49 boxes: seven areas × seven aspect ratios. Every box is moved onto every target: 343 cases a point, 1,715,000
 * for the paper's 5,000 points. The points are a pure function of the seed.
 *
 * Source: Zheng et al., "Distance-IoU Loss", AAAI 2020, section 3.1 and Algorithm 1.
 */
import { hashSeed, Random } from '../../../models/digits/synthesis/random.ts';

/** Width by height: 1:4 … 4:1. */
export const aspectRatios = [1 / 4, 1 / 3, 1 / 2, 1, 2, 3, 4] as const;
export const areas = [0.5, 0.67, 0.75, 1, 1.33, 1.5, 2] as const;
export const centre = 10;
export const radius = 3;
export const casesPerPoint = aspectRatios.length * areas.length * aspectRatios.length;

/** How a box is four numbers, of which each is updated: its corners, or its centre and size. */
export type Parametrisation = 'corners' | 'centre';

/** x, y of each point. */
export function scatterPoints(count: number, seed = 1): Float64Array {
  const random = new Random(hashSeed(seed));
  const points = new Float64Array(2 * count);
  for (let i = 0; i < count; i++) {
    const angle = 2 * Math.PI * random.next();
    const distance = radius * Math.sqrt(random.next());
    points[2 * i] = centre + distance * Math.cos(angle);
    points[2 * i + 1] = centre + distance * Math.sin(angle);
  }
  return points;
}

/** As many points evenly over the disc, a spiral of golden angles: few of them tell what many scattered ones do. */
export function spreadPoints(count: number): Float64Array {
  const turn = Math.PI * (3 - Math.sqrt(5));
  return Float64Array.from({ length: 2 * count }, (_, i) => {
    const k = Math.floor(i / 2) + 0.5;
    const distance = radius * Math.sqrt(k / count);
    return centre + distance * (i % 2 === 0 ? Math.cos(k * turn) : Math.sin(k * turn));
  });
}

export interface Cases {
  /** 4·N numbers in the parametrisation, `casesPerPoint` boxes a point. */
  readonly boxes: Float64Array;
  readonly targets: Float64Array;
}

/** The cases of points [from, to). */
export function casesOf(
  points: Float64Array,
  from: number,
  to: number,
  parametrisation: Parametrisation,
): Cases {
  const length = 4 * casesPerPoint * (to - from);
  const boxes = new Float64Array(length);
  const targets = new Float64Array(length);
  let at = 0;
  for (let i = from; i < to; i++) {
    for (const targetRatio of aspectRatios) {
      for (const area of areas) {
        for (const ratio of aspectRatios) {
          write(boxes, at, points[2 * i]!, points[2 * i + 1]!, area, ratio, parametrisation);
          write(targets, at, centre, centre, 1, targetRatio, parametrisation);
          at += 4;
        }
      }
    }
  }
  return { boxes, targets };
}

function write(
  out: Float64Array,
  at: number,
  x: number,
  y: number,
  area: number,
  ratio: number,
  parametrisation: Parametrisation,
): void {
  const width = Math.sqrt(area * ratio);
  const height = Math.sqrt(area / ratio);
  const corners = parametrisation === 'corners';
  out[at] = corners ? x - width / 2 : x;
  out[at + 1] = corners ? y - height / 2 : y;
  out[at + 2] = corners ? x + width / 2 : width;
  out[at + 3] = corners ? y + height / 2 : height;
}
