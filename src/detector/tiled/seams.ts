/**
 * Objects that a tile cut and another goes on with: longer than what the tiles share, their parts overlap too little to
 * merge by their own overlap. Where the tiles look, though, the parts must be the same.
 */
import type { Detections } from '../../boxes/detections.ts';
import { cornersIou } from '../../nms/fusion.ts';
import type { Tile } from './tile-grid.ts';

type Corners = readonly [number, number, number, number];

const cornersOf = ({ x, y, width, height }: Tile): Corners => [x, y, x + width, y + height];

const inside = (a: Corners, b: Corners): Corners => [
  Math.max(a[0], b[0]),
  Math.max(a[1], b[1]),
  Math.min(a[2], b[2]),
  Math.min(a[3], b[3]),
];

/** A border of its tile that a box ends at, to 2 % of the tile's side: merging moves a cut side a little. */
interface Cut {
  readonly axis: number;
  readonly border: number;
  readonly margin: number;
}

function cutsOf(box: Corners, tile: Corners): Cut[] {
  return box.flatMap((side, k) => {
    const axis = k % 2;
    const cut = { axis, border: tile[k], margin: (tile[axis + 2] - tile[axis]) / 50 };
    return Math.abs(side - cut.border) < cut.margin ? [cut] : [];
  });
}

/** Whether a box crosses one of the borders. */
const crosses = (box: Corners, cuts: readonly Cut[]): boolean =>
  cuts.some(({ axis, border, margin }) => box[axis] < border - margin && box[axis + 2] > border + margin);

/**
 * Joins detections of different tiles, of which one ends where its tile does and the other goes on, if they are alike
 * inside the tiles that cut them: their IoU there is above `likeness`. Each joins at most one of another tile, the one
 * most alike. Of what is joined the best stays, with the box around all if `grow`, else as it is.
 *
 * `found` best first, `tileOf` the tile of each.
 */
export function joinSeams(
  found: Detections,
  tileOf: readonly Tile[],
  likeness: number,
  scope: 'class' | 'agnostic',
  grow: boolean,
): Detections {
  const { boxes, classIds, count } = found;
  const corners = tileOf.map((_, i) => [...boxes.subarray(4 * i, 4 * i + 4)] as unknown as Corners);
  const tiles = tileOf.map(cornersOf);
  const cuts = corners.map((box, i) => cutsOf(box, tiles[i]));
  const pairs: [alike: number, i: number, j: number][] = [];
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      if (tileOf[i] === tileOf[j] || (scope === 'class' && classIds[i] !== classIds[j])) continue;
      if (cuts[i].length + cuts[j].length === 0) continue;
      const [a, b] = [corners[i], corners[j]];
      const [aGoesOn, bGoesOn] = [crosses(b, cuts[i]), crosses(a, cuts[j])];
      if (!aGoesOn && !bGoesOn) continue;
      const seen = (box: Corners): Corners => {
        const byA = aGoesOn ? inside(box, tiles[i]) : box;
        return bGoesOn ? inside(byA, tiles[j]) : byA;
      };
      const alike = cornersIou(seen(a), seen(b));
      if (alike > likeness) pairs.push([alike, i, j]);
    }
  }
  if (pairs.length === 0) return found;
  pairs.sort((a, b) => b[0] - a[0]);
  const best = Array.from({ length: count }, (_, i) => i);
  const bestOf = (i: number): number => (best[i] === i ? i : bestOf(best[i]));
  const taken = best.map(() => new Set<Tile>());
  for (const [, i, j] of pairs) {
    if (taken[i].has(tileOf[j]) || taken[j].has(tileOf[i])) continue;
    taken[i].add(tileOf[j]);
    taken[j].add(tileOf[i]);
    const [p, q] = [bestOf(i), bestOf(j)];
    best[Math.max(p, q)] = Math.min(p, q);
  }
  const kept = Uint32Array.from(best.keys()).filter((i) => best[i] === i);
  if (!grow) return found.select(kept);
  const grown = boxes.slice();
  for (const [i, box] of corners.entries()) {
    const whole = grown.subarray(4 * bestOf(i));
    for (let k = 0; k < 4; k++) whole[k] = (k < 2 ? Math.min : Math.max)(whole[k], box[k]);
  }
  return found.with({ boxes: grown }).select(kept);
}
