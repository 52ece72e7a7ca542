// Greedy suppression of one class in float32, eight kept boxes a step. `src/nms/tiles.ts` says why tiles are exact.
//
// Kept boxes lie in chunks of eight: x1 x 8, y1 x 8, x2 x 8, y2 x 8, area x 8, index x 8, then the address of the
// tile's next chunk. Empty places hold a point, which intersects nothing.
import { allocate } from './memory';
import {
  arrange,
  BLOCK_BYTES,
  columns,
  margin,
  oneTile,
  planGrid,
  reach,
  reachFrom,
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

// Whether a box of the chunks from `chunk` on suppresses the box. The older half of a chunk is decided first: its boxes
// are the better ones, and often the only ones.
// @ts-ignore: decorator
@inline
function suppressed(chunk: usize, member: usize, x1: v128, y1: v128, x2: v128, y2: v128, area: v128): bool {
  while (chunk != 0) {
    if (halfSuppresses(chunk, member, x1, y1, x2, y2, area)) return true;
    if (halfSuppresses(chunk + 16, member, x1, y1, x2, y2, area)) return true;
    chunk = load<usize>(chunk, NEXT);
  }
  return false;
}

// @ts-ignore: decorator
@inline
function halfSuppresses(half: usize, member: usize, x1: v128, y1: v128, x2: v128, y2: v128, area: v128): bool {
  const zero = f32x4.splat(0);
  const width = f32x4.pmax(zero, f32x4.sub(f32x4.pmin(x2, v128.load(half, 64)), f32x4.pmax(x1, v128.load(half))));
  // A height below 0 makes the ratio negative or -0: no hit, `above` is not below 0.
  const height = f32x4.sub(f32x4.pmin(y2, v128.load(half, 96)), f32x4.pmax(y1, v128.load(half, 32)));
  const shared = f32x4.mul(width, height);
  const joint = f32x4.sub(f32x4.add(v128.load(half, 128), area), shared);
  const hit = f32x4.gt(f32x4.div(shared, joint), above);
  if (!v128.any_true(hit)) return false;
  return confirming ? confirmed(half, load<i32>(member), i32x4.bitmask(hit)) : true;
}

function confirmed(half: usize, index: i32, lanes: i32): bool {
  while (lanes != 0) {
    const kept = load<i32>(half + (<usize>ctz(lanes) << 2), INDEX);
    if (confirm(index, kept)) return true;
    lanes &= lanes - 1;
  }
  return false;
}

// Suppresses among the boxes members[0..count), best first; writes 1 or 0 to flags[0..count), moves the kept ones to the
// front of the members and returns how many they are, at most `limit`. `widest` bounds the coordinates.
export function suppress(
  boxes: usize,
  members: usize,
  count: i32,
  limit: i32,
  flags: usize,
  widest: f32,
): i32 {
  memory.fill(flags, 0, count);
  const blocks = allocate((<usize>(count + 3) >> 2) * BLOCK_BYTES);
  const gridded = tiled && count >= TILE_MINIMUM && widest < 1e18 && planGrid(boxes, members, count, widest);
  if (!(gridded && arrange(boxes, members, count, blocks))) {
    oneTile();
    arrange(boxes, members, count, blocks);
  }
  return overTiles(members, count, limit, flags, blocks);
}

function overTiles(members: usize, count: i32, limit: i32, flags: usize, blocks: usize): i32 {
  const bytes = <usize>(columns * rows) * TILE_BYTES;
  const tiles = allocate(bytes);
  memory.fill(tiles, 0, bytes);
  const reaches = f32x4.splat(reach);
  let kept = 0;
  for (let i = 0; i < count && kept < limit; i++) {
    const at = blocks + <usize>(i >> 2) * BLOCK_BYTES + (<usize>(i & 3) << 2);
    const place = load<usize>(at, 80);
    if (place == 0) {
      // No area: its IoU with anything is 0, it neither suppresses nor is suppressed.
      store<u8>(flags + i, 1);
      store<i32>(members + (<usize>kept << 2), load<i32>(members + (<usize>i << 2)));
      kept++;
      continue;
    }
    const x1 = v128.load32_splat(at);
    const y1 = v128.load32_splat(at, 16);
    const x2 = v128.load32_splat(at, 32);
    const y2 = v128.load32_splat(at, 48);
    const area = v128.load32_splat(at, 64);
    const member = members + (<usize>i << 2);
    if (suppressed(load<usize>(tiles + place - TILE_BYTES), member, x1, y1, x2, y2, area)) continue;
    store<u8>(flags + i, 1);
    const index = load<i32>(member);
    store<i32>(members + (<usize>kept << 2), index);
    kept++;
    // The core's corners as [left, top, right, bottom], doubled like the centre.
    const low = v128.shuffle<i32>(x1, y1, 0, 4, 0, 4);
    const high = v128.shuffle<i32>(x2, y2, 0, 4, 0, 4);
    const further = f32x4.add(f32x4.mul(reaches, f32x4.sub(high, low)), margin);
    const centre = f32x4.add(low, high);
    const core = tileOf(v128.shuffle<i32>(f32x4.sub(centre, further), f32x4.add(centre, further), 0, 1, 6, 7));
    const firstColumn = i32x4.extract_lane(core, 0);
    const lastColumn = i32x4.extract_lane(core, 2);
    const lastRow = i32x4.extract_lane(core, 3);
    for (let row = i32x4.extract_lane(core, 1); row <= lastRow; row++) {
      for (let column = firstColumn; column <= lastColumn; column++) {
        const tile = tiles + <usize>(row * columns + column) * TILE_BYTES;
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
        v128.store32_lane(slot, x1, 0);
        v128.store32_lane(slot, y1, 0, 32);
        v128.store32_lane(slot, x2, 0, 64);
        v128.store32_lane(slot, y2, 0, 96);
        v128.store32_lane(slot, area, 0, 128);
        store<i32>(slot, index, INDEX);
        store<i32>(tile, fill + 1, FILL);
      }
    }
  }
  return kept;
}
