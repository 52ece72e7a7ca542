/**
 * The clip as the build writes it (examples/clip): every frame a picture of its own in one file, so seeking needs no
 * video decoder, and beside it an index with the known boxes of every frame.
 */
import type { ClipIndex } from '../../clip/write.ts';

/** Known boxes of one frame. */
export type GroundTruth = Pick<ClipIndex['frames'][number], 'boxes' | 'classIds' | 'ignore'>;

export interface ClipFile {
  readonly index: ClipIndex;
  /** One encoded picture a frame. */
  readonly frames: readonly Blob[];
}

/** Cuts the file of pictures into one blob a frame. */
export function cutClip(index: ClipIndex, pictures: ArrayBuffer): ClipFile {
  const frames = index.frames.map(
    ({ offset, length }) => new Blob([new Uint8Array(pictures, offset, length)], { type: 'image/webp' }),
  );
  return { index, frames };
}
