/**
 * One device for the model and for IoU: onnxruntime-web's, whose output tensors are compared where they lie. Either side
 * may bring the device; boxops never destroys one that it did not make, nor a buffer that is not its own.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bestMatch, convertBoxes, pairwiseIou, UnsupportedError } from '../../src/index.ts';
import { sampleBoxes } from '../../src/webgpu/calibrate.ts';
import { createBatchIou } from '../../src/webgpu/index.ts';
import { writeOnnx } from '../support/onnx.ts';

type Ort = typeof import('onnxruntime-web/webgpu');
type Session = Awaited<ReturnType<Ort['InferenceSession']['create']>>;
type GpuTensor = Session extends { run(feeds: never): Promise<Record<string, infer T>> } ? T : never;

const anchors = 300;
/** A detector's output: cx, cy, w, h and two scores, channel by channel, each twice the input. */
const model = writeOnnx({
  inputs: [{ name: 'images', dims: [1, 6, anchors] }],
  outputs: [{ name: 'output0', dims: [1, 6, anchors] }],
  nodes: [{ op: 'Add', inputs: ['images', 'images'], outputs: ['output0'] }],
});
const rows = convertBoxes(sampleBoxes(anchors, 1), 'xyxy', 'cxcywh');
const half = new Float32Array(6 * anchors);
for (let i = 0; i < rows.length; i++) half[(i % 4) * anchors + (i >> 2)] = rows[i]! / 2;
const targets = convertBoxes(sampleBoxes(40, 2), 'xyxy', 'cxcywh');

describe('a device shared with onnxruntime-web', () => {
  let ort: Ort;
  let session: Session;
  let injected: GPUDevice;
  let ownSession: Session;

  beforeAll(async () => {
    ort = await import('onnxruntime-web/webgpu');
    // Without a device given, the first session makes one, and tells which.
    ownSession = await ort.InferenceSession.create(model, {
      executionProviders: ['webgpu'],
      preferredOutputLocation: 'gpu-buffer',
    });
    injected = await (await navigator.gpu.requestAdapter())!.requestDevice();
    session = await ort.InferenceSession.create(model, {
      executionProviders: [{ name: 'webgpu', device: injected }] as never,
      preferredOutputLocation: 'gpu-buffer',
    });
  });
  afterAll(async () => {
    await session.release();
    await ownSession.release();
    injected.destroy();
  });

  const run = async (on = session): Promise<GpuTensor> => {
    const images = new ort.Tensor('float32', half, [1, 6, anchors]);
    return (await on.run({ images })).output0 as GpuTensor;
  };
  const boxesOf = (tensor: GpuTensor) => ({
    buffer: tensor.gpuBuffer as unknown as GPUBuffer,
    count: anchors,
    boxStride: 1,
    valueStride: anchors,
  });

  it('compares an output tensor where it lies, without reading it back', async () => {
    const gpu = await createBatchIou({ device: injected });
    const output = await run();
    expect(output.location).toBe('gpu-buffer');
    const mapped: number[] = [];
    const mapAsync = GPUBuffer.prototype.mapAsync;
    GPUBuffer.prototype.mapAsync = function (this: GPUBuffer, ...args: Parameters<typeof mapAsync>) {
      mapped.push(this.size);
      return mapAsync.apply(this, args);
    };
    try {
      for (const metric of ['iou', 'ciou'] as const) {
        const best = await gpu.bestMatch(boxesOf(output), targets, { format: 'cxcywh', metric });
        const expected = bestMatch(rows, targets, { format: 'cxcywh', metric });
        expect([...best.indices]).toEqual([...expected.indices]);
        best.values.forEach((value, i) => {
          expect(Math.abs(value - expected.values[i]!)).toBeLessThan(2e-6);
        });
      }
    } finally {
      GPUBuffer.prototype.mapAsync = mapAsync;
    }
    // A value and an index a row were read, in buffers of that size class: not the tensor of 7200 bytes.
    expect(mapped).toEqual([4096, 4096]);
    expect(8 * anchors).toBeLessThanOrEqual(4096);
    const left = await gpu.pairwise(boxesOf(output), boxesOf(output), { format: 'cxcywh', output: 'buffer' });
    expect(left.byteLength).toBe(4 * anchors * anchors);
    left.release();
    const matrix = await gpu.pairwise(boxesOf(output), targets, { format: 'cxcywh' });
    const wanted = pairwiseIou(rows, targets, { format: 'cxcywh' });
    matrix.forEach((value, i) => {
      expect(Math.abs(value - wanted[i]!)).toBeLessThan(2e-6);
    });
    gpu.dispose();
    // The tensor is still the session's: it reads back as it was.
    const data = (await output.getData()) as Float32Array;
    expect(data[0]).toBeCloseTo(rows[0]!, 4);
    output.dispose();
  });

  it('outlives a BatchIou, and many', async () => {
    let lost = false;
    void injected.lost.then(() => {
      lost = true;
    });
    for (let cycle = 0; cycle < 10; cycle++) {
      const gpu = await createBatchIou({ device: injected });
      const output = await run();
      const best = await gpu.bestMatch(boxesOf(output), targets, { format: 'cxcywh' });
      expect(best.values).toHaveLength(anchors);
      gpu.dispose();
      const { buffersCreated, buffersDestroyed } = gpu.stats();
      expect(buffersDestroyed).toBe(buffersCreated);
      output.dispose();
    }
    await injected.queue.onSubmittedWorkDone();
    expect(lost).toBe(false);
    const output = await run();
    expect(((await output.getData()) as Float32Array)[0]).toBeCloseTo(rows[0]!, 4);
    output.dispose();
  });

  it('can be the one that onnxruntime-web made', async () => {
    const device = (await ort.env.webgpu.device) as unknown as GPUDevice;
    const gpu = await createBatchIou({ device });
    const output = await run(ownSession);
    const best = await gpu.bestMatch(boxesOf(output), targets, { format: 'cxcywh' });
    expect([...best.indices]).toEqual([...bestMatch(rows, targets, { format: 'cxcywh' }).indices]);
    gpu.dispose();
    output.dispose();
    const again = await run(ownSession);
    expect(((await again.getData()) as Float32Array)[0]).toBeCloseTo(rows[0]!, 4);
    again.dispose();
  });

  it('refuses a tensor of another device', async () => {
    const gpu = await createBatchIou();
    const output = await run();
    await expect(gpu.bestMatch(boxesOf(output), targets)).rejects.toBeInstanceOf(UnsupportedError);
    expect(gpu.stats().liveBuffers).toBe(0);
    gpu.dispose();
    output.dispose();
  });
});
