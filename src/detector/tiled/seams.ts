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

/** Whether a box crosses a border. */
const across = (box: Corners, { axis, border, margin }: Cut): boolean =>
  box[axis] < border - margin && box[axis + 2] > border + margin;

/** Whether a box crosses one of the borders. */
const crosses = (box: Corners, cuts: readonly Cut[]): boolean => cuts.some((cut) => across(box, cut));

/** Boxes by where they begin on an axis, and how far those up to each reach. */
interface Line {
  readonly rows: readonly number[];
  readonly reach: readonly number[];
}

function lineOf(rows: number[], corners: readonly Corners[], axis: number): Line {
  rows.sort((i, j) => corners[i][axis] - corners[j][axis]);
  let furthest = Number.NEGATIVE_INFINITY;
  return { rows, reach: rows.map((i) => (furthest = Math.max(furthest, corners[i][axis + 2]))) };
}

/** Visits the boxes of a line that share some of an axis with `box`. */
function along(
  { rows, reach }: Line,
  corners: readonly Corners[],
  axis: number,
  box: Corners,
  visit: (row: number) => void,
): void {
  let [from, to] = [0, rows.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (corners[rows[middle]][axis] < box[axis + 2]) from = middle + 1;
    else to = middle;
  }
  for (let at = from - 1; at >= 0 && reach[at] > box[axis]; at--) {
    if (corners[rows[at]][axis + 2] > box[axis]) visit(rows[at]);
  }
}

/** Visits every pair, maybe twice, of a box that a border cuts and one across that border beside it. */
function visitAcross(
  corners: readonly Corners[],
  cuts: readonly (readonly Cut[])[],
  visit: (i: number, j: number) => void,
): void {
  const proper = [...corners.keys()].filter((i) => {
    const [x1, y1, x2, y2] = corners[i];
    return x1 < x2 && y1 < y2;
  });
  const lines = new Map<string, Line>();
  for (const i of proper) {
    for (const cut of cuts[i]) {
      const { axis, border, margin } = cut;
      const key = `${axis} ${border} ${margin}`;
      let line = lines.get(key);
      if (line === undefined) {
        const rows = proper.filter((j) => across(corners[j], cut));
        lines.set(key, (line = lineOf(rows, corners, 1 - axis)));
      }
      along(line, corners, 1 - axis, corners[i], (j) => visit(i, j));
    }
  }
}

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
  const compared = new Set<number>();
  visitAcross(corners, cuts, (one, other) => {
    const [i, j] = one < other ? [one, other] : [other, one];
    if (tileOf[i] === tileOf[j] || (scope === 'class' && classIds[i] !== classIds[j])) return;
    if (compared.has(i * count + j)) return;
    compared.add(i * count + j);
    const [a, b] = [corners[i], corners[j]];
    const [aGoesOn, bGoesOn] = [crosses(b, cuts[i]), crosses(a, cuts[j])];
    const seen = (box: Corners): Corners => {
      const byA = aGoesOn ? inside(box, tiles[i]) : box;
      return bGoesOn ? inside(byA, tiles[j]) : byA;
    };
    const alike = cornersIou(seen(a), seen(b));
    if (alike > likeness) pairs.push([alike, i, j]);
  });
  if (pairs.length === 0) return found;
  pairs.sort((a, b) => b[0] - a[0] || a[1] - b[1] || a[2] - b[2]);
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
