// The tiles of the kept boxes: how many there are, and which one a box looks into. `src/nms/tiles.ts` says why they are
// exact.
import { allocate } from './memory';
import { largestOf } from './sort';

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
export function swapped(box: v128): v128 {
  return v128.shuffle<i32>(box, box, 2, 3, 0, 1);
}

// Chooses the grid by a sample; false where no box of it has an area.
export function planGrid(boxes: usize, members: usize, count: i32): bool {
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
  const side: i32 = max(1, <i32>Math.round(Math.sqrt(<f64>count) / 8));
  // The middle four fifths of the sample and an eighth more on each side; the outermost tiles take what lies outside, so
  // a few boxes far away do not push all others into one tile.
  const low = v128.load(sample + (<usize>(sampled / 10) << 4));
  const middle = f32x4.sub(v128.load(sample + (<usize>(sampled * 9 / 10) << 4)), low);
  origin = f32x4.sub(low, f32x4.mul(middle, f32x4.splat(0.125)));
  const extentX = f32x4.extract_lane(middle, 0) * 1.25;
  const extentY = f32x4.extract_lane(middle, 1) * 1.25;
  columns = tilesAlong(extentX, f32x4.extract_lane(sizes, 0), sampled, side);
  rows = tilesAlong(extentY, f32x4.extract_lane(sizes, 1), sampled, side);
  const perX = tilesPerUnit(columns, extentX);
  const perY = tilesPerUnit(rows, extentY);
  scale = twice(perX, perY);
  last = twice(<f32>(columns - 1), <f32>(rows - 1));
  // Tiles are rounded to, not cut off at: half a tile further.
  const halfX: f32 = perX > 0 ? <f32>0.5 / perX : 0;
  const halfY: f32 = perY > 0 ? <f32>0.5 / perY : 0;
  origin = f32x4.add(origin, twice(halfX, halfY));
  return true;
}

// [x, y, x, y]
function twice(x: f32, y: f32): v128 {
  return f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(x), 1, y), 3, y);
}

// Writes where the head of each box's tile lies, from 4 on, 0 for a box without area: apart from the loop that has to
// wait for the boxes before, so that this need not. False where float32 tiles would not be exact: products would
// overflow or lose digits.
export function placeAll(boxes: usize, members: usize, count: i32, places: usize): bool {
  const zero = f32x4.splat(0);
  const high = f32x4.splat(3e38);
  let widest = zero;
  let smallest = high;
  for (let i = 0; i < count; i++) {
    const box = v128.load(boxes + (<usize>load<u32>(members + (<usize>i << 2)) << 4));
    const other = swapped(box);
    const tile = tileOf(f32x4.add(box, other));
    const cell = i32x4.extract_lane(tile, 1) * columns + i32x4.extract_lane(tile, 0) + 1;
    const size = f32x4.sub(other, box);
    const sides = i32x4.bitmask(f32x4.gt(size, zero)) & 3;
    store<i32>(places + (<usize>i << 2), sides == 3 ? cell << 2 : 0);
    const area = f32x4.mul(size, v128.shuffle<i32>(size, size, 1, 0, 3, 2));
    const any = f32x4.gt(area, zero);
    widest = f32x4.pmax(v128.and(f32x4.abs(box), any), widest);
    smallest = f32x4.pmin(v128.bitselect(area, high, any), smallest);
  }
  // Floats from 0 on are in the order of their bits.
  const largest = reinterpret<f32>(largestOf(widest));
  // A few ulp of the largest coordinate: what rounding the sums can move a bound by.
  const ulps: f32 = largest * <f32>1e-6;
  margin = f32x4.mul(f32x4.splat(ulps), f32x4(1, 1, -1, -1));
  return f32x4.extract_lane(smallest, 0) > 1e-30 && largest < 1e18;
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

function tilesAlong(extent: f32, sum: f32, count: i32, side: i32): i32 {
  const core = (2.0 * <f64>reach * <f64>sum) / <f64>count;
  return max(1, <i32>min(<f64>side, Math.floor((3.0 * <f64>extent) / core)));
}

function tilesPerUnit(count: i32, extent: f32): f32 {
  const perUnit = <f32>count / extent;
  return perUnit < 3e38 ? perUnit : 0;
}

// Tile coordinates of four doubled positions, clamped into the grid. Adding 2^23 leaves a small number, rounded, in the
// last bits: all that matters is that the way there never turns two positions around.
// @ts-ignore: decorator
@inline
export function tileOf(position: v128): v128 {
  const place = f32x4.mul(f32x4.sub(position, origin), scale);
  const inside = f32x4.pmin(last, f32x4.pmax(f32x4.splat(0), place));
  return i32x4.sub(f32x4.add(inside, f32x4.splat(8388608)), i32x4.splat(0x4b000000));
}
