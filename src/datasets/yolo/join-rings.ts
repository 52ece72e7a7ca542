/** Several outlines as one, joined by bridges that are walked both ways and so have no area (as Ultralytics joins COCO's). */

/** One closed outline x, y, … that covers what all of them cover; each joins where it is nearest to those before it. */
export function joinRings(rings: readonly ArrayLike<number>[]): number[] {
  let joined: number[] = Array.from(rings[0]!);
  for (const ring of rings.slice(1)) {
    const [from, to] = nearestPoints(joined, ring);
    const loop: number[] = [];
    for (let k = 0; k <= ring.length; k += 2) {
      const at = (to + k) % ring.length;
      loop.push(ring[at]!, ring[at + 1]!);
    }
    // … a, (b … b), a …
    joined = [
      ...joined.slice(0, from + 2),
      ...loop,
      joined[from]!,
      joined[from + 1]!,
      ...joined.slice(from + 2),
    ];
  }
  return joined;
}

/** Places of the two nearest points; ties to the lower ones. */
function nearestPoints(a: readonly number[], b: ArrayLike<number>): [number, number] {
  let best = Number.POSITIVE_INFINITY;
  let places: [number, number] = [0, 0];
  for (let i = 0; i < a.length; i += 2) {
    for (let j = 0; j < b.length; j += 2) {
      const distance = (a[i]! - b[j]!) ** 2 + (a[i + 1]! - b[j + 1]!) ** 2;
      if (distance < best) {
        best = distance;
        places = [i, j];
      }
    }
  }
  return places;
}
