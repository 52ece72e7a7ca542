/**
 * Backgrounds of a scene: paper (plain, ruled, squared, uneven light), photos, smooth noise and gradients.
 *
 * Each fills the canvas completely. Photos are tinted and scaled at random, so that a few of them give many surfaces.
 */
import { distribution } from '../distribution.ts';
import type { Canvas, Colour } from './canvas.ts';
import type { Photo } from './photos.ts';
import type { Random } from './random.ts';

/** Fills the canvas with a background drawn from the distribution. */
export function paintBackground(canvas: Canvas, photos: readonly Photo[], random: Random): void {
  switch (random.weighted(distribution.background)) {
    case 'paper':
      paintPaper(canvas, random);
      break;
    case 'photo':
      paintPhoto(canvas, random.pick(photos), random);
      break;
    case 'noise':
      paintNoise(canvas, random);
      break;
    default:
      paintGradient(canvas, randomColour(random), randomColour(random), random);
  }
}

/** Light, slightly tinted, shaded from one side; half of them ruled or squared. */
export function paintPaper(canvas: Canvas, random: Random): void {
  const light = random.range([150, 250]);
  const tint: Colour = [light, light - random.range([0, 14]), light - random.range([0, 40])];
  const shade = random.range([0.7, 1]);
  paintGradient(canvas, tint, [tint[0] * shade, tint[1] * shade, tint[2] * shade], random);
  if (random.chance(0.5)) return;
  const spacing = random.integer([8, 32]);
  const start = random.integer([0, spacing]);
  const strength = random.range([0.1, 0.5]);
  const colour = random.pick<Colour>([
    [70, 90, 180],
    [120, 120, 120],
    [180, 80, 80],
  ]);
  const squared = random.chance(0.5);
  for (let y = start; y < canvas.height; y += spacing) {
    for (let x = 0; x < canvas.width; x++) canvas.blend(x, y, colour, strength);
  }
  if (!squared) return;
  for (let x = start; x < canvas.width; x += spacing) {
    for (let y = 0; y < canvas.height; y++) canvas.blend(x, y, colour, strength);
  }
}

/** A crop of a photo, magnified 0.6 to 2.5 times, mirrored half the time, its tint changed. */
export function paintPhoto(canvas: Canvas, photo: Photo, random: Random): void {
  const { width, height } = canvas;
  const least = Math.max((width + 2) / photo.width, (height + 2) / photo.height);
  const zoom = Math.max(random.range([0.6, 2.5]), least);
  const left = random.range([0, photo.width - 1 - width / zoom]);
  const top = random.range([0, photo.height - 1 - height / zoom]);
  const mirrored = random.chance(0.5);
  const tint = [random.range([0.7, 1.15]), random.range([0.7, 1.15]), random.range([0.7, 1.3])] as const;
  paintCrop(canvas, photo, { left, top, zoom, mirrored, tint });
}

/** A part of a photo that fills the canvas: `left` and `top` in the photo's pixels, `tint` a factor a channel. */
export interface Crop {
  readonly left: number;
  readonly top: number;
  readonly zoom: number;
  readonly mirrored: boolean;
  readonly tint: readonly [number, number, number];
}

/** Fills the canvas with a crop, bilinearly; the caller keeps it inside the photo. */
export function paintCrop(canvas: Canvas, photo: Photo, { left, top, zoom, mirrored, tint }: Crop): void {
  const { width, height, planes } = canvas;
  const { data } = photo;
  const stride = photo.width * 4;
  const step = 1 / zoom;
  for (let y = 0, at = 0; y < height; y++) {
    const sourceY = top + y * step;
    const row = Math.floor(sourceY);
    const fractionY = sourceY - row;
    for (let x = 0; x < width; x++, at++) {
      const sourceX = left + (mirrored ? width - 1 - x : x) * step;
      const column = Math.floor(sourceX);
      const fractionX = sourceX - column;
      const from = row * stride + column * 4;
      const w11 = fractionX * fractionY;
      const w01 = fractionX - w11;
      const w10 = fractionY - w11;
      const w00 = 1 - fractionX - w10;
      const below = from + stride;
      planes[0][at] =
        tint[0] * (data[from] * w00 + data[from + 4] * w01 + data[below] * w10 + data[below + 4] * w11);
      planes[1][at] =
        tint[1] *
        (data[from + 1] * w00 + data[from + 5] * w01 + data[below + 1] * w10 + data[below + 5] * w11);
      planes[2][at] =
        tint[2] *
        (data[from + 2] * w00 + data[from + 6] * w01 + data[below + 2] * w10 + data[below + 6] * w11);
    }
  }
}

/** Two octaves of smooth noise between two colours. */
export function paintNoise(canvas: Canvas, random: Random): void {
  const from = randomColour(random);
  const to = randomColour(random);
  const coarse = makeLattice(random);
  const fine = makeLattice(random);
  const scale = random.logRange([0.02, 0.2]);
  const share = random.range([0.2, 0.6]);
  for (let y = 0, at = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++, at++) {
      const value =
        sampleLattice(coarse, x * scale, y * scale) * (1 - share) +
        sampleLattice(fine, x * scale * 3.7, y * scale * 3.7) * share;
      for (let channel = 0; channel < 3; channel++) {
        canvas.planes[channel][at] = from[channel] + (to[channel] - from[channel]) * value;
      }
    }
  }
}

/** A linear change of colour in a random direction. */
function paintGradient(canvas: Canvas, from: Colour, to: Colour, random: Random): void {
  const angle = random.range([0, 2 * Math.PI]);
  const dx = Math.cos(angle) / canvas.width;
  const dy = Math.sin(angle) / canvas.height;
  for (let channel = 0; channel < 3; channel++) {
    const plane = canvas.planes[channel];
    const middle = (from[channel] + to[channel]) / 2;
    const reach = to[channel] - from[channel];
    for (let y = 0, at = 0; y < canvas.height; y++) {
      for (let x = 0; x < canvas.width; x++, at++) {
        plane[at] = middle + reach * ((x - canvas.width / 2) * dx + (y - canvas.height / 2) * dy);
      }
    }
  }
}

/** A colour whose channels stay near one grey level half the time. */
function randomColour(random: Random): Colour {
  const spread = random.chance(0.5) ? 20 : 90;
  const grey = random.range([20, 235]);
  const channel = () => Math.min(250, Math.max(5, grey + random.range([-spread, spread])));
  return [channel(), channel(), channel()];
}

const latticeSide = 32;

function makeLattice(random: Random): Float32Array {
  return Float32Array.from({ length: latticeSide * latticeSide }, () => random.next());
}

function sampleLattice(lattice: Float32Array, x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const fractionX = x - column;
  const fractionY = y - row;
  const mask = latticeSide - 1;
  const above = (row & mask) * latticeSide;
  const below = ((row + 1) & mask) * latticeSide;
  const left = column & mask;
  const right = (column + 1) & mask;
  const upper = lattice[above + left] + (lattice[above + right] - lattice[above + left]) * fractionX;
  const lower = lattice[below + left] + (lattice[below + right] - lattice[below + left]) * fractionX;
  return upper + (lower - upper) * fractionY;
}
