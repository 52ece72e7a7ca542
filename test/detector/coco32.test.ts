/**
 * Whole detectors on real photos: COCO AP of each kind of head on 32 annotated pictures, measured through `detect`.
 *
 * The reference AP of each model is what a correct decoder reaches on the same pictures with the field's evaluation
 * settings; it must be met within 0.01 (one exception is explained below). One model after another, on one thread:
 * dynamic-int8 models take seconds a picture in wasm.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { cocoEvaluation, createDetector } from '../../src/detector/index.ts';
import { type CocoDataset, type CocoResult, evaluateCoco } from '../../src/evaluation/index.ts';
import spread from '../golden/detector/int8-spread.json';
import { dataPath, describeWithData } from '../support/data.ts';

interface Case {
  readonly model: string;
  readonly ap: number;
  readonly ap50: number;
  /** The head that the model's bytes must tell. */
  readonly head: string;
  /** Where the runtime's arithmetic is not steady enough for 0.01, and 0.02 at IoU 0.5. */
  readonly tolerance?: number;
  readonly tolerance50?: number;
  /** There: mean AP and AP50 of native runs whose inputs differ by rounding, met within 0.01 and 0.02. */
  readonly mean?: readonly [number, number];
}

const cases: readonly Case[] = [
  { model: 'yolox_nano_416', head: 'yolox', ap: 0.411, ap50: 0.595 },
  { model: 'deimv2_hgnetv2_atto_coco', head: 'detr-decoded', ap: 0.381, ap50: 0.519 },
  { model: 'derived-deimv2_atto_rawheads', head: 'detr', ap: 0.381, ap50: 0.519 },
  { model: 'yolov5n_fp16', head: 'yolov5', ap: 0.385, ap50: 0.57 },
  { model: 'yolov8n_int8_dashcam', head: 'yolov8', ap: 0.412, ap50: 0.537 },
  { model: 'yolov8n-seg_int8_dashcam', head: 'yolov8-seg', ap: 0.378, ap50: 0.509 },
  { model: 'nanodet_m_320', head: 'nanodet', ap: 0.325, ap50: 0.514 },
  { model: 'fastestdet', head: 'fastestdet', ap: 0.229, ap50: 0.435 },
  // 0.516 here, 0.001 short of the bound, and not by the head, which only reads rows: AP of this model is not settled to
  // 0.01. In native onnxruntime, from tensors bit for bit these, it is 0.518; scaled by 1 ± 16 millionths, which leaves
  // every quantised pixel as it is, it lies between 0.507 and 0.523, and with a noise of a millionth on the pixels between
  // 0.510 and 0.529, four times of 14 at 0.527 or above (../golden/detector/int8_spread.py). Integer layers
  // of both runtimes agree exactly; sigmoids differ in the last bits, and each layer quantises by its largest value.
  {
    model: 'yolov10n_int8',
    head: 'end-to-end',
    ap: 0.527,
    ap50: 0.697,
    tolerance: 0.011,
    tolerance50: 0.024,
    mean: [spread.mean[0]!, spread.mean[1]!],
  },
];

describeWithData('COCO AP on 32 pictures', () => {
  it.each(cases)(
    '$model reaches AP $ap',
    { timeout: 900_000 },
    async ({ model, ap, ap50, head, tolerance = 0.01, tolerance50 = 0.02, mean }) => {
      const groundTruth: CocoDataset = JSON.parse(
        readFileSync(dataPath('data/coco32/instances.json'), 'utf8'),
      );
      const categories = groundTruth.categories.map(({ id }) => id).sort((a, b) => a - b);
      const detector = await createDetector({
        model: dataPath(`models/${model}.onnx`),
        warmUp: false,
      });
      expect(detector.info.head).toBe(head);
      const results: CocoResult[] = [];
      for (const { id, file_name } of groundTruth.images) {
        const bytes = Uint8Array.from(readFileSync(dataPath(`data/coco32/images/${file_name}`)));
        const detections = await detector.detect(bytes, { ...cocoEvaluation, masks: false });
        results.push(...detections.toCoco(id, categories));
      }
      const { milliseconds } = await detector.stats();
      detector.dispose();
      // for a look at the numbers with another evaluator
      const folder = process.env.BOXOPS_COCO_RESULTS;
      if (folder !== undefined && existsSync(folder))
        writeFileSync(`${folder}/${model}.json`, JSON.stringify(results));
      const { stats } = evaluateCoco(groundTruth, results);
      console.log(
        `${model}: AP ${stats[0].toFixed(4)} (${ap}), AP50 ${stats[1].toFixed(4)} (${ap50}), ${milliseconds.inference.toFixed(0)} ms a picture`,
      );
      expect(Math.abs(stats[0] - ap)).toBeLessThanOrEqual(tolerance);
      expect(Math.abs(stats[1] - ap50)).toBeLessThanOrEqual(tolerance50);
      expect(Math.abs(stats[0] - (mean?.[0] ?? ap))).toBeLessThanOrEqual(0.01);
      expect(Math.abs(stats[1] - (mean?.[1] ?? ap50))).toBeLessThanOrEqual(0.02);
    },
  );
});
