/** The detector in a real browser: picture sources, frame ownership, both execution providers, model download. */
import { afterEach, describe, expect, it } from 'vitest';
import {
  createDetector,
  type Detector,
  type DetectorOptions,
  type ImageSource,
  type LoadProgress,
  readImage,
} from '../../src/detector/index.ts';
import { loadModelBytes } from '../../src/detector/session/model-bytes.ts';
import { DisposedError, ImageError, LayoutError, ModelError, NumericError } from '../../src/errors.ts';
import { type ConstantDetectorOptions, constantDetector } from '../detector/support/onnx.ts';
import {
  avifOrientations,
  avifTurned,
  cmykJpeg,
  corners,
  orientedCorners,
  png,
  pngWithOrientation,
  quarters,
  webpWithOrientation,
  withOrientation,
} from '../detector/support/pictures.ts';
import { expectedHashes, tensorHashes } from '../detector/support/tensor.ts';
import { dataUrl, describeWithData } from '../support/data.ts';

const rows = [
  [16, 16, 8, 8, 0.9, 0.1],
  [26, 20, 4, 4, 0.1, 0.3],
];

const made: Detector[] = [];

async function detectorOf(
  model: ConstantDetectorOptions,
  options: Omit<DetectorOptions, 'model'> = {},
): Promise<Detector> {
  const detector = await createDetector({ model: constantDetector(model), head: 'yolov8', ...options });
  made.push(detector);
  return detector;
}

afterEach(() => {
  for (const detector of made.splice(0)) detector.dispose();
});

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('the call should have been rejected'),
    (error: unknown) => error,
  );

function canvasOfQuarters(width = 40, height = 24): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')?.putImageData(new ImageData(quarters(width, height), width, height), 0, 0);
  return canvas;
}

async function jpegOfQuarters(): Promise<Uint8Array<ArrayBuffer>> {
  const blob = await canvasOfQuarters().convertToBlob({ type: 'image/jpeg', quality: 0.95 });
  return new Uint8Array(await blob.arrayBuffer());
}

const videoFrame = () => new VideoFrame(canvasOfQuarters(), { timestamp: 0 });
const bitmap = () => createImageBitmap(canvasOfQuarters());

describe('readImage in the browser', () => {
  it('turns JPEGs of all EXIF orientations upright', async () => {
    const jpeg = await jpegOfQuarters();
    for (const [index, expected] of orientedCorners.entries()) {
      const image = await readImage(withOrientation(jpeg, index + 1));
      expect([image.width, image.height]).toEqual(index < 4 ? [40, 24] : [24, 40]);
      expect(corners(image), `orientation ${index + 1}`).toEqual(expected);
    }
  });

  it('turns PNG and WebP of all EXIF orientations upright', async () => {
    const blob = await canvasOfQuarters().convertToBlob({ type: 'image/webp', quality: 0.9 });
    const webp = new Uint8Array(await blob.arrayBuffer());
    const still = png(40, 24, 'rgba', quarters(40, 24));
    for (const [index, expected] of orientedCorners.entries()) {
      const turned = webpWithOrientation(webp, [40, 24], index + 1);
      for (const file of [turned, pngWithOrientation(still, index + 1)]) {
        const image = await readImage(file);
        expect([image.width, image.height]).toEqual(index < 4 ? [40, 24] : [24, 40]);
        expect(corners(image), `orientation ${index + 1}`).toEqual(expected);
      }
    }
  });

  it('turns and mirrors an AVIF as Node does', async () => {
    for (const [turns, row] of avifOrientations.entries()) {
      for (const [axis, orientation] of row.entries()) {
        const image = await readImage(avifTurned(turns, axis));
        expect(corners(image), `${turns}, ${axis}`).toEqual(orientedCorners[orientation - 1]);
      }
    }
  });

  it('reads grey, alpha, 16 bits and CMYK as Node does', async () => {
    const read = async (bytes: Uint8Array<ArrayBuffer>) => [...(await readImage(bytes)).data];
    expect(await read(png(2, 1, 'grey', [0, 77]))).toEqual([0, 0, 0, 255, 77, 77, 77, 255]);
    expect(await read(png(2, 1, 'greyAlpha', [0, 0, 0, 128]))).toEqual([
      255, 255, 255, 255, 127, 127, 127, 255,
    ]);
    const [r, g, b, a] = await read(png(1, 1, 'rgba', [200, 0, 100, 51]));
    for (const [got, expected] of [
      [r, 244],
      [g, 204],
      [b, 224],
    ])
      expect(Math.abs(got - expected)).toBeLessThanOrEqual(2);
    expect(a).toBe(255);
    expect(await read(png(3, 1, 'grey', [0, 32896, 65535], 16))).toEqual([
      0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255,
    ]);
    const cmyk = Uint8Array.from(atob(cmykJpeg), (letter) => letter.charCodeAt(0));
    expect(corners(await readImage(cmyk))).toEqual([0, 1, 2, 3]);
  });

  it('reads every drawable', async () => {
    const canvas = document.createElement('canvas');
    canvas.width = 40;
    canvas.height = 24;
    canvas.getContext('2d')?.drawImage(canvasOfQuarters(), 0, 0);
    const element = new Image();
    element.src = canvas.toDataURL();
    await element.decode();
    const frame = videoFrame();
    const map = await bitmap();
    const sources: Record<string, ImageSource> = {
      canvas,
      element,
      frame,
      map,
      offscreen: canvasOfQuarters(),
      pixels: new ImageData(quarters(40, 24), 40, 24),
      blob: new Blob([await jpegOfQuarters()]),
    };
    for (const [name, source] of Object.entries(sources)) {
      const image = await readImage(source);
      expect([image.width, image.height], name).toEqual([40, 24]);
      expect(corners(image), name).toEqual([0, 1, 2, 3]);
    }
    frame.close();
    map.close();
    for (const source of [frame, map, new Image(), document.createElement('video')]) {
      expect(() => readImage(source)).toThrow(ImageError);
    }
  });

  it('makes the tensor that Node makes', () => {
    expect(tensorHashes()).toEqual(expectedHashes);
  });
});

describe('frames', () => {
  const isClosed = (frame: VideoFrame | ImageBitmap) =>
    frame instanceof VideoFrame ? frame.format === null : frame.width === 0;
  const counts = async (detector: Detector) => {
    const { framesOpened, framesClosed } = await detector.stats();
    return [framesOpened, framesClosed];
  };

  it('are closed once after use, also twice the same in a batch', async () => {
    const detector = await detectorOf({ rows });
    const frames = [videoFrame(), await bitmap()];
    for (const frame of frames) expect((await detector.detect(frame)).count).toBe(2);
    const twice = videoFrame();
    expect(await detector.detect([twice, twice])).toHaveLength(2);
    for (const frame of [...frames, twice]) expect(isClosed(frame)).toBe(true);
    expect(await counts(detector)).toEqual([3, 3]);
  });

  it('are closed when the call fails, is aborted or comes too late', async () => {
    const detector = await detectorOf({ rows });
    const frames = await Promise.all([
      videoFrame(),
      bitmap(),
      videoFrame(),
      bitmap(),
      videoFrame(),
      bitmap(),
      videoFrame(),
    ]);
    const [failing, badOption, early, running, waiting, pending, late] = frames;
    expect(await rejection(detector.detect([failing, new Uint8Array(0)]))).toBeInstanceOf(ImageError);
    await rejection(detector.detect(badOption, { scoreThreshold: 7 }));
    const reason = new Error('enough');
    expect(await rejection(detector.detect(early, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [detector.detect(running, { signal }), detector.detect(waiting, { signal })];
    controller.abort(reason);
    expect(await Promise.all(calls.map(rejection))).toEqual([reason, reason]);
    expect(await counts(detector)).toEqual([5, 5]);
    const call = detector.detect(pending);
    detector.dispose();
    expect(await rejection(call)).toBeInstanceOf(DisposedError);
    expect(await rejection(detector.detect(late))).toBeInstanceOf(DisposedError);
    expect(frames.map(isClosed)).toEqual(frames.map(() => true));
  });
});

describe('bad input', () => {
  it('gives typed errors and no hang', async () => {
    const model = constantDetector({ rows });
    expect(await rejection(createDetector({ model: model.slice(0, 200) }))).toBeInstanceOf(ModelError);
    expect(await rejection(createDetector({ model: '/no-such-model.onnx' }))).toBeInstanceOf(ModelError);
    expect(await rejection(createDetector({ model: new TextEncoder().encode('<html>') }))).toBeInstanceOf(
      ModelError,
    );
    const detector = await detectorOf({ rows });
    expect(await rejection(detector.detect(new Blob([])))).toBeInstanceOf(ImageError);
    const jpeg = await jpegOfQuarters();
    expect(await rejection(detector.detect(jpeg.slice(0, jpeg.length >> 1)))).toBeInstanceOf(ImageError);
    expect((await detector.detect(jpeg)).count).toBe(2);
    const nothing = await detectorOf({ rows: [[1, 1, 1, 1, Number.NaN, Number.NaN]] });
    expect(await rejection(nothing.detect(jpeg))).toBeInstanceOf(NumericError);
  });
});

describe('model download', () => {
  it('reports progress and keeps the bytes in Cache Storage', async () => {
    const url = new URL('/models/digits/digits.onnx', location.origin);
    const cache = `boxops-test-${crypto.randomUUID()}`;
    const load = async () => {
      const progress: LoadProgress[] = [];
      const bytes = await loadModelBytes(url, { cache, onProgress: (step) => progress.push(step) });
      expect(progress.at(-1)?.loaded).toBe(bytes.length);
      return { bytes, phase: progress.at(-1)?.phase };
    };
    const first = await load();
    const sent = new Uint8Array(await (await fetch(url)).arrayBuffer());
    expect(sent.length).toBeGreaterThan(1e6);
    expect(first).toEqual({ bytes: sent, phase: 'download' });
    expect(await load()).toEqual({ bytes: sent, phase: 'cache' });
    await caches.delete(cache);
  });

  it('runs a model from a URL', async () => {
    const model = URL.createObjectURL(new Blob([constantDetector({ rows })]));
    const detector = await createDetector({ model, head: 'yolov8' });
    made.push(detector);
    expect((await detector.detect(videoFrame())).count).toBe(2);
    URL.revokeObjectURL(model);
  });
});

describe('execution providers', () => {
  it('agree, and say which one runs', async () => {
    const found = [];
    for (const provider of ['wasm', 'webgpu'] as const) {
      const detector = await detectorOf({ rows }, { executionProviders: [provider] });
      expect((await detector.stats()).executionProvider).toBe(provider);
      found.push((await detector.detect([videoFrame(), videoFrame()])).map((one) => one.toJSON()));
    }
    expect(found[1]).toEqual(found[0]);
    expect(found[0][0]).toHaveLength(2);
  });

  it('fall back to wasm where there is no GPU, and say why', async () => {
    const gpu = Object.getOwnPropertyDescriptor(Navigator.prototype, 'gpu');
    Object.defineProperty(navigator, 'gpu', { value: undefined, configurable: true });
    try {
      const detector = await detectorOf({ rows }, { executionProviders: ['webgpu', 'wasm'] });
      const { executionProvider, fallbacks } = await detector.stats();
      expect(executionProvider).toBe('wasm');
      expect(fallbacks).toEqual([
        { provider: 'webgpu', reason: expect.stringContaining('navigator.gpu is undefined') },
      ]);
    } finally {
      Reflect.deleteProperty(navigator, 'gpu');
    }
    expect(gpu).toBeDefined();
    expect(navigator.gpu).toBeDefined();
  });
});

describeWithData('execution providers on a photo', () => {
  it('find the same objects in it', { timeout: 300_000 }, async () => {
    const photo = await (await fetch(dataUrl('data/photos/dog.jpg'))).blob();
    const results = [];
    for (const provider of ['wasm', 'webgpu'] as const) {
      const detector = await createDetector({
        model: dataUrl('models/yolox_nano_416.onnx'),
        executionProviders: [provider],
        // a software GPU takes its time: one run is enough
        warmUp: false,
      });
      made.push(detector);
      results.push(await detector.detect(photo));
      expect((await detector.stats()).executionProvider).toBe(provider);
    }
    const [wasm, webgpu] = results;
    expect(wasm.toJSON().map(({ className }) => className)).toEqual(
      expect.arrayContaining(['dog', 'bicycle', 'truck']),
    );
    expect([...webgpu.classIds]).toEqual([...wasm.classIds]);
    const apart = (a: Float32Array, b: Float32Array): number =>
      a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0);
    expect(apart(wasm.scores, webgpu.scores)).toBeLessThan(1e-3);
    expect(apart(wasm.boxes, webgpu.boxes)).toBeLessThan(0.5);
  });

  it('refuse a model that is no detector', async () => {
    const model = dataUrl('models/reid-person-retail-0287.onnx');
    expect(await rejection(createDetector({ model }))).toBeInstanceOf(LayoutError);
  });
});
