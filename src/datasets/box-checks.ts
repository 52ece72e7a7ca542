/** What every format's boxes are checked for. */
import type { Place, ProblemReport } from './problems.ts';

/** How far beyond the border a box may reach before it is reported: files round to pixels. */
export const defaultTolerance = 1;

/**
 * Reports a box that cannot be one, has no area or leaves the image; false where it is no box at all (not finite, or
 * ends before it starts). `width` and `height` 0: the image's size is not known, so the border is not checked.
 */
export function checkBox(
  report: ProblemReport,
  place: Place,
  box: readonly [x1: number, y1: number, x2: number, y2: number],
  width: number,
  height: number,
  tolerance: number,
): boolean {
  const [x1, y1, x2, y2] = box;
  const shown = () => `x1 ${short(x1)}, y1 ${short(y1)}, x2 ${short(x2)}, y2 ${short(y2)}`;
  if (!(Number.isFinite(x1) && Number.isFinite(y1) && Number.isFinite(x2) && Number.isFinite(y2))) {
    report.add('malformed-number', `expected finite box coordinates, got ${shown()}`, place);
    return false;
  }
  if (x2 < x1 || y2 < y1) {
    report.add(
      'negative-size',
      `box of width ${short(x2 - x1)} and height ${short(y2 - y1)} (${shown()})`,
      place,
    );
    return false;
  }
  if (x1 === x2 || y1 === y2) report.add('zero-area', `box without area (${shown()})`, place);
  if (width > 0 && height > 0) {
    const beyond = Math.max(-x1, -y1, x2 - width, y2 - height);
    if (beyond > tolerance) {
      report.add(
        'box-outside',
        `box reaches ${short(beyond)} pixels beyond its image of ${width}×${height} (${shown()})`,
        place,
      );
    }
  }
  return true;
}

/** A number as a person reads it: at most three decimals. */
export const short = (value: number): string => String(Math.round(value * 1000) / 1000);
