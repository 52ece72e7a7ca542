/**
 * One scene: background, distractors, digits with exact boxes, then blur, tone and noise.
 *
 * A scene is a pure function of seed, index and split, on any machine and in any order. The boxes are those of the
 * warped alpha; what a later digit covers stays in the earlier one's box, and boxes are clipped to the picture.
 */
import { distribution, type Split } from '../distribution.ts';
import { paintBackground } from './backgrounds.ts';
import { Canvas } from './canvas.ts';
import { type Digit, loadDigits } from './digits.ts';
import { inkAgainst, paintDistractors, paintLine } from './distractors.ts';
import { type Glyph, warpDigit } from './glyph.ts';
import { loadPhotos, type Photo } from './photos.ts';
import { hashSeed, Random } from './random.ts';

/** What is known about a scene: `boxes` is x1, y1, x2, y2 a digit in pixels, `classIds` the digit itself. */
export interface GroundTruth {
  readonly boxes: Float32Array;
  readonly classIds: Int32Array;
}

export interface Scene extends GroundTruth {
  readonly width: number;
  readonly height: number;
  /** RGB or RGBA bytes, row-major. */
  readonly data: Uint8ClampedArray;
}

export interface SceneOptions {
  readonly seed: number;
  readonly split: Split;
  readonly width?: number;
  readonly height?: number;
  /** 3 for RGB, 4 for RGBA with opaque alpha. Default 4. */
  readonly channels?: 3 | 4;
}

/** Makes scenes of one seed and split. */
export class SceneSynthesiser {
  readonly #options: Required<SceneOptions>;
  readonly #digits: readonly (readonly Digit[])[];
  readonly #photos: readonly Photo[];
  readonly #canvas: Canvas;

  private constructor(options: Required<SceneOptions>, photos: readonly Photo[]) {
    this.#options = options;
    this.#digits = loadDigits(options.split);
    this.#photos = photos;
    this.#canvas = new Canvas(options.width, options.height);
  }

  /** Loads the digits and photos of the split. */
  static async create(options: SceneOptions): Promise<SceneSynthesiser> {
    const { size } = distribution;
    const complete = { width: size, height: size, channels: 4 as const, ...options };
    return new SceneSynthesiser(complete, await loadPhotos(options.split));
  }

  /** Scene number `index` of the seed. */
  scene(index: number): Scene {
    const { seed, split, width, height, channels } = this.#options;
    const random = new Random(hashSeed(seed, split === 'training' ? 1 : 2, index));
    const canvas = this.#canvas;
    paintBackground(canvas, this.#photos, random);
    const linesAbove = paintDistractors(canvas, random);
    const truth = paintDigits(canvas, this.#digits, random);
    for (let line = 0; line < linesAbove; line++) paintLine(canvas, random);
    const data = new Uint8ClampedArray(width * height * channels);
    develop(canvas, data, channels, random);
    return { width, height, data, ...truth };
  }
}

function paintDigits(
  canvas: Canvas,
  digits: readonly (readonly Digit[])[],
  random: Random,
): { boxes: Float32Array; classIds: Int32Array } {
  const options = distribution.digits;
  const boxes: number[] = [];
  const classIds: number[] = [];
  const crowded = random.chance(options.overlap.crowdedProbability);
  const mostShared = crowded ? options.overlap.crowded : options.overlap.usual;
  for (let left = random.integer(options.count); left > 0; left--) {
    const label = random.integer([0, 9]);
    const glyph = warpDigit(
      random.pick(digits[label]),
      {
        longestSide: random.logRange(options.longestSide),
        rotation: (random.range(options.rotation) * Math.PI) / 180,
        shear: random.range(options.shear),
        aspect: random.range(options.aspect),
        penLevel: random.range(options.penLevel),
      },
      random.next(),
      random.next(),
    );
    if (glyph === null) continue;
    const box = place(canvas, glyph, boxes, mostShared, random);
    if (box === null) continue;
    const contrast = random.range(options.contrast);
    const ink = inkAgainst(canvas.meanGrey(box[0], box[1], box[2], box[3]), contrast, random);
    paintGlyph(
      canvas,
      glyph,
      box[0] - glyph.box[0],
      box[1] - glyph.box[1],
      ink,
      random.range(options.opacity),
    );
    boxes.push(
      Math.max(0, box[0]),
      Math.max(0, box[1]),
      Math.min(canvas.width, box[2]),
      Math.min(canvas.height, box[3]),
    );
    classIds.push(label);
  }
  return { boxes: Float32Array.from(boxes), classIds: Int32Array.from(classIds) };
}

type Box = readonly [number, number, number, number];

/** A place for the glyph's tight box where it shares little with earlier ones; null when none was found. */
function place(
  canvas: Canvas,
  glyph: Glyph,
  boxes: readonly number[],
  mostShared: number,
  random: Random,
): Box | null {
  const options = distribution.digits;
  const width = glyph.box[2] - glyph.box[0];
  const height = glyph.box[3] - glyph.box[1];
  const outside = random.chance(options.truncation.probability) ? options.truncation.most : 0;
  const horizontally = random.chance(0.5);
  const outsideX = horizontally ? Math.floor(width * outside) : 0;
  const outsideY = horizontally ? 0 : Math.floor(height * outside);
  for (let attempt = 0; attempt < options.placementTries; attempt++) {
    const x = random.integer([-outsideX, canvas.width - width + outsideX]);
    const y = random.integer([-outsideY, canvas.height - height + outsideY]);
    const box: Box = [x, y, x + width, y + height];
    if (sharesAtMost(box, boxes, mostShared)) return box;
  }
  return null;
}

/** Whether no earlier box shares more than `most` of the smaller of the two. */
function sharesAtMost(box: Box, boxes: readonly number[], most: number): boolean {
  const area = (box[2] - box[0]) * (box[3] - box[1]);
  for (let i = 0; i < boxes.length; i += 4) {
    const across = Math.min(box[2], boxes[i + 2]) - Math.max(box[0], boxes[i]);
    const down = Math.min(box[3], boxes[i + 3]) - Math.max(box[1], boxes[i + 1]);
    if (across <= 0 || down <= 0) continue;
    const other = (boxes[i + 2] - boxes[i]) * (boxes[i + 3] - boxes[i + 1]);
    if (across * down > most * Math.min(area, other)) return false;
  }
  return true;
}

/** Lays a glyph's alpha in `ink` over the canvas, its top left corner at x, y; parts outside are cut. */
export function paintGlyph(
  canvas: Canvas,
  glyph: Glyph,
  x: number,
  y: number,
  ink: readonly [number, number, number],
  opacity: number,
): void {
  const firstRow = Math.max(0, -y);
  const lastRow = Math.min(glyph.height, canvas.height - y);
  const firstColumn = Math.max(0, -x);
  const lastColumn = Math.min(glyph.width, canvas.width - x);
  for (let row = firstRow; row < lastRow; row++) {
    for (let column = firstColumn; column < lastColumn; column++) {
      const alpha = glyph.alpha[row * glyph.width + column];
      if (alpha > 0) canvas.blend(x + column, y + row, ink, alpha * opacity);
    }
  }
}

/** Blur, contrast, brightness, inversion and noise, into bytes. */
function develop(canvas: Canvas, data: Uint8ClampedArray, channels: 3 | 4, random: Random): void {
  const options = distribution.photometric;
  if (random.chance(options.blur.probability)) {
    const weight = Math.min(1, random.range(options.blur.radius));
    canvas.blur(weight);
    canvas.blur(weight);
  }
  const contrast = random.range(options.contrast);
  const shift = random.range(options.brightness) + 128 * (1 - contrast);
  const inverted = random.chance(options.invert);
  const noise = random.range(options.noise);
  canvas.write(
    data,
    channels,
    { gain: inverted ? -contrast : contrast, offset: inverted ? 255 - shift : shift, noise },
    random,
  );
}
