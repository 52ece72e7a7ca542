/** The demo clip: deterministic, loops, its ground truth is where the ink is. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadImage } from '@napi-rs/canvas';
import { describe, expect, it } from 'vitest';
import { clip, groundTruth, renderFrame } from '../../examples/clip/clip.ts';
import { type ClipIndex, writeClip } from '../../examples/clip/write.ts';

/** Element-wise equality of large arrays; `toEqual` would take seconds. */
function sameBytes(a: Uint8ClampedArray, b: Uint8ClampedArray): boolean {
  return Buffer.from(a.buffer).equals(Buffer.from(b.buffer));
}

describe('the clip', () => {
  it('renders a frame the same every time, and loops', () => {
    const first = renderFrame(120);
    const other = renderFrame(7);
    expect(sameBytes(first.data, other.data)).toBe(false);
    expect(sameBytes(renderFrame(120).data, first.data)).toBe(true);
    expect(sameBytes(renderFrame(120 + clip.frameCount).data, first.data)).toBe(true);
    expect([first.width, first.height, first.data.length]).toEqual([320, 240, 320 * 240 * 4]);
  });

  it('moves every digit smoothly, in and out of the frame', () => {
    const cut = new Set<number>();
    let most = 0;
    for (let index = 0; index <= clip.frameCount; index++) {
      const now = groundTruth(index);
      const next = groundTruth(index + 1);
      now.trackIds.forEach((track, i) => {
        if (now.ignore[i] === 1) cut.add(track);
        const j = next.trackIds.indexOf(track);
        if (j < 0 || now.visible[i] < 1 || next.visible[j] < 1) return;
        const centre = (boxes: Float32Array, at: number) => (boxes[at * 4] + boxes[at * 4 + 2]) / 2;
        most = Math.max(most, Math.abs(centre(next.boxes, j) - centre(now.boxes, i)));
        expect(next.classIds[j]).toBe(now.classIds[i]);
      });
    }
    expect(most).toBeLessThan(8);
    expect(cut.size).toBe(8);
  });

  it('has ink in every box: darker strokes than the surroundings', () => {
    const { data, width } = renderFrame(40);
    const truth = groundTruth(40);
    expect(truth.classIds.length).toBeGreaterThanOrEqual(5);
    for (let i = 0; i < truth.classIds.length; i++) {
      const [x1, y1, x2, y2] = truth.boxes.subarray(i * 4, i * 4 + 4);
      let dark = 0;
      for (let y = y1; y < y2; y++) {
        for (let x = x1; x < x2; x++) {
          const at = (y * width + x) * 4;
          if (Math.min(data[at], data[at + 1], data[at + 2]) < 80) dark++;
        }
      }
      expect(dark / ((x2 - x1) * (y2 - y1))).toBeGreaterThan(0.08);
    }
  });

  it('is written as pictures a page can decode, with its truth', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'boxops-clip-'));
    try {
      await writeClip(folder, 12);
      const index = JSON.parse(readFileSync(join(folder, 'clip.json'), 'utf8')) as ClipIndex;
      const bytes = readFileSync(join(folder, 'clip.bin'));
      expect(index.frames).toHaveLength(12);
      const { offset, length, boxes, classIds } = index.frames[11];
      expect(offset + length).toBe(bytes.length);
      const picture = await loadImage(bytes.subarray(offset, offset + length));
      expect([picture.width, picture.height]).toEqual([320, 240]);
      expect(boxes).toEqual(Array.from(groundTruth(11).boxes));
      expect(classIds).toEqual(Array.from(groundTruth(11).classIds));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
