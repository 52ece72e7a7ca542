/**
 * Who moves through the clip and how: eight handwritten digits of the held-out part, each drifting along a lane, bobbing,
 * turning and breathing.
 *
 * All movements have a whole number of cycles in the clip, so that it can be played in a loop without a jump.
 */
import { type Digit, loadDigits } from '../../models/digits/synthesis/digits.ts';
import { type Glyph, warpDigit } from '../../models/digits/synthesis/glyph.ts';
import { hashSeed, Random } from '../../models/digits/synthesis/random.ts';

export const clip = { width: 320, height: 240, frameCount: 300, framesPerSecond: 25, seed: 21 } as const;

/** One digit's part in the clip. */
export interface Actor {
  readonly trackId: number;
  readonly digit: Digit;
  readonly ink: readonly [number, number, number];
  /** Longest side of the tight box, pixels, on average. */
  readonly size: number;
  readonly aspect: number;
  readonly shear: number;
  readonly penLevel: number;
  /** Middle of its lane, pixels. */
  readonly lane: number;
  /** Whole passes over the clip; negative runs right to left. */
  readonly passes: number;
  /** Part of a pass done at frame 0. */
  readonly phase: number;
  readonly bob: { readonly reach: number; readonly cycles: number; readonly phase: number };
  readonly turn: { readonly reach: number; readonly cycles: number; readonly phase: number };
}

/** A warped digit and where its mask's top left corner lies in the frame, pixels. */
export interface Placed {
  readonly glyph: Glyph;
  readonly x: number;
  readonly y: number;
}

const lanes = 4;
const margin = 50;
const inks = [
  [20, 24, 60],
  [120, 16, 24],
  [12, 70, 40],
  [40, 20, 10],
  [90, 24, 110],
] as const;

/** The digits of the clip, two a lane, the later ones drawn over the earlier. */
export function createActors(): readonly Actor[] {
  const digits = loadDigits('heldOut');
  const random = new Random(hashSeed(clip.seed));
  const labels = [3, 7, 2, 9, 5, 0, 8, 4];
  const speeds = Array.from({ length: lanes }, (_, lane) => (lane % 2 === 0 ? 1 : -1) * (lane === 1 ? 2 : 1));
  return labels.map((label, i) => {
    const lane = i % lanes;
    return {
      trackId: i + 1,
      digit: random.pick(digits[label]),
      ink: inks[i % inks.length],
      size: random.range([34, 62]),
      aspect: random.range([0.9, 1.15]),
      shear: random.range([-0.15, 0.15]),
      penLevel: random.range([0.38, 0.5]),
      lane: (clip.height * (lane + 0.5)) / lanes,
      passes: speeds[lane],
      phase: (lane * 0.37 + (i >= lanes ? 0.5 : 0)) % 1,
      bob: { reach: random.range([3, 10]), cycles: random.integer([2, 4]), phase: random.next() },
      turn: { reach: random.range([0.1, 0.35]), cycles: random.integer([2, 5]), phase: random.next() },
    };
  });
}

/** Where an actor is in a frame. */
export function placeActor(actor: Actor, frame: number): Placed | null {
  const time = frame / clip.frameCount;
  const wave = (cycles: number, phase: number) => Math.sin(2 * Math.PI * (cycles * time + phase));
  const along = (((actor.passes * time + actor.phase) % 1) + 1) % 1;
  const centreX = -margin + along * (clip.width + 2 * margin);
  const centreY = actor.lane + actor.bob.reach * wave(actor.bob.cycles, actor.bob.phase);
  const left = Math.floor(centreX);
  const top = Math.floor(centreY);
  const glyph = warpDigit(
    actor.digit,
    {
      longestSide: actor.size * (1 + 0.12 * wave(2, actor.bob.phase)),
      rotation: actor.turn.reach * wave(actor.turn.cycles, actor.turn.phase),
      shear: actor.shear,
      aspect: actor.aspect,
      penLevel: actor.penLevel,
    },
    centreX - left,
    centreY - top,
  );
  if (glyph === null) return null;
  return { glyph, x: left - (glyph.width >> 1), y: top - (glyph.height >> 1) };
}
