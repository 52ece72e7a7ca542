/** Powerful-IoU's P: mean distance of the four edges over the target's size. */
import { abs, add, type Expression, label, mul, ratio, select, sub } from './expression.ts';
import type { Terms } from './terms.ts';

/** Stands for a distance over a side of 0: far enough that e^(−P²) is 0. */
const far = 1e4;

export function cornerPenalty(terms: Terms): Expression {
  const { a, b } = terms;
  const share = (first: Expression, second: Expression, size: Expression): Expression => {
    const distance = add(abs(first), abs(second));
    return ratio(distance, abs(size), select(distance, 0, far, 0));
  };
  const across = share(sub(a.x1, b.x1), sub(a.x2, b.x2), b.width);
  const down = share(sub(a.y1, b.y1), sub(a.y2, b.y2), b.height);
  return label('cornerPenalty', mul(0.25, add(across, down)));
}
