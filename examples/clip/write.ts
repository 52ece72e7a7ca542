/**
 * Writes the clip for the web: `clip.bin`, the frames as WebP pictures one after another, and `clip.json`, where each
 * lies and what it shows.
 *
 *   npx tsx examples/clip/write.ts --out examples/demo/public/clip
 *
 * A page shows frame `i` with `createImageBitmap(new Blob([bytes.subarray(offset, offset + length)]))`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCanvas, ImageData } from '@napi-rs/canvas';
import { Command } from 'commander';
import { clip, groundTruth, renderFrame } from './clip.ts';

/** The shape of `clip.json`. */
export interface ClipIndex {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  readonly frames: readonly {
    readonly offset: number;
    readonly length: number;
    /** x1, y1, x2, y2 a digit, pixels. */
    readonly boxes: readonly number[];
    readonly classIds: readonly number[];
    readonly trackIds: readonly number[];
    /** 1 where the digit is cut by the frame's edge too much to count. */
    readonly ignore: readonly number[];
  }[];
}

/** Renders the first `frameCount` frames (default: all) into `folder` and returns the index. */
export async function writeClip(folder: string, frameCount: number = clip.frameCount): Promise<ClipIndex> {
  const canvas = createCanvas(clip.width, clip.height);
  const context = canvas.getContext('2d');
  const pictures: Buffer[] = [];
  const frames: ClipIndex['frames'][number][] = [];
  let offset = 0;
  for (let index = 0; index < frameCount; index++) {
    const frame = renderFrame(index);
    context.putImageData(new ImageData(frame.data, frame.width, frame.height), 0, 0);
    const picture = await canvas.encode('webp', 72);
    const truth = groundTruth(index);
    frames.push({
      offset,
      length: picture.length,
      boxes: Array.from(truth.boxes),
      classIds: Array.from(truth.classIds),
      trackIds: Array.from(truth.trackIds),
      ignore: Array.from(truth.ignore),
    });
    pictures.push(picture);
    offset += picture.length;
  }
  const { width, height, framesPerSecond } = clip;
  const index: ClipIndex = { width, height, framesPerSecond, frames };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'clip.bin'), Buffer.concat(pictures));
  writeFileSync(join(folder, 'clip.json'), JSON.stringify(index));
  return index;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { out } = new Command('write').requiredOption('--out <folder>').parse().opts<{ out: string }>();
  const { frames } = await writeClip(out);
  process.stdout.write(`${frames.length} frames in ${out}\n`);
}
