// The tiles of the kept boxes: how many there are, and which one a box looks into. `src/nms/tiles.ts` says why they are
// exact.
import { allocate } from './memory';

// A box in score order: x1, y1, x2, y2, area, place.
export const ROW_BYTES: usize = 24;
export const TILE_BYTES: usize = 16;

export let reach: f32 = 0;
export let columns: i32 = 1;
export let rows: i32 = 1;
let origin: v128 = f32x4.splat(0);
let scale: v128 = f32x4.splat(0);
export let margin: v128 = f32x4.splat(0);
let last: v128 = f32x4.splat(0);

// How far the core of a box reaches where two overlapping boxes have at least this IoU; false where tiles do not pay.
export function reachFrom(bound: f64): bool {
  const tiled = bound >= 0.05;
  reach = tiled ? <f32>(1.0 / (bound * 0.99999) - 1.0) : 0;
  return tiled;
}

// A plain list.
export function oneTile(): void {
  columns = 1;
  rows = 1;
  scale = f32x4.splat(0);
  last = f32x4.splat(0);
}

// Doubled centre and size of a box as [cx, cy, cx, cy] and [w, h, -w, -h].
// @ts-ignore: decorator
@inline
function swapped(box: v128): v128 {
  return v128.shuffle<i32>(box, box, 2, 3, 0, 1);
}

// Chooses the grid by a sample; false where no box of it has an area. `widest` bounds the coordinates.
export function planGrid(boxes: usize, members: usize, count: i32, widest: f32): bool {
  const sample = allocate(512);
  // Sixteen boxes, or 32 of many.
  const places = count < 2048 ? 16 : 32;
  const stride = (count + places - 1) / places;
  let sampled: i32 = 0;
  let sizes = f32x4.splat(0);
  for (let i = 0; i < count; i += stride) {
    const box = v128.load(boxes + (<usize>load<u32>(members + (<usize>i << 2)) << 4));
    const other = swapped(box);
    const size = f32x4.sub(other, box);
    // Only boxes with area meet others; the rest stay out of the plan.
    if ((i32x4.bitmask(f32x4.gt(size, f32x4.splat(0))) & 3) != 3) continue;
    sampled = insert(sample, sampled, f32x4.add(box, other));
    sizes = f32x4.add(sizes, size);
  }
  if (sampled == 0) return false;
  const side = max<f32>(1, sqrt<f32>(<f32>count) * 0.25 + 0.5);
  // The middle four fifths of the sample and an eighth more on each side; the outermost tiles take what lies outside, so
  // a few boxes far away do not push all others into one tile.
  const low = v128.load(sample + (<usize>(sampled / 10) << 4));
  const middle = f32x4.sub(v128.load(sample + (<usize>(sampled * 9 / 10) << 4)), low);
  origin = f32x4.sub(low, f32x4.mul(middle, f32x4.splat(0.125)));
  const extentX = f32x4.extract_lane(middle, 0) * 1.25;
  const extentY = f32x4.extract_lane(middle, 1) * 1.25;
  columns = tilesAlong(extentX, f32x4.extract_lane(sizes, 0), sampled, side);
  rows = tilesAlong(extentY, f32x4.extract_lane(sizes, 1), sampled, side);
  // Positions are rounded to tiles: the first and the last begin and end in the middle.
  scale = twice(tilesPerUnit(columns - 1, extentX), tilesPerUnit(rows - 1, extentY));
  last = twice(<f32>(columns - 1), <f32>(rows - 1));
  // A few ulp of the largest coordinate: what rounding the sums can move a bound by.
  margin = f32x4.splat(widest * <f32>1e-6);
  return true;
}

// [x, y, x, y]
function twice(x: f32, y: f32): v128 {
  return f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(x), 1, y), 3, y);
}

// Brings the boxes into score order, with area and place: where a box's tile lies, from 16 on, 0 for a box without area.
// Apart from the loop that has to wait for the boxes before, so that this need not. Four at a time: there is room for
// three more. False where float32 tiles would not be exact: areas so small that products lose digits.
export function arrange(boxes: usize, members: usize, count: i32, ordered: usize): bool {
  const zero = f32x4.splat(0);
  const originX = f32x4.splat(f32x4.extract_lane(origin, 0));
  const originY = f32x4.splat(f32x4.extract_lane(origin, 1));
  const scaleX = f32x4.splat(f32x4.extract_lane(scale, 0));
  const scaleY = f32x4.splat(f32x4.extract_lane(scale, 1));
  const lastX = f32x4.splat(f32x4.extract_lane(last, 0));
  const lastY = f32x4.splat(f32x4.extract_lane(last, 1));
  const perRow = i32x4.splat(columns);
  let tiny = zero;
  // The last block may read three indices behind the members: other members, or 0.
  for (let i = 0; i < count; i += 4) {
    const from = members + (<usize>i << 2);
    const a = v128.load(boxes + (<usize>load<u32>(from) << 4));
    const b = v128.load(boxes + (<usize>load<u32>(from, 4) << 4));
    const c = v128.load(boxes + (<usize>load<u32>(from, 8) << 4));
    const d = v128.load(boxes + (<usize>load<u32>(from, 12) << 4));
    const starts = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const ends = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const moreStarts = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const moreEnds = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    const x1 = v128.shuffle<f32>(starts, moreStarts, 0, 1, 4, 5);
    const y1 = v128.shuffle<f32>(starts, moreStarts, 2, 3, 6, 7);
    const x2 = v128.shuffle<f32>(ends, moreEnds, 0, 1, 4, 5);
    const y2 = v128.shuffle<f32>(ends, moreEnds, 2, 3, 6, 7);
    const width = f32x4.sub(x2, x1);
    const height = f32x4.sub(y2, y1);
    const area = f32x4.mul(width, height);
    const sides = v128.and(f32x4.gt(width, zero), f32x4.gt(height, zero));
    tiny = v128.or(tiny, v128.and(sides, f32x4.lt(area, f32x4.splat(1e-30))));
    const column = alongAxis(f32x4.add(x1, x2), originX, scaleX, lastX);
    const row = alongAxis(f32x4.add(y1, y2), originY, scaleY, lastY);
    const cell = i32x4.add(i32x4.add(i32x4.mul(row, perRow), column), i32x4.splat(1));
    const place = v128.and(sides, i32x4.shl(cell, 4));
    v128.store(ordered, a);
    v128.store(ordered, b, 24);
    v128.store(ordered, c, 48);
    v128.store(ordered, d, 72);
    const rest = v128.shuffle<i32>(area, place, 0, 4, 1, 5);
    const moreRest = v128.shuffle<i32>(area, place, 2, 6, 3, 7);
    v128.store64_lane(ordered, rest, 0, 16);
    v128.store64_lane(ordered, rest, 1, 40);
    v128.store64_lane(ordered, moreRest, 0, 64);
    v128.store64_lane(ordered, moreRest, 1, 88);
    ordered += 4 * ROW_BYTES;
  }
  return !v128.any_true(tiny);
}

// Puts the doubled centres into a sample that stays sorted along each axis; returns how many it holds.
function insert(sample: usize, size: i32, centre: v128): i32 {
  for (let at = sample; at < sample + (<usize>size << 4); at += 16) {
    const other = v128.load(at);
    v128.store(at, f32x4.pmin(other, centre));
    centre = f32x4.pmax(other, centre);
  }
  v128.store(sample + (<usize>size << 4), centre);
  return size + 1;
}

function tilesAlong(extent: f32, sum: f32, count: i32, side: f32): i32 {
  return max(1, <i32>min<f32>(side, (1.5 * extent * <f32>count) / (reach * sum)));
}

function tilesPerUnit(count: i32, extent: f32): f32 {
  const perUnit = <f32>count / extent;
  return perUnit < 3e38 ? perUnit : 0;
}

// Tile coordinates of two doubled positions.
// @ts-ignore: decorator
@inline
export function tileOf(position: v128): v128 {
  return alongAxis(position, origin, scale, last);
}

// Clamped into the grid. Adding 2^23 leaves a small number, rounded, in the last bits: all that matters is that the way
// there never turns two positions around.
// @ts-ignore: decorator
@inline
function alongAxis(position: v128, start: v128, perUnit: v128, end: v128): v128 {
  const place = f32x4.mul(f32x4.sub(position, start), perUnit);
  const inside = f32x4.pmin(end, f32x4.pmax(f32x4.splat(0), place));
  return i32x4.sub(f32x4.add(inside, f32x4.splat(8388608)), i32x4.splat(0x4b000000));
}
