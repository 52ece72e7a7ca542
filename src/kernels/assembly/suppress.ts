// Greedy suppression of one class in float32, eight kept boxes a step. `src/nms/tiles.ts` says why tiles are exact.
//
// Kept boxes lie in chunks of eight: x1 x 8, y1 x 8, x2 x 8, y2 x 8, area x 8, index x 8, then the address of the
// tile's next chunk. Empty places hold a point, which intersects nothing.
import { allocate } from './memory';
import {
  arrange,
  columns,
  margin,
  oneTile,
  planGrid,
  reach,
  reachFrom,
  ROW_BYTES,
  rows,
  TILE_BYTES,
  tileOf,
} from './tiles';

const CHUNK_BYTES: usize = 208;
const INDEX: usize = 160;
const NEXT: usize = 192;
// A tile: its first chunk, its last, how many boxes it has.
const TAIL: usize = 4;
const FILL: usize = 8;

// Whether the kept box suppresses the other by a metric the caller knows: asked only for pairs whose plain IoU allows it.
// @ts-ignore: decorator
@external("env", "confirm")
declare function confirm(index: i32, kept: i32): i32;

let confirming: bool = false;
// Below this many boxes one list is faster than building a grid.
const TILE_MINIMUM: i32 = 128;

let above: v128 = f32x4.splat(0);
let tiled: bool = false;

// `floor` is the largest float32 at or below the threshold (for `>=`: below it); `bound` widens the cores. With `ask`
// the plain IoU only filters, at the bound, and `confirm` decides.
export function configure(floor: f32, bound: f64, ask: bool): void {
  confirming = ask;
  // What asks may be off by a few ulp, and is asked for a little more.
  above = f32x4.splat(ask ? floor * <f32>0.999998 : floor);
  tiled = reachFrom(bound);
}

function newChunk(): usize {
  const chunk = allocate(CHUNK_BYTES);
  for (let at: usize = 0; at < CHUNK_BYTES; at += 16) v128.store(chunk + at, f32x4.splat(0));
  return chunk;
}

// Which of the four kept boxes are above the floor.
// @ts-ignore: decorator
@inline
function hits(half: usize, x1: v128, y1: v128, x2: v128, y2: v128, area: v128): v128 {
  const zero = f32x4.splat(0);
  const width = f32x4.pmax(zero, f32x4.sub(f32x4.pmin(x2, v128.load(half, 64)), f32x4.pmax(x1, v128.load(half))));
  // A height below 0 makes the ratio negative or -0: no hit, `above` is not below 0.
  const height = f32x4.sub(f32x4.pmin(y2, v128.load(half, 96)), f32x4.pmax(y1, v128.load(half, 32)));
  const shared = f32x4.mul(width, height);
  const joint = f32x4.sub(f32x4.add(v128.load(half, 128), area), shared);
  return f32x4.gt(f32x4.div(shared, joint), above);
}

// Whether a kept box suppresses the one at `at`. The older half of a chunk is decided first: its boxes are the better ones,
// and often the only ones. Nothing is needed after a call, so that no vector is saved before one.
// @ts-ignore: decorator
@inline
function suppressed(at: usize): bool {
  const box = v128.load(at);
  const x1 = v128.shuffle<i32>(box, box, 0, 0, 0, 0);
  const y1 = v128.shuffle<i32>(box, box, 1, 1, 1, 1);
  const x2 = v128.shuffle<i32>(box, box, 2, 2, 2, 2);
  const y2 = v128.shuffle<i32>(box, box, 3, 3, 3, 3);
  const area = v128.load32_splat(at, 16);
  for (let chunk = load<usize>(tiles + load<usize>(at, 20)); chunk != 0; chunk = load<usize>(chunk, NEXT)) {
    if (
      v128.any_true(hits(chunk, x1, y1, x2, y2, area)) ||
      v128.any_true(hits(chunk + 16, x1, y1, x2, y2, area))
    )
      return !confirming || confirmed(chunk, at);
  }
  return false;
}

// Whether one of the boxes from `chunk` on that are above the floor suppresses the box by the caller's metric.
function confirmed(chunk: usize, at: usize): bool {
  const index = load<i32>(members + placeOf(at));
  const box = v128.load(at);
  const x1 = v128.shuffle<i32>(box, box, 0, 0, 0, 0);
  const y1 = v128.shuffle<i32>(box, box, 1, 1, 1, 1);
  const x2 = v128.shuffle<i32>(box, box, 2, 2, 2, 2);
  const y2 = v128.shuffle<i32>(box, box, 3, 3, 3, 3);
  const area = v128.load32_splat(at, 16);
  for (; chunk != 0; chunk = load<usize>(chunk, NEXT)) {
    for (let half = chunk; half < chunk + 32; half += 16) {
      let lanes = i32x4.bitmask(hits(half, x1, y1, x2, y2, area));
      for (; lanes != 0; lanes &= lanes - 1) {
        if (confirm(index, load<i32>(half + (<usize>ctz(lanes) << 2), INDEX))) return true;
      }
    }
  }
  return false;
}

let tiles: usize = 0;
let ordered: usize = 0;
let members: usize = 0;
let flags: usize = 0;
let kept: i32 = 0;

// Suppresses among the boxes list[0..count), best first; writes 1 to marks[0..count) of the kept ones, moves them to the
// front of the list and returns how many they are, at most `limit`. `widest` bounds the coordinates.
export function suppress(
  boxes: usize,
  list: usize,
  count: i32,
  limit: i32,
  marks: usize,
  widest: f32,
): i32 {
  members = list;
  flags = marks;
  kept = 0;
  ordered = allocate(<usize>(count + 3) * ROW_BYTES);
  const gridded = tiled && count >= TILE_MINIMUM && widest < 1e18 && planGrid(boxes, members, count, widest);
  if (!(gridded && arrange(boxes, members, count, ordered))) {
    oneTile();
    arrange(boxes, members, count, ordered);
  }
  // The first tile is the one of boxes without area. It stays empty: their IoU with anything is 0.
  const bytes = <usize>(columns * rows + 1) * TILE_BYTES;
  tiles = allocate(bytes);
  memory.fill(tiles, 0, bytes);
  const end = ordered + <usize>count * ROW_BYTES;
  for (let at = ordered; at < end && kept < limit; at += ROW_BYTES) {
    if (!suppressed(at)) keep(at);
  }
  return kept;
}

// Bytes of the members before the box at `at`.
function placeOf(at: usize): usize {
  return ((at - ordered) / ROW_BYTES) << 2;
}

// Keeps a box, and enters it into the tiles that its core touches.
function keep(at: usize): void {
  const place = placeOf(at);
  const index = load<i32>(members + place);
  store<u8>(flags + (place >> 2), 1);
  store<i32>(members + (<usize>kept << 2), index);
  kept++;
  if (load<i32>(at, 20) == 0) return;
  const box = v128.load(at);
  // The core's corners as [left, top, right, bottom], doubled like the centre.
  const low = v128.shuffle<i32>(box, box, 0, 1, 0, 1);
  const high = v128.shuffle<i32>(box, box, 2, 3, 2, 3);
  const y1 = v128.shuffle<i32>(box, box, 1, 1, 1, 1);
  const y2 = v128.shuffle<i32>(box, box, 3, 3, 3, 3);
  const further = f32x4.add(f32x4.mul(f32x4.splat(reach), f32x4.sub(high, low)), margin);
  const centre = f32x4.add(low, high);
  const core = tileOf(v128.shuffle<i32>(f32x4.sub(centre, further), f32x4.add(centre, further), 0, 1, 6, 7));
  const firstColumn = i32x4.extract_lane(core, 0);
  const lastColumn = i32x4.extract_lane(core, 2);
  const lastRow = i32x4.extract_lane(core, 3);
  for (let row = i32x4.extract_lane(core, 1); row <= lastRow; row++) {
    for (let column = firstColumn; column <= lastColumn; column++) {
      const tile = tiles + <usize>(row * columns + column + 1) * TILE_BYTES;
      const fill = load<i32>(tile, FILL);
      let tail = load<usize>(tile, TAIL);
      if ((fill & 7) == 0) {
        const chunk = newChunk();
        if (fill == 0) store<usize>(tile, chunk);
        else store<usize>(tail, chunk, NEXT);
        store<usize>(tile, chunk, TAIL);
        tail = chunk;
      }
      const slot = tail + (<usize>(fill & 7) << 2);
      v128.store32_lane(slot, box, 0);
      v128.store32_lane(slot, y1, 0, 32);
      v128.store32_lane(slot, high, 0, 64);
      v128.store32_lane(slot, y2, 0, 96);
      store<f32>(slot, load<f32>(at, 16), 128);
      store<i32>(slot, index, INDEX);
      store<i32>(tile, fill + 1, FILL);
    }
  }
}
