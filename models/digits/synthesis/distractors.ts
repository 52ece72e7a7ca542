/**
 * What is drawn to mislead a detector: long lines, blobs and letters.
 *
 * Letters are those that cannot be read as a digit: no I, O, S, Z, B, G, q, l. Strokes are capsules with soft edges.
 */
import { distribution } from '../distribution.ts';
import type { Canvas, Colour } from './canvas.ts';
import type { Random } from './random.ts';

/** Polylines in a unit square, y down; one array of x, y pairs a stroke. */
const letters: readonly (readonly (readonly number[])[])[] = [
  [
    [0, 1, 0.5, 0, 1, 1],
    [0.2, 0.6, 0.8, 0.6],
  ], // A
  [
    [0.8, 0, 0, 0, 0, 1, 0.8, 1],
    [0, 0.5, 0.6, 0.5],
  ], // E
  [
    [0.8, 0, 0, 0, 0, 1],
    [0, 0.45, 0.6, 0.45],
  ], // F
  [
    [0, 0, 0, 1],
    [0.8, 0, 0.8, 1],
    [0, 0.5, 0.8, 0.5],
  ], // H
  [
    [0, 0, 0, 1],
    [0.8, 0, 0, 0.55, 0.8, 1],
  ], // K
  [[0, 0, 0, 1, 0.8, 1]], // L
  [[0, 1, 0, 0, 0.5, 0.6, 1, 0, 1, 1]], // M
  [[0, 1, 0, 0, 0.8, 1, 0.8, 0]], // N
  [[0, 1, 0, 0, 0.6, 0.05, 0.75, 0.25, 0.6, 0.5, 0, 0.55]], // P
  [
    [0, 1, 0, 0, 0.6, 0.05, 0.75, 0.25, 0.6, 0.5, 0, 0.55],
    [0.3, 0.55, 0.8, 1],
  ], // R
  [
    [0, 0, 1, 0],
    [0.5, 0, 0.5, 1],
  ], // T
  [[0, 0, 0, 0.7, 0.2, 1, 0.7, 1, 0.9, 0.7, 0.9, 0]], // U
  [[0, 0, 0.5, 1, 1, 0]], // V
  [[0, 0, 0.25, 1, 0.5, 0.3, 0.75, 1, 1, 0]], // W
  [
    [0, 0, 0.9, 1],
    [0.9, 0, 0, 1],
  ], // X
  [
    [0, 0.5, 1, 0.5],
    [0.5, 0, 0.5, 1],
  ], // +
  [
    [0.5, 0, 0.5, 1],
    [0.07, 0.25, 0.93, 0.75],
    [0.93, 0.25, 0.07, 0.75],
  ], // *
];

/** Draws the distractors that lie below the digits and returns how many lines are still to be drawn above them. */
export function paintDistractors(canvas: Canvas, random: Random): number {
  const options = distribution.distractors;
  let above = 0;
  for (let left = random.integer(options.count); left > 0; left--) {
    switch (random.weighted({ line: options.line, blob: options.blob, letter: options.letter })) {
      case 'line':
        if (random.chance(options.lineAbove)) above++;
        else paintLine(canvas, random);
        break;
      case 'blob':
        paintBlob(canvas, random);
        break;
      default:
        paintLetter(canvas, random);
    }
  }
  return above;
}

/** A line from one edge of the picture to another: too long to be a 1. */
export function paintLine(canvas: Canvas, random: Random): void {
  const { width, height } = canvas;
  const colour = contrasting(canvas, 0, 0, width, height, random);
  const radius = random.range([0.4, 1.6]);
  const upright = random.chance(0.5);
  if (upright) {
    paintStroke(
      canvas,
      random.range([0, width]),
      -2,
      random.range([0, width]),
      height + 2,
      radius,
      colour,
      0.9,
    );
  } else {
    paintStroke(
      canvas,
      -2,
      random.range([0, height]),
      width + 2,
      random.range([0, height]),
      radius,
      colour,
      0.9,
    );
  }
}

/** A soft or hard ellipse. */
export function paintBlob(canvas: Canvas, random: Random): void {
  const radiusX = random.range([4, 36]);
  const radiusY = radiusX * random.range([0.5, 1.5]);
  const centreX = random.range([0, canvas.width]);
  const centreY = random.range([0, canvas.height]);
  const softness = random.range([0.05, 0.8]);
  const opacity = random.range([0.2, 0.9]);
  const left = Math.max(0, Math.floor(centreX - radiusX));
  const right = Math.min(canvas.width - 1, Math.ceil(centreX + radiusX));
  const top = Math.max(0, Math.floor(centreY - radiusY));
  const bottom = Math.min(canvas.height - 1, Math.ceil(centreY + radiusY));
  const colour = contrasting(canvas, left, top, right, bottom, random);
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const squared = ((x - centreX) / radiusX) ** 2 + ((y - centreY) / radiusY) ** 2;
      if (squared < 1) canvas.blend(x, y, colour, opacity * Math.min(1, (1 - squared) / softness));
    }
  }
}

/** A letter, rotated by up to 40 degrees, its corners shaken. */
export function paintLetter(canvas: Canvas, random: Random): void {
  const size = random.logRange(distribution.distractors.letterSize);
  const angle = random.range([-0.7, 0.7]);
  const centreX = random.range([0, canvas.width]);
  const centreY = random.range([0, canvas.height]);
  const colour = contrasting(
    canvas,
    centreX - size / 2,
    centreY - size / 2,
    centreX + size / 2,
    centreY + size / 2,
    random,
  );
  const radius = Math.max(0.5, size * random.range([0.03, 0.08]));
  const across = size * random.range([0.6, 1]);
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  for (const stroke of random.pick(letters)) {
    let lastX = 0;
    let lastY = 0;
    for (let i = 0; i < stroke.length; i += 2) {
      const u = (stroke[i] - 0.5 + random.range([-0.06, 0.06])) * across;
      const v = (stroke[i + 1] - 0.5 + random.range([-0.06, 0.06])) * size;
      const x = centreX + cosine * u - sine * v;
      const y = centreY + sine * u + cosine * v;
      if (i > 0) paintStroke(canvas, lastX, lastY, x, y, radius, colour, 0.95);
      lastX = x;
      lastY = y;
    }
  }
}

/** A colour some grey levels away from the mean of a rectangle. */
function contrasting(canvas: Canvas, x1: number, y1: number, x2: number, y2: number, random: Random): Colour {
  return inkAgainst(canvas.meanGrey(x1, y1, x2, y2), random.range(distribution.distractors.contrast), random);
}

/** A colour `contrast` grey levels from `grey`, on whichever side there is room (either, when both have it). */
export function inkAgainst(grey: number, contrast: number, random: Random): Colour {
  const roomAbove = 255 - grey;
  const lighter =
    roomAbove < contrast ? grey < contrast && roomAbove > grey : grey < contrast || random.chance(0.4);
  const level = Math.min(250, Math.max(5, lighter ? grey + contrast : grey - contrast));
  const spread = random.chance(0.5) ? 6 : 50;
  const red = random.range([-spread, spread]);
  const blue = random.range([-spread, spread]);
  // Green is set so that the grey level stays what it was.
  return [level + red, level - (0.299 * red + 0.114 * blue) / 0.587, level + blue];
}

/** A line with round ends, one pixel of soft edge. */
function paintStroke(
  canvas: Canvas,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  radius: number,
  colour: Colour,
  opacity: number,
): void {
  const reach = radius + 1;
  const top = Math.max(0, Math.floor(Math.min(y1, y2) - reach));
  const bottom = Math.min(canvas.height - 1, Math.ceil(Math.max(y1, y2) + reach));
  const dx = x2 - x1;
  const dy = y2 - y1;
  const lengthSquared = Math.max(1e-6, dx * dx + dy * dy);
  // How far along x one row of the stroke can extend, so that a long line costs its length and not its box.
  const length = Math.sqrt(lengthSquared);
  const halfRow = Math.abs(dy) < 1e-3 ? Infinity : (reach * length) / Math.abs(dy);
  for (let y = top; y <= bottom; y++) {
    const onLine = Math.abs(dy) < 1e-3 ? x1 : x1 + ((y - y1) / dy) * dx;
    const left = Math.max(0, Math.floor(Math.max(Math.min(x1, x2) - reach, onLine - halfRow)));
    const right = Math.min(canvas.width - 1, Math.ceil(Math.min(Math.max(x1, x2) + reach, onLine + halfRow)));
    for (let x = left; x <= right; x++) {
      const along = Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / lengthSquared));
      const distance = Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
      const alpha = Math.min(1, Math.max(0, radius + 0.5 - distance));
      if (alpha > 0) canvas.blend(x, y, colour, alpha * opacity);
    }
  }
}
