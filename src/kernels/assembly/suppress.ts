// Greedy suppression of one class in float32, eight kept boxes a step. `src/nms/tiles.ts` says why tiles are exact.
//
// Kept boxes lie in chunks of eight: x1 x 8, y1 x 8, x2 x 8, y2 x 8, area x 8, index x 8, then the address of the
// tile's next chunk. Empty places hold a box that intersects nothing.
import { allocate } from './memory';
import { columns, margin, oneTile, placeAll, planGrid, reach, reachFrom, rows, swapped, tileOf } from './tiles';

const CHUNK_BYTES: usize = 208;
const INDEX: usize = 160;
const NEXT: usize = 192;

// Whether the kept box suppresses the other by a metric the caller knows: asked only for pairs whose plain IoU allows it.
// @ts-ignore: decorator
@external("env", "confirm")
declare function confirm(index: i32, kept: i32): i32;

let confirming: bool = false;
// Below this many boxes one list is faster than building a grid.
const TILE_MINIMUM: i32 = 128;

let threshold: f32 = 0;
let above: v128 = f32x4.splat(0);
let near: v128 = f32x4.splat(0);
let beyond: v128 = f32x4.splat(0);
let tiled: bool = false;
let zeroPasses: bool = false;

// `floor` is the largest float32 at or below the threshold (for `>=`: below it); `bound` widens the cores. With `ask`
// the plain IoU only filters, at the bound, and `confirm` decides.
export function configure(floor: f32, bound: f64, ask: bool): void {
  confirming = ask;
  threshold = floor;
  zeroPasses = floor < 0;
  // inter > t * union decides everything but a band of a few ulp; inside it the quotient is computed as the
  // reference does.
  near = f32x4.splat(floor * (ask ? <f32>0.999998 : <f32>0.999999));
  above = f32x4.splat(floor);
  beyond = f32x4.splat(floor > 1e-30 ? floor * <f32>1.000001 : Infinity);
  tiled = reachFrom(bound);
}

function newChunk(): usize {
  const chunk = allocate(CHUNK_BYTES);
  const high = f32x4.splat(3e38);
  const low = f32x4.splat(-3e38);
  for (let at = chunk; at < chunk + 64; at += 16) {
    v128.store(at, high);
    v128.store(at, low, 64);
  }
  for (let at = chunk; at < chunk + 32; at += 16) {
    v128.store(at, f32x4.splat(0), 128);
    v128.store(at, i32x4.splat(-1), 160);
  }
  store<usize>(chunk, 0, NEXT);
  return chunk;
}

// Whether a box of the chunks from `chunk` on suppresses the box. The older half of a chunk is decided first: its boxes
// are the better ones, and often the only ones.
// @ts-ignore: decorator
@inline
function suppressed(chunk: usize, index: i32, x1: v128, y1: v128, x2: v128, y2: v128, area: v128): bool {
  while (chunk != 0) {
    if (halfSuppresses(chunk, index, x1, y1, x2, y2, area)) return true;
    if (halfSuppresses(chunk + 16, index, x1, y1, x2, y2, area)) return true;
    chunk = load<usize>(chunk, NEXT);
  }
  return false;
}

// @ts-ignore: decorator
@inline
function halfSuppresses(half: usize, index: i32, x1: v128, y1: v128, x2: v128, y2: v128, area: v128): bool {
  const zero = f32x4.splat(0);
  const width = f32x4.pmax(zero, f32x4.sub(f32x4.pmin(x2, v128.load(half, 64)), f32x4.pmax(x1, v128.load(half))));
  const height = f32x4.pmax(zero, f32x4.sub(f32x4.pmin(y2, v128.load(half, 96)), f32x4.pmax(y1, v128.load(half, 32))));
  const shared = f32x4.mul(width, height);
  const joint = f32x4.sub(f32x4.add(v128.load(half, 128), area), shared);
  const hit = f32x4.ge(shared, f32x4.mul(near, joint));
  if (!v128.any_true(hit)) return false;
  if (confirming) return confirmed(half, index, i32x4.bitmask(hit));
  if (v128.any_true(f32x4.gt(shared, f32x4.mul(beyond, joint)))) return true;
  return v128.any_true(f32x4.gt(f32x4.div(shared, joint), above));
}

function confirmed(half: usize, index: i32, lanes: i32): bool {
  while (lanes != 0) {
    const kept = load<i32>(half + (<usize>ctz(lanes) << 2), INDEX);
    if (kept >= 0 && confirm(index, kept)) return true;
    lanes &= lanes - 1;
  }
  return false;
}

// @ts-ignore: decorator
@inline
function append(chunk: usize, slot: i32, index: i32, x1: f32, y1: f32, x2: f32, y2: f32, area: f32): void {
  const at = chunk + (<usize>slot << 2);
  store<f32>(at, x1);
  store<f32>(at, y1, 32);
  store<f32>(at, x2, 64);
  store<f32>(at, y2, 96);
  store<f32>(at, area, 128);
  store<i32>(at, index, INDEX);
}

// Suppresses among the boxes members[0..count), best first; writes 1 or 0 to flags[0..count), returns how many are
// kept, at most `limit`.
export function suppress(boxes: usize, members: usize, count: i32, limit: i32, flags: usize): i32 {
  memory.fill(flags, 0, count);
  if (zeroPasses) {
    // Every IoU passes a threshold below 0: only the best box stays.
    const kept = min(min(count, limit), 1);
    if (kept == 1) store<u8>(flags, 1);
    return kept;
  }
  const places = allocate(<usize>count << 2);
  const gridded = count >= TILE_MINIMUM && tiled && planGrid(boxes, members, count);
  if (!(gridded && placeAll(boxes, members, count, places))) {
    oneTile();
    placeAll(boxes, members, count, places);
  }
  return overTiles(boxes, members, count, limit, flags, places);
}

function overTiles(
  boxes: usize,
  members: usize,
  count: i32,
  limit: i32,
  flags: usize,
  places: usize,
): i32 {
  const tiles: usize = <usize>(columns * rows);
  // A tile: head, tail, used places of the tail.
  const heads = allocate(tiles << 2);
  const tails = allocate(tiles << 2);
  const fills = allocate(tiles << 2);
  memory.fill(heads, 0, tiles << 2);
  memory.fill(fills, 0, tiles << 2);
  const reaches = f32x4.splat(reach);
  let kept = 0;
  for (let i = 0; i < count && kept < limit; i++) {
    const place = load<usize>(places + (<usize>i << 2));
    if (place == 0) {
      // No area: its IoU with anything is 0, it neither suppresses nor is suppressed.
      store<u8>(flags + i, 1);
      kept++;
      continue;
    }
    const index = load<i32>(members + (<usize>i << 2));
    const box = v128.load(boxes + (<usize>index << 4));
    const x1 = v128.shuffle<i32>(box, box, 0, 0, 0, 0);
    const y1 = v128.shuffle<i32>(box, box, 1, 1, 1, 1);
    const x2 = v128.shuffle<i32>(box, box, 2, 2, 2, 2);
    const y2 = v128.shuffle<i32>(box, box, 3, 3, 3, 3);
    const width = f32x4.sub(x2, x1);
    const area = f32x4.mul(width, f32x4.sub(y2, y1));
    if (suppressed(load<usize>(heads + place - 4), index, x1, y1, x2, y2, area)) continue;
    store<u8>(flags + i, 1);
    kept++;
    const other = swapped(box);
    const size = f32x4.sub(other, box);
    const centre = f32x4.add(box, other);
    const core = tileOf(f32x4.sub(centre, f32x4.add(f32x4.mul(reaches, size), margin)));
    const firstColumn = i32x4.extract_lane(core, 0);
    const lastColumn = i32x4.extract_lane(core, 2);
    const lastRow = i32x4.extract_lane(core, 3);
    for (let row = i32x4.extract_lane(core, 1); row <= lastRow; row++) {
      for (let column = firstColumn; column <= lastColumn; column++) {
        const at = <usize>(row * columns + column) << 2;
        const fill = load<i32>(fills + at);
        let tail = load<usize>(tails + at);
        if ((fill & 7) == 0) {
          const chunk = newChunk();
          if (fill == 0) store<usize>(heads + at, chunk);
          else store<usize>(tail, chunk, NEXT);
          store<usize>(tails + at, chunk);
          tail = chunk;
        }
        append(
          tail,
          fill & 7,
          index,
          f32x4.extract_lane(box, 0),
          f32x4.extract_lane(box, 1),
          f32x4.extract_lane(box, 2),
          f32x4.extract_lane(box, 3),
          f32x4.extract_lane(area, 0),
        );
        store<i32>(fills + at, fill + 1);
      }
    }
  }
  return kept;
}
