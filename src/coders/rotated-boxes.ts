/** Rotated boxes as coders take them, and what both rotated coders do with centres and angles. */
import type { BoxArray } from '../boxes/types.ts';
import { ShapeError } from '../errors.ts';

export interface RotatedBoxes {
  /** 4·N unrotated rectangles `x1,y1,x2,y2`. */
  readonly boxes: BoxArray;
  /** N angles about their centres. */
  readonly angles: BoxArray;
}

/** Boxes whose centres are turned about their priors' by the priors' angles: 1 clockwise, −1 back. */
export function aboutPriors(boxes: BoxArray, priors: RotatedBoxes, unit: number, way: 1 | -1): BoxArray {
  const moved = boxes.slice();
  for (let i = 0; i < priors.angles.length; i++) {
    const angle = way * priors.angles[i]! * unit;
    const [px, py] = centreOf(priors.boxes, i);
    const [x, y] = centreOf(boxes, i);
    const [dx, dy] = [x - px, y - py];
    const shiftX = dx * Math.cos(angle) - dy * Math.sin(angle) - dx;
    const shiftY = dx * Math.sin(angle) + dy * Math.cos(angle) - dy;
    for (let k = 0; k < 4; k++) moved[4 * i + k]! += k % 2 === 0 ? shiftX : shiftY;
  }
  return moved;
}

function centreOf(boxes: BoxArray, i: number): readonly [number, number] {
  return [(boxes[4 * i]! + boxes[4 * i + 2]!) / 2, (boxes[4 * i + 1]! + boxes[4 * i + 3]!) / 2];
}

/** The centre's share of a gradient, turned back by the prior's angle. */
export function turnBack(gradient: Float64Array, i: number, angle: number): void {
  const sumX = gradient[4 * i]! + gradient[4 * i + 2]!;
  const sumY = gradient[4 * i + 1]! + gradient[4 * i + 3]!;
  const changeX = (sumX * Math.cos(angle) + sumY * Math.sin(angle) - sumX) / 2;
  const changeY = (-sumX * Math.sin(angle) + sumY * Math.cos(angle) - sumY) / 2;
  for (let k = 0; k < 4; k++) gradient[4 * i + k]! += k % 2 === 0 ? changeX : changeY;
}

export function checkAngles(name: string, boxes: BoxArray, angles: BoxArray): void {
  if (boxes.length !== 4 * angles.length) {
    throw new ShapeError(`expected ${boxes.length / 4} angles of ${name}, got ${angles.length}`, {
      name,
      expected: boxes.length / 4,
      got: angles.length,
    });
  }
}
