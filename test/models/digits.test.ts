/**
 * The embedded model through boxops on onnxruntime-web: its file, its layout, and its score on fresh held-out scenes.
 *
 * The scenes are synthesised here from digits and photos that never train; both seeds met only the finished model.
 */
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderFrame } from '../../examples/clip/clip.ts';
import { scoreClip } from '../../examples/clip/evaluate.ts';
import { examine } from '../../models/digits/evaluation.ts';
import { SceneSynthesiser } from '../../models/digits/synthesis/scene.ts';
import type { Detections } from '../../src/boxes/detections.ts';
import { cocoEvaluation, createDetector, type Detector } from '../../src/detector/index.ts';
import { inspectModel } from '../../src/heads/index.ts';

const file = fileURLToPath(new URL('../../models/digits/digits.onnx', import.meta.url));

describe('the file', () => {
  it('is smaller than 1.5 MB', () => {
    expect(statSync(file).size).toBeLessThan(1.5e6);
  });

  it('says what it is', () => {
    const inspection = inspectModel(new Uint8Array(readFileSync(file)));
    expect(inspection.head).toBe('yolov8');
    expect(inspection.ambiguous).toBe(false);
    expect(inspection.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });
});

describe('the model', () => {
  let detector: Detector;
  beforeAll(async () => {
    detector = await createDetector({ model: file });
  });
  afterAll(() => detector?.dispose());

  it('reaches mAP50 0.92 and mAP 0.65 on 300 held-out scenes', { timeout: 600_000 }, async () => {
    const figures = await examine(detector, { seed: 2026, scenes: 300 });
    console.info(
      `mAP50 ${figures.mAP50.toFixed(3)}, mAP ${figures.mAP.toFixed(3)} (${figures.digits} digits)`,
    );
    expect(figures.digits).toBeGreaterThan(1000);
    expect(figures.mAP50).toBeGreaterThanOrEqual(0.92);
    expect(figures.mAP).toBeGreaterThanOrEqual(0.65);
    expect(Math.min(...figures.perClass)).toBeGreaterThan(0.75);
  });

  it('takes other sizes, multiples of 16 or not', { timeout: 120_000 }, async () => {
    const synthesiser = await SceneSynthesiser.create({ seed: 7, split: 'heldOut', width: 320, height: 240 });
    const scene = synthesiser.scene(0);
    for (const size of [
      { width: 320, height: 240 },
      { width: 328, height: 244 },
    ]) {
      const native = await createDetector({ model: file, preprocessing: { size } });
      try {
        const found = await native.detect(scene);
        expect(found.count).toBeGreaterThan(0);
        for (let i = 0; i < found.count; i++) {
          expect(found.boxes[i * 4]).toBeGreaterThan(-8);
          expect(found.boxes[i * 4 + 2]).toBeLessThan(328);
        }
      } finally {
        native.dispose();
      }
    }
  });

  it('reads the demo clip', { timeout: 300_000 }, async () => {
    const native = await createDetector({
      model: file,
      preprocessing: { size: { width: 320, height: 240 } },
    });
    try {
      const detected = new Map<number, Detections>();
      for (let frame = 0; frame < 300; frame += 10) {
        detected.set(frame, await native.detect(renderFrame(frame), cocoEvaluation));
      }
      const score = scoreClip(detected);
      console.info(
        `clip: mAP50 ${score.mAP50.toFixed(3)}, mAP ${score.mAP.toFixed(3)} (${score.digits} digits)`,
      );
      expect(score.mAP50).toBeGreaterThan(0.93);
    } finally {
      native.dispose();
    }
  });
});
