/** Scenes: a pure function of their seed, with exact tight boxes, within the stated distribution, splits kept apart. */
import { describe, expect, it } from 'vitest';
import { distribution, photos } from '../../models/digits/distribution.ts';
import { glyphSide, loadDigits } from '../../models/digits/synthesis/digits.ts';
import { boxAlpha, warpDigit } from '../../models/digits/synthesis/glyph.ts';
import { hashSeed, Random } from '../../models/digits/synthesis/random.ts';
import { SceneSynthesiser } from '../../models/digits/synthesis/scene.ts';

/** Element-wise equality of large arrays; `toEqual` would take seconds. */
function sameBytes(a: Uint8ClampedArray, b: Uint8ClampedArray): boolean {
  return Buffer.from(a.buffer).equals(Buffer.from(b.buffer));
}

describe('scenes', () => {
  it('are the same in any order and any synthesiser', async () => {
    const one = await SceneSynthesiser.create({ seed: 5, split: 'heldOut' });
    const two = await SceneSynthesiser.create({ seed: 5, split: 'heldOut' });
    const forward = [0, 1, 2].map((index) => one.scene(index));
    const backward = [2, 1, 0].map((index) => two.scene(index)).reverse();
    forward.forEach((scene, i) => {
      expect(sameBytes(scene.data, backward[i].data)).toBe(true);
      expect(backward[i].boxes).toEqual(scene.boxes);
      expect(backward[i].classIds).toEqual(scene.classIds);
    });
    const other = await SceneSynthesiser.create({ seed: 6, split: 'heldOut' });
    expect(sameBytes(other.scene(0).data, forward[0].data)).toBe(false);
  });

  it('hold what the distribution says', async () => {
    const synthesiser = await SceneSynthesiser.create({ seed: 1, split: 'heldOut' });
    const counts = new Array<number>(9).fill(0);
    const classes = new Array<number>(10).fill(0);
    const sides: number[] = [];
    for (let index = 0; index < 200; index++) {
      const { boxes, classIds, width, height } = synthesiser.scene(index);
      counts[classIds.length]++;
      classIds.forEach((digit) => {
        classes[digit]++;
      });
      for (let i = 0; i < boxes.length; i += 4) {
        const [x1, y1, x2, y2] = boxes.subarray(i, i + 4);
        expect(x1).toBeGreaterThanOrEqual(0);
        expect(y1).toBeGreaterThanOrEqual(0);
        expect(x2).toBeLessThanOrEqual(width);
        expect(y2).toBeLessThanOrEqual(height);
        sides.push(Math.max(x2 - x1, y2 - y1));
      }
    }
    expect(counts[0]).toBe(0);
    expect(counts.slice(1).every((count) => count > 5)).toBe(true);
    expect(classes.every((count) => count > 45)).toBe(true);
    sides.sort((a, b) => a - b);
    const [low, high] = distribution.digits.longestSide;
    // Edges fall on pixels, so that a side can be off by a few; a digit cut by the edge can be shorter.
    expect(sides[Math.floor(sides.length * 0.02)]).toBeGreaterThanOrEqual(low - 2);
    expect(sides[sides.length - 1]).toBeLessThanOrEqual(high + 4);
    expect(sides[sides.length >> 1]).toBeGreaterThan(28);
    expect(sides[sides.length >> 1]).toBeLessThan(40);
  });

  it('can have another size and no alpha channel', async () => {
    const synthesiser = await SceneSynthesiser.create({
      seed: 1,
      split: 'training',
      width: 96,
      height: 128,
      channels: 3,
    });
    const scene = synthesiser.scene(0);
    expect([scene.width, scene.height, scene.data.length]).toEqual([96, 128, 96 * 128 * 3]);
  });
});

describe('the two parts', () => {
  it('share no digit and no photo', () => {
    const training = loadDigits('training');
    const heldOut = loadDigits('heldOut');
    for (let label = 0; label < 10; label++) {
      const trained = new Set(training[label].map(({ index }) => index));
      expect(heldOut[label].filter(({ index }) => trained.has(index))).toEqual([]);
      expect(heldOut[label].every(({ index }) => index % 5 === 0)).toBe(true);
      expect(training[label].length).toBeGreaterThan(3.5 * heldOut[label].length);
    }
    expect(photos.heldOut.filter((name) => (photos.training as readonly string[]).includes(name))).toEqual(
      [],
    );
  });

  it('share no handwriting under another index either', () => {
    const trained = new Set(loadDigits('training').flatMap((digits) => digits.map(({ ink }) => ink.join())));
    const repeated = loadDigits('heldOut').flatMap((digits) =>
      digits.filter(({ ink }) => trained.has(ink.join())),
    );
    expect(repeated).toEqual([]);
  });
});

describe('a warped digit', () => {
  it('has the box of its alpha, as large as asked', () => {
    const random = new Random(hashSeed(9));
    const digits = loadDigits('heldOut').flat();
    const errors: number[] = [];
    for (let n = 0; n < 300; n++) {
      const longestSide = random.logRange([14, 80]);
      const glyph = warpDigit(
        random.pick(digits),
        {
          longestSide,
          rotation: random.range([-0.4, 0.4]),
          shear: random.range([-0.2, 0.2]),
          aspect: random.range([0.85, 1.2]),
          penLevel: random.range([0.35, 0.55]),
        },
        random.next(),
        random.next(),
      )!;
      const box = [glyph.width, glyph.height, 0, 0];
      glyph.alpha.forEach((alpha, at) => {
        if (alpha < boxAlpha) return;
        const x = at % glyph.width;
        const y = Math.floor(at / glyph.width);
        box[0] = Math.min(box[0], x);
        box[1] = Math.min(box[1], y);
        box[2] = Math.max(box[2], x + 1);
        box[3] = Math.max(box[3], y + 1);
      });
      expect([...glyph.box]).toEqual(box);
      errors.push(Math.abs(Math.max(box[2] - box[0], box[3] - box[1]) - longestSide));
    }
    errors.sort((a, b) => a - b);
    expect(errors[270]).toBeLessThan(2);
  });

  it('stands upright and unmirrored: a 7 has its bar on top, a 1 is narrow', () => {
    const upright = { longestSide: 40, rotation: 0, shear: 0, aspect: 1, penLevel: 0.45 };
    const shape = (label: number) => {
      let top = 0;
      let bottom = 0;
      let ratio = 0;
      const digits = loadDigits('heldOut')[label];
      for (const digit of digits) {
        const { alpha, width, box } = warpDigit(digit, upright)!;
        ratio += (box[2] - box[0]) / (box[3] - box[1]) / digits.length;
        alpha.forEach((value, at) => {
          if (Math.floor(at / width) * 2 < box[1] + box[3]) top += value;
          else bottom += value;
        });
      }
      return { topHeavy: top / bottom, ratio };
    };
    expect(shape(7).topHeavy).toBeGreaterThan(1.15);
    expect(shape(6).topHeavy).toBeLessThan(0.9);
    expect(shape(1).ratio).toBeLessThan(0.6);
    expect(glyphSide).toBe(28);
  });
});
