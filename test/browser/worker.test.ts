/**
 * The detector in a worker, in a real browser and from the built package: by URL and by a factory it gives what the
 * detector of this thread gives; frames move, errors arrive whole, no worker stays. The inline worker is tested in test/client/
 * shipping.test.ts, on a page whose server leaves the runtime's files as they are.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { liveWorkers } from '../../src/client/index.ts';
import type { DetectorOptions, ImageSource } from '../../src/detector/index.ts';
import {
  createDetector as createLocal,
  type Detector,
  detectTiled as tiledLocally,
} from '../../src/detector/index.ts';
import { constantDetector } from '../detector/support/onnx.ts';

const built = new URL('../../dist/detector.js', import.meta.url).href;
const {
  createDetector,
  detectTiled,
}: { createDetector: typeof createLocal; detectTiled: typeof tiledLocally } = await import(
  /* @vite-ignore */ built
);

const digits = new URL('../../models/digits/digits.onnx', import.meta.url).href;
const rows = [
  [16, 16, 8, 8, 0.9, 0.1],
  [26, 20, 4, 4, 0.1, 0.3],
];
const bound = 15_000;

const made: Detector[] = [];
async function open(options: Partial<DetectorOptions> = {}): Promise<Detector> {
  const detector = await createDetector({
    model: constantDetector({ rows }),
    head: 'yolov8',
    worker: true,
    ...options,
  });
  made.push(detector);
  return detector;
}

async function workersAlive(): Promise<number> {
  const { held } = await navigator.locks.query();
  return held!.filter(({ name }) => name!.startsWith('boxops-worker-')).length;
}

afterEach(async () => {
  for (const detector of made.splice(0)) detector.dispose();
  await expect.poll(workersAlive, { timeout: bound }).toBe(0);
  expect(liveWorkers()).toBe(0);
});

/** Digits of a typeface on paper: not the handwriting the model knows, but enough for it to find some. */
function page(): OffscreenCanvas {
  const canvas = new OffscreenCanvas(320, 240);
  const context = canvas.getContext('2d')!;
  context.fillStyle = '#f4f1ea';
  context.fillRect(0, 0, 320, 240);
  context.fillStyle = '#20242c';
  context.font = '56px sans-serif';
  for (const [index, digit] of [...'0123456789'].entries()) {
    context.fillText(digit, 15 + 60 * (index % 5), 90 + 90 * Math.floor(index / 5));
  }
  return canvas;
}

const factory = () =>
  new Worker(new URL('../../workers/detector.ts', import.meta.url), {
    type: 'module',
    name: 'made by the test',
  });

describe('the same detections', () => {
  it('with keypoints, and with masks that are decoded here', async () => {
    const pose = {
      model: constantDetector({
        columns: 11,
        rows: [[16, 16, 8, 8, 0.9, 14, 15, 0.8, 18, 17, 0.3]],
        metadata: { names: "{0: 'person'}", task: 'pose', kpt_shape: '[2, 3]' },
      }),
      head: 'yolov8-pose',
    } as const;
    const segment = {
      model: constantDetector({
        columns: 8,
        rows: [[16, 16, 20, 12, 0.9, 0.1, 1, -0.5]],
        metadata: { names: "{0: 'cat', 1: 'dog'}", task: 'segment' },
        prototypes: { channels: 2, side: 8, data: Float32Array.from({ length: 128 }, (_, i) => Math.sin(i)) },
      }),
      head: 'yolov8-seg',
    } as const;
    for (const options of [pose, segment]) {
      using local = await createLocal(options);
      const picture = page();
      const expected = await local.detect(picture);
      expect(expected.count).toBe(1);
      expect(expected.keypoints !== undefined || expected.maskAt(0) !== undefined).toBe(true);
      const detector = await open({ ...options, worker: true });
      const found = await detector.detect(picture);
      expect(found.toJSON()).toEqual(expected.toJSON());
    }
  });
  it('in tiles', async () => {
    using local = await createLocal({ model: digits });
    const options = { tile: 160, overlap: 0.25, scoreThreshold: 0.05, batch: 3 };
    const expected = await tiledLocally(local, page(), options);
    expect(expected.count).toBeGreaterThan(3);
    const detector = await open({ model: digits, head: undefined as never, worker: true });
    const bitmap = page().transferToImageBitmap();
    const found = await detectTiled(detector, bitmap, options);
    expect(found.toJSON()).toEqual(expected.toJSON());
    expect(bitmap.width).toBe(0);
  });

  const ways: readonly [string, Partial<DetectorOptions>, string][] = [
    ['by URL', { worker: true }, 'url'],
    ['by a factory', { worker: factory }, 'factory'],
  ];
  it.each(ways)('%s', async (_, options, kind) => {
    using local = await createLocal({ model: digits });
    const expected = await local.detect(page(), { scoreThreshold: 0.05 });
    expect(expected.count).toBeGreaterThan(3);
    const detector = await open({ model: digits, head: undefined as never, ...options });
    const found = await detector.detect(page(), { scoreThreshold: 0.05 });
    expect(found.toJSON()).toEqual(expected.toJSON());
    expect(found.classNames).toEqual(expected.classNames);
    expect(await detector.stats()).toMatchObject({
      worker: kind,
      framesOpened: 1,
      framesClosed: 1,
      failures: 0,
    });
    expect(detector.info).toEqual(local.info);
  });

  it('inline without a place for the runtime says what is missing', async () => {
    await expect(open({ worker: 'inline' })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});

describe('sources', () => {
  it('elements, canvases, bitmaps, frames, blobs, bytes and pixels, alone and in a batch', async () => {
    const detector = await open();
    const canvas = page();
    const blob = await canvas.convertToBlob();
    const image = new Image();
    image.src = URL.createObjectURL(blob);
    await image.decode();
    const element = document.createElement('canvas');
    element.width = element.height = 64;
    element.getContext('2d');
    const pixels = canvas.getContext('2d')!.getImageData(0, 0, 320, 240);
    const sources: ImageSource[] = [
      image,
      element,
      canvas,
      await createImageBitmap(canvas),
      new VideoFrame(canvas, { timestamp: 0 }),
      blob,
      new Uint8Array(await blob.arrayBuffer()),
      await blob.arrayBuffer(),
      pixels as ImageSource,
    ];
    for (const source of sources) expect((await detector.detect(source)).count).toBe(2);
    expect(pixels.data.byteLength).toBe(4 * 320 * 240);
    const batch = await detector.detect([pixels as ImageSource, await createImageBitmap(canvas), blob]);
    expect(batch.map(({ count }) => count)).toEqual([2, 2, 2]);
    const stats = await detector.stats();
    expect(stats.framesOpened).toBe(stats.framesClosed);
    expect(stats.frames).toBe(12);
  });

  it('frames belong to the detector, also on abort, error and after dispose', async () => {
    const detector = await open();
    const frame = () => new VideoFrame(page(), { timestamp: 0 });
    const frames = [frame(), frame(), frame(), frame(), frame()];
    await detector.detect(frames[0]!);
    await expect(detector.detect(frames[1]!, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    const controller = new AbortController();
    const pending = detector.detect(frames[2]!, { signal: controller.signal });
    controller.abort('changed my mind');
    await expect(pending).rejects.toBe('changed my mind');
    await expect(detector.detect(frames[3]!, { classes: ['no such class'] })).rejects.toMatchObject({
      code: 'OPTION',
    });
    await expect
      .poll(async () => {
        const { framesOpened, framesClosed } = await detector.stats();
        return framesOpened === 4 && framesClosed === 4;
      })
      .toBe(true);
    detector.dispose();
    await expect(detector.detect(frames[4]!)).rejects.toMatchObject({ code: 'DISPOSED' });
    expect(frames.map(({ codedWidth }) => codedWidth)).toEqual([0, 0, 0, 0, 0]);
  });

  it('pixels are copied, or moved with transfer', async () => {
    const detector = await open();
    const kept = new Uint8ClampedArray(4 * 64 * 64).fill(255);
    await detector.detect({ data: kept, width: 64, height: 64 });
    expect(kept.byteLength).toBe(4 * 64 * 64);
    const given = new Uint8ClampedArray(4 * 64 * 64).fill(255);
    const pending = detector.detect({ data: given, width: 64, height: 64 }, { transfer: true });
    await expect.poll(() => given.byteLength).toBe(0);
    expect((await pending).count).toBe(2);
  });

  it('what is no picture is an ImageError, what has the wrong length a ShapeError', async () => {
    const detector = await open();
    const code = (source: unknown) => detector.detect(source as ImageSource).catch((error) => error.code);
    expect(await code(new Uint8Array(0))).toBe('IMAGE');
    expect(await code(new Uint8Array([1, 2, 3]))).toBe('IMAGE');
    expect(await code(new Image())).toBe('IMAGE');
    expect(await code(7)).toBe('IMAGE');
    expect(await code(null)).toBe('IMAGE');
    expect(await code({ data: new Uint8Array(5), width: 2, height: 2 })).toBe('SHAPE');
    const closed = [await createImageBitmap(page()), new VideoFrame(page(), { timestamp: 0 })] as const;
    for (const frame of closed) {
      frame.close();
      expect(await code(frame)).toBe('IMAGE');
      expect(await code([page(), frame])).toBe('IMAGE');
    }
    const moved = new Uint8Array(4 * 64 * 64);
    structuredClone(null, { transfer: [moved.buffer] });
    expect(await code(moved)).toBe('IMAGE');
    expect(await code(moved.buffer)).toBe('IMAGE');
    expect((await detector.detect(page())).count).toBe(2);
  });
});

describe('trouble', () => {
  it('bad models are typed errors and leave no worker', async () => {
    const code = (options: Partial<DetectorOptions>) => open(options).catch((error) => error.code);
    expect(await code({ model: new Uint8Array([1, 2, 3]) })).toBe('MODEL');
    expect(await code({ model: new Uint8Array(0) })).toBe('MODEL');
    expect(await code({ model: '/nowhere.onnx' })).toBe('MODEL');
    expect(await code({ model: '' })).toBe('MODEL');
    expect(await code({ model: 'http://' })).toBe('MODEL');
    expect(await code({ wasmPaths: 'http://' })).toBe('OPTION');
    expect(await code({ threads: 0 })).toBe('OPTION');
    expect(await code({ worker: 'thread' as 'url' })).toBe('OPTION');
    expect(await code({ nms: { metric: (() => 1) as never } })).toBe('OPTION');
    await expect.poll(workersAlive, { timeout: bound }).toBe(0);
  });

  it('an aborted creation rejects with the reason and leaves no worker', async () => {
    const controller = new AbortController();
    const pending = open({
      model: digits,
      signal: controller.signal,
      onProgress: () => controller.abort('too slow'),
    });
    await expect(pending).rejects.toBe('too slow');
    await expect.poll(workersAlive, { timeout: bound }).toBe(0);
  });

  it('progress of the download reaches the page', async () => {
    const phases: string[] = [];
    await open({ model: digits, head: undefined as never, onProgress: ({ phase }) => phases.push(phase) });
    expect([...new Set(phases)]).toEqual(['download', 'session', 'warm-up']);
  });

  it('a worker killed in the middle: a typed error within a bound, and a new detector works', async () => {
    let worker: Worker | undefined;
    const detector = await open({
      worker: () => {
        worker = factory();
        return worker;
      },
    });
    const frames = [0, 1, 2].map((timestamp) => new VideoFrame(page(), { timestamp }));
    const start = performance.now();
    const pending = frames.map((frame) => detector.detect(frame).catch((error) => error.code));
    await new Promise((resolve) => setTimeout(resolve));
    worker!.terminate();
    for (const answer of await Promise.all(pending)) {
      if (typeof answer === 'string') expect(answer).toBe('WORKER_CRASH');
    }
    await expect(detector.detect(page())).rejects.toMatchObject({ code: 'WORKER_CRASH' });
    expect(performance.now() - start).toBeLessThan(bound);
    const again = await open({ worker: factory });
    expect((await again.detect(page())).count).toBe(2);
  });

  it('dispose rejects what is pending', async () => {
    const detector = await open();
    const pending = [page(), page()].map((source) => detector.detect(source).catch((error) => error.code));
    detector.dispose();
    detector.dispose();
    expect(await Promise.all(pending)).toEqual(['DISPOSED', 'DISPOSED']);
    await expect(detector.stats()).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});
