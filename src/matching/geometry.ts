/** Small geometry of single boxes that several matchers use. */
import type { BoxArray } from '../boxes/types.ts';

/** Corners of box i. */
export function corners(boxes: BoxArray, i: number): readonly [number, number, number, number] {
  return [boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!];
}
