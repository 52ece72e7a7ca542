import { expect, it } from 'vitest';
import { Detections } from '../../src/boxes/index.ts';
import { detectionTable } from '../../src/cli/detect-table.ts';

it('lays out 200 detections and counts the others', () => {
  const many = (count: number) =>
    Detections.from({
      boxes: new Float32Array(4 * count),
      scores: new Float32Array(count).fill(0.5),
      classIds: new Int32Array(count),
    });
  const images = Array.from({ length: 300 }, (_, i) => ({ path: `${i}.png`, detections: many(300) }));
  const lines = detectionTable(images).split('\n');
  expect(lines.at(-1)).toBe('… and 89800 more detections; --json writes them all');
  expect(lines.filter((line) => line.startsWith('0.png'))).toHaveLength(200);
  const few = [{ path: 'none.png', detections: many(0) }, ...images.slice(0, 1)];
  expect(detectionTable(few).split('\n').at(-1)).toBe('… and 101 more detections; --json writes them all');
  expect(detectionTable(few.slice(0, 1))).not.toContain('more detections');
});
