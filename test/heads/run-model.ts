/** One picture through a real model: inspected, prepared as inspection says, run, decoded. */
import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import type { FrameTransform } from '../../src/boxes/frame-transform.ts';
import { readImage } from '../../src/detector/image/read.ts';
import { InputBuffer } from '../../src/detector/preprocess/input.ts';
import {
  type Candidates,
  type DecodeOptions,
  decode,
  inspectModel,
  type ModelInspection,
  type ModelOutputs,
} from '../../src/heads/index.ts';
import { nms } from '../../src/nms/index.ts';
import { dataPath } from '../support/data.ts';

export interface ModelRun {
  readonly inspection: ModelInspection;
  readonly outputs: ModelOutputs;
  readonly transform: FrameTransform;
  readonly candidates: Candidates;
  /** Kept by NMS at IoU 0.4, best first. */
  readonly kept: Uint32Array;
  /** Box `i` of the candidates in pixels of the picture. */
  box(i: number): number[];
}

export async function runModel(
  model: string,
  picture: string,
  options: Partial<DecodeOptions> = {},
): Promise<ModelRun> {
  const bytes = new Uint8Array(readFileSync(dataPath(`models/${model}.onnx`)));
  const inspection = inspectModel(bytes);
  const { head, preprocessing, headOptions } = inspection;
  if (head === null || preprocessing === null) throw new Error(`${model}: no head`);
  const session = await InferenceSession.create(bytes, { executionProviders: ['wasm'], logSeverityLevel: 3 });
  const image = await readImage(new Uint8Array(readFileSync(dataPath(picture))));
  const input = new InputBuffer(preprocessing, 'float32');
  input.reserve(1);
  const transform = input.fill(0, image);
  const { width, height } = preprocessing.size;
  const dims = preprocessing.layout === 'nchw' ? [1, 3, height, width] : [1, height, width, 3];
  const fed = new Tensor('float32', input.data() as Float32Array, dims);
  const outputs = (await session.run({ [session.inputNames[0]!]: fed })) as unknown as ModelOutputs;
  await session.release();
  const candidates = decode(head, outputs, {
    ...headOptions,
    input: preprocessing.size,
    scoreThreshold: 0.6,
    ...options,
  });
  const { boxes, scores, classIds } = candidates;
  const kept = nms(boxes, scores, { classIds, iouThreshold: 0.4 });
  const box = (i: number) => Array.from(transform.toImage(boxes.slice(4 * i, 4 * i + 4)) as Float32Array);
  return { inspection, outputs, transform, candidates, kept, box };
}

/** IoU of two boxes. */
export function overlap(a: readonly number[], b: readonly number[]): number {
  const width = Math.max(0, Math.min(a[2]!, b[2]!) - Math.max(a[0]!, b[0]!));
  const height = Math.max(0, Math.min(a[3]!, b[3]!) - Math.max(a[1]!, b[1]!));
  const area = (box: readonly number[]) => (box[2]! - box[0]!) * (box[3]! - box[1]!);
  return (width * height) / (area(a) + area(b) - width * height);
}
