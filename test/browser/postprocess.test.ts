/** Post-processing on the GPU in Chromium: kernels on synthetic tensors, then whole detectors on both paths. */
import { describe, expect, it } from 'vitest';
import { createDetector, type DetectOptions } from '../../src/detector/index.ts';
import { DeviceLostError } from '../../src/errors.ts';
import { constantDetector } from '../detector/support/onnx.ts';
import { quarters } from '../detector/support/pictures.ts';
import { dataUrl, describeWithData } from '../support/data.ts';
import { postprocessTests } from '../webgpu/postprocess-cases.ts';

postprocessTests(() => navigator.gpu);

const rows = [
  [16, 16, 8, 8, 0.9, 0.1],
  [17, 16, 8, 8, 0.8, 0.1],
  [26, 20, 4, 4, 0.1, 0.3],
];

describe('detectors on webgpu', () => {
  const pixels = { data: quarters(40, 24), width: 40, height: 24 };

  it.each([
    ['yolov8', false],
    ['yolov5', true],
    ['yolox', true],
  ] as const)('post-process %s on the GPU and say so', async (head, anchorMajor) => {
    const given = anchorMajor ? rows.map(([x, y, w, h, ...scores]) => [x, y, w, h, 1, ...scores]) : rows;
    const model = constantDetector({ rows: given as number[][], anchorMajor });
    const found = [];
    for (const provider of ['wasm', 'webgpu'] as const) {
      const detector = await createDetector({ model, head, executionProviders: [provider], warmUp: false });
      const results = [];
      for (const options of [
        {},
        { nms: { metric: 'giou', iouThreshold: 0.3 } },
        { multiLabel: true },
      ] as const) {
        for (const one of await detector.detect([pixels, pixels], options)) results.push(one.toJSON());
      }
      found.push(results);
      const { postprocessing } = await detector.stats();
      if (provider === 'webgpu')
        expect(postprocessing).toMatchObject({ gpuRuns: 3, cpuRuns: 0, reason: null });
      else
        expect(postprocessing).toMatchObject({ gpuRuns: 0, cpuRuns: 3, reason: 'the session runs on wasm' });
      detector.dispose();
    }
    expect(found[1]).toEqual(found[0]);
    expect(found[0]!.some((one) => one.length > 0)).toBe(true);
  });

  it('fall back with the reason, and hold no more buffers after many runs', async () => {
    const detector = await createDetector({
      model: constantDetector({ rows }),
      head: 'yolov8',
      executionProviders: ['webgpu'],
    });
    const { gpuBuffers } = (await detector.stats()).postprocessing;
    expect(gpuBuffers).toBeGreaterThan(5);
    const expected = (await detector.detect(pixels)).toJSON();
    expect((await detector.detect(pixels, { preset: 'ultralytics' })).toJSON()).toHaveLength(expected.length);
    for (let k = 0; k < 30; k++) expect((await detector.detect(pixels)).toJSON()).toEqual(expected);
    expect((await detector.stats()).postprocessing).toMatchObject({
      gpuRuns: 32,
      cpuRuns: 1,
      reason: 'the preset ultralytics has rules of its own',
      gpuBuffers,
    });
    detector.dispose();
  });
});

describeWithData('real models on webgpu', () => {
  /** The same session, its outputs thinned out on the GPU and read whole: only the post-processing differs. */
  const both = async (name: string, options: DetectOptions) => {
    const photo = await (await fetch(dataUrl('data/photos/dog.jpg'))).blob();
    const detector = await createDetector({
      model: dataUrl(`models/${name}.onnx`),
      executionProviders: ['webgpu'],
      // a software GPU takes its time: one run is enough
      warmUp: false,
    });
    const onGpu = await detector.detect(photo, options);
    const { executionProvider, postprocessing } = await detector.stats();
    detector.dispose();
    const reading = await createDetector({
      model: dataUrl(`models/${name}.onnx`),
      executionProviders: ['webgpu'],
      warmUp: false,
      postprocessing: 'cpu',
    });
    const onCpu = await reading.detect(photo, options);
    expect((await reading.stats()).postprocessing).toMatchObject({ gpuRuns: 0, cpuRuns: 1 });
    reading.dispose();
    expect(executionProvider).toBe('webgpu');
    return { onGpu, onCpu, postprocessing };
  };

  it.each([
    ['yolox_nano_416', 'gpu'],
    ['yolov8n-seg_int8_dashcam', 'gpu'],
    ['derived-deimv2_atto_rawheads', 'gpu'],
    ['fastestdet', 'the head fastestdet has no WGSL decoder'],
  ])('%s: both paths give the same detections', { timeout: 300_000 }, async (name, path) => {
    const { onGpu, onCpu, postprocessing } = await both(name, { scoreThreshold: 0.05 });
    expect(onGpu.toJSON()).toEqual(onCpu.toJSON());
    expect(onGpu.count).toBeGreaterThan(0);
    if (path === 'gpu') expect(postprocessing).toMatchObject({ gpuRuns: 1, cpuRuns: 0 });
    else expect(postprocessing).toMatchObject({ gpuRuns: 0, cpuRuns: 1, reason: path });
  });
});

describe('a lost device', () => {
  const pixels = { data: quarters(40, 24), width: 40, height: 24 };
  const open = () =>
    createDetector({ model: constantDetector({ rows }), head: 'yolov8', executionProviders: ['webgpu'] });

  it('fails the runs of its detectors; after them new ones get a new device', async () => {
    const [first, second] = [await open(), await open()];
    const expected = (await first.detect(pixels)).toJSON();
    const { env } = await import('onnxruntime-web/webgpu');
    const device = (await env.webgpu.device) as GPUDevice;
    const pending = [first.detect(pixels), second.detect([pixels, pixels]), second.detect(pixels)].map(
      (call) => call.catch((error: unknown) => error),
    );
    device.destroy();
    for (const result of await Promise.all(pending)) expect(result).toBeInstanceOf(DeviceLostError);
    await expect(first.detect(pixels)).rejects.toBeInstanceOf(DeviceLostError);
    expect((await first.stats()).postprocessing.gpuBuffers).toBe(0);
    first.dispose();
    // the other one holds the device
    await expect(open()).rejects.toBeInstanceOf(DeviceLostError);
    second.dispose();
    const next = await open();
    expect((await next.detect(pixels)).toJSON()).toEqual(expected);
    expect((await next.stats()).postprocessing).toMatchObject({ gpuRuns: 2, cpuRuns: 0 });
    next.dispose();
  });
});
