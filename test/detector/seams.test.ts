/** Objects across seams: the boxes that are compared are found along the seams, and join as where all pairs are. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinSeams } from '../../src/detector/tiled/seams.ts';
import { type Tile, tileGrid } from '../../src/detector/tiled/tile-grid.ts';
import { Detections } from '../../src/index.ts';

type Box = readonly number[];

const iouOf = (a: Box, b: Box): number => {
  const width = Math.min(a[2]!, b[2]!) - Math.max(a[0]!, b[0]!);
  const height = Math.min(a[3]!, b[3]!) - Math.max(a[1]!, b[1]!);
  if (!(width > 0 && height > 0)) return 0;
  const area = (box: Box) => (box[2]! - box[0]!) * (box[3]! - box[1]!);
  return (width * height) / (area(a) + area(b) - width * height);
};

/** The pairs to join by the definition: every pair of a picture, most alike first, ties in order. */
function alikePairs(found: Detections, tileOf: readonly Tile[], likeness: number, byClass: boolean) {
  const boxOf = (i: number): Box => [...found.boxes.subarray(4 * i, 4 * i + 4)];
  const edges = ({ x, y, width, height }: Tile): Box => [x, y, x + width, y + height];
  const within = (box: Box, tile: Box): Box =>
    box.map((side, k) => (k < 2 ? Math.max(side, tile[k]!) : Math.min(side, tile[k]!)));
  /** Whether `i` ends at a border of its tile which `j` crosses. */
  const goesOn = (i: number, j: number): boolean => {
    const [box, other, tile] = [boxOf(i), boxOf(j), edges(tileOf[i]!)];
    return box.some((side, k) => {
      const axis = k % 2;
      const margin = (tile[axis + 2]! - tile[axis]!) / 50;
      const ends = Math.abs(side - tile[k]!) < margin;
      return ends && other[axis]! < tile[k]! - margin && other[axis + 2]! > tile[k]! + margin;
    });
  };
  const pairs: [number, number, number][] = [];
  for (let i = 0; i < found.count; i++) {
    for (let j = i + 1; j < found.count; j++) {
      if (tileOf[i] === tileOf[j] || (byClass && found.classIds[i] !== found.classIds[j])) continue;
      const cutBy = [...(goesOn(i, j) ? [i] : []), ...(goesOn(j, i) ? [j] : [])];
      if (cutBy.length === 0) continue;
      const [a, b] = [i, j].map((row) =>
        cutBy.reduce<Box>((box, by) => within(box, edges(tileOf[by]!)), boxOf(row)),
      );
      const alike = iouOf(a!, b!);
      if (alike > likeness) pairs.push([alike, i, j]);
    }
  }
  return pairs.sort((a, b) => b[0] - a[0]);
}

/** What is left of the pairs: groups, each with its best row and the box around all. */
function groupsOf(found: Detections, tileOf: readonly Tile[], likeness: number, byClass: boolean) {
  const groups = Array.from({ length: found.count }, (_, i) => i);
  const joined = new Set<string>();
  const key = (i: number, tile: Tile) => `${i} ${tile.x} ${tile.y}`;
  for (const [, i, j] of alikePairs(found, tileOf, likeness, byClass)) {
    if (joined.has(key(i, tileOf[j]!)) || joined.has(key(j, tileOf[i]!))) continue;
    joined.add(key(i, tileOf[j]!)).add(key(j, tileOf[i]!));
    const [from, to] = [Math.max(groups[i]!, groups[j]!), Math.min(groups[i]!, groups[j]!)];
    groups.forEach((group, row) => {
      if (group === from) groups[row] = to;
    });
  }
  const kept = [...new Set(groups)].sort((a, b) => a - b);
  const around = kept.map((best) => {
    const rows = [...groups.keys()].filter((row) => groups[row] === best);
    return [0, 1, 2, 3].map((k) =>
      (k < 2 ? Math.min : Math.max)(...rows.map((row) => found.boxes[4 * row + k]!)),
    );
  });
  return { kept, around };
}

const size = { width: 200, height: 160 };
const grid = tileGrid(size, { tile: { width: 64, height: 50 }, overlap: 0.3 });

/** Objects of any size, seen by every tile they lie in, each part a little off. */
const picture = fc
  .array(
    fc.record({
      x: fc.integer({ min: -5, max: 195 }),
      y: fc.integer({ min: -5, max: 155 }),
      width: fc.integer({ min: 0, max: 150 }),
      height: fc.integer({ min: 0, max: 120 }),
      classId: fc.integer({ min: 0, max: 1 }),
      shake: fc.array(fc.constantFrom(-1, 0, 0, 0, 0.5, 1), { minLength: 4, maxLength: 4 }),
    }),
    { maxLength: 10 },
  )
  .map((objects) => {
    const [boxes, classIds, tiles]: [number[], number[], Tile[]] = [[], [], []];
    objects.forEach(({ x, y, width, height, classId, shake }, o) => {
      grid.forEach((tile, t) => {
        const part = [
          Math.max(x, tile.x),
          Math.max(y, tile.y),
          Math.min(x + width, tile.x + tile.width),
          Math.min(y + height, tile.y + tile.height),
        ];
        if (part[0]! > part[2]! || part[1]! > part[3]!) return;
        boxes.push(...part.map((side, k) => side + shake[(k + t + o) % 4]!));
        classIds.push(classId);
        tiles.push(tile);
      });
    });
    const found = Detections.from({
      boxes,
      scores: classIds.map((_, i) => 1 - i / (classIds.length + 1)),
      classIds,
      classNames: [],
      imageSize: size,
    });
    return { found, tiles };
  });

describe('joinSeams', () => {
  it.each(['class', 'agnostic'] as const)('joins what comparing all pairs joins (%s)', (scope) => {
    let joinedOnce = 0;
    fc.assert(
      fc.property(picture, fc.constantFrom(0.5, 0.8), ({ found, tiles }, likeness) => {
        const { kept, around } = groupsOf(found, tiles, likeness, scope === 'class');
        const stays = joinSeams(found, tiles, likeness, scope, false);
        expect([...stays.scores]).toEqual(kept.map((i) => found.scores[i]));
        expect([...stays.boxes]).toEqual(kept.flatMap((i) => [...found.boxes.subarray(4 * i, 4 * i + 4)]));
        const grown = joinSeams(found, tiles, likeness, scope, true);
        expect([...grown.boxes]).toEqual(around.flat());
        if (kept.length < found.count) joinedOnce++;
      }),
      { numRuns: 300 },
    );
    expect(joinedOnce).toBeGreaterThan(100);
  });

  it('leaves boxes with a coordinate that is no number as they are', () => {
    const tiles = [grid[0]!, grid[1]!, grid[0]!];
    const boxes = [10, 10, 64, 40, Number.NaN, 10, 90, 40, 10, Number.NaN, 64, 40];
    const found = Detections.from({
      boxes,
      scores: [0.9, 0.8, 0.7],
      classIds: [0, 0, 0],
      classNames: [],
      imageSize: size,
    });
    expect([...joinSeams(found, tiles, 0.8, 'class', true).boxes]).toEqual(boxes);
  });

  it('compares boxes along the seams only', () => {
    // 4 000 boxes of 4 px in rows, every other cut at 64 and the next going on
    const count = 4_000;
    const area = { width: 200, height: 20_000 };
    const [left, right]: [Tile, Tile] = [
      { x: 0, y: 0, width: 64, height: area.height },
      { x: 50, y: 0, width: 150, height: area.height },
    ];
    const boxes = new Float32Array(4 * count);
    const tiles: Tile[] = [];
    for (let i = 0; i < count; i++) {
      const at = i >> 1;
      const first = i % 2 === 0;
      boxes.set(first ? [40, 10 * at, 64, 10 * at + 4] : [40, 10 * at, 90, 10 * at + 4], 4 * i);
      tiles.push(first ? left : right);
    }
    let reads = 0;
    const counting = new Proxy(tiles, {
      get(target, key, receiver) {
        reads++;
        return Reflect.get(target, key, receiver);
      },
    });
    const found = Detections.from({
      boxes,
      scores: new Float32Array(count).fill(0.5),
      classIds: new Int32Array(count),
      classNames: [],
      imageSize: area,
    });
    expect(joinSeams(found, counting, 0.8, 'class', true).count).toBe(count / 2);
    expect(reads).toBeLessThan(40 * count);
  });
});
