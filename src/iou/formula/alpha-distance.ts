/** The distance term that α-DIoU and α-CIoU share: (|Δx|^2α + |Δy|^2α) / (Cw^2α + Ch^2α). */
import { abs, add, type Expression, mul, parameter, power, ratio } from './expression.ts';
import type { Terms } from './terms.ts';

export function alphaDistance(terms: Terms): Expression {
  const twiceAlpha = mul(2, parameter('alpha'));
  const distance = add(
    power(abs(terms.centreDeltaX), twiceAlpha),
    power(abs(terms.centreDeltaY), twiceAlpha),
  );
  const extent = add(power(terms.enclosingWidth, twiceAlpha), power(terms.enclosingHeight, twiceAlpha));
  return ratio(distance, add(extent, parameter('powerEps')), 0);
}
