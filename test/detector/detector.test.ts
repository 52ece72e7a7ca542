import { readFileSync } from 'node:fs';
import { InferenceSession } from 'onnxruntime-web/wasm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  createDetector,
  type Detector,
  type DetectorOptions,
  type LoadProgress,
  type RawImage,
} from '../../src/detector/index.ts';
import {
  AmbiguousModelError,
  DisposedError,
  ImageError,
  LayoutError,
  ModelError,
  NumericError,
  OptionError,
  ShapeError,
} from '../../src/errors.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { type ConstantDetectorOptions, constantDetector } from './support/onnx.ts';

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

function blank(width: number, height: number): RawImage {
  return { data: new Uint8ClampedArray(4 * width * height).fill(255), width, height };
}

/** cx, cy, w, h in input pixels, then the scores of cat and dog. */
const rows = [
  [16, 16, 8, 8, 0.9, 0.1],
  [17, 16, 8, 8, 0.6, 0.05],
  [17, 16, 8, 8, 0.2, 0.8],
  [26, 20, 4, 4, 0.1, 0.3],
];

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('the call should have been rejected'),
    (error: unknown) => error,
  );

describe('detect', () => {
  it('gives boxes in image pixels, best first, with class names', async () => {
    const detector = await detectorOf({ rows });
    expect(detector.info.classNames).toEqual(['cat', 'dog']);
    // 64×32 into 32×32: half size, 8 rows of padding above
    const found = await detector.detect(blank(64, 32));
    expect(found.imageSize).toEqual({ width: 64, height: 32 });
    expect([...found.classIds]).toEqual([0, 1, 1]);
    expect(Array.from(found.scores, (score) => Number(score.toFixed(3)))).toEqual([0.9, 0.8, 0.3]);
    expect([...found.boxes]).toEqual([24, 8, 40, 24, 26, 8, 42, 24, 48, 20, 56, 28]);
    expect(found.classNameOf(1)).toBe('dog');
  });

  it('obeys the options of the call over those of the detector', async () => {
    const detector = await detectorOf({ rows }, { scoreThreshold: 0.5, nms: { scope: 'agnostic' } });
    const image = blank(32, 32);
    const scores = async (options?: Parameters<Detector['detect']>[1]) =>
      Array.from((await detector.detect(image, options)).scores, (score) => Number(score.toFixed(2)));
    expect(await scores()).toEqual([0.9]);
    expect(await scores({ scoreThreshold: 0.25 })).toEqual([0.9, 0.3]);
    expect(await scores({ nms: { scope: 'class' } })).toEqual([0.9, 0.8]);
    expect(await scores({ nms: { iouThreshold: 0.9 } })).toEqual([0.9, 0.8]);
    expect(await scores({ nms: { metric: 'diou', scope: 'class' } })).toEqual([0.9, 0.8]);
    expect(await scores({ nms: false })).toEqual([0.9, 0.8, 0.6]);
    expect(await scores({ nms: { maxDetections: 1, scope: 'class' } })).toEqual([0.9]);
    expect(await scores({ scoreThreshold: 0.15, nms: false, multiLabel: true })).toEqual([
      0.9, 0.8, 0.6, 0.3, 0.2,
    ]);
    expect(await scores({ classes: ['dog'], scoreThreshold: 0.2 })).toEqual([0.8, 0.3]);
    expect(await scores({ classes: [0], nms: false })).toEqual([0.9, 0.6]);
    expect(await scores({ classes: [] })).toEqual([]);
    await expect(scores({ classes: ['bird'] })).rejects.toThrow(/no class "bird"; the classes are cat, dog/);
    await expect(scores({ scoreThreshold: 2 })).rejects.toBeInstanceOf(OptionError);
    await expect(scores({ nms: { metric: 'nearest' as 'iou' } })).rejects.toBeInstanceOf(OptionError);
  });

  it.each([
    ['batch', 3],
    [1, 3],
    [2, 3],
    [2, 1],
  ] as const)('answers every picture of a batch (model batch %s, %d pictures)', async (batch, count) => {
    const detector = await detectorOf({ rows, batch });
    const images = [blank(64, 32), blank(32, 32), blank(32, 64)].slice(0, count);
    const found = await detector.detect(images);
    expect(found.map(({ imageSize }) => imageSize)).toEqual(
      images.map(({ width, height }) => ({ width, height })),
    );
    const single = await Promise.all(images.map((image) => detector.detect(image)));
    expect(found.map((one) => one.toJSON())).toEqual(single.map((one) => one.toJSON()));
    expect(await detector.detect([])).toEqual([]);
    expect((await detector.stats()).frames).toBe(2 * count);
  });

  it('leaves rows of NaN out, and is an error when nothing else is there', async () => {
    const broken = [Number.NaN, 16, 8, 8, 0.9, 0.1];
    const some = await detectorOf({ rows: [broken, rows[3]] });
    expect((await some.detect(blank(32, 32))).count).toBe(1);
    const all = await detectorOf({ rows: [broken, [1, 2, 3, 4, Number.NaN, Number.NaN]] });
    const error = await rejection(all.detect(blank(32, 32)));
    expect(error).toBeInstanceOf(NumericError);
    expect((error as NumericError).details.dropped).toBe(2);
    expect((await (await detectorOf({ rows: [] })).detect(blank(32, 32))).count).toBe(0);
    // the detector goes on
    expect(await rejection(all.detect(blank(32, 32)))).toBeInstanceOf(NumericError);
    expect((await all.stats()).failures).toBe(2);
  });

  it('rejects bad pictures with typed errors and goes on', async () => {
    const detector = await detectorOf({ rows });
    expect(await rejection(detector.detect(new Uint8Array(0)))).toBeInstanceOf(ImageError);
    expect(await rejection(detector.detect(new Uint8Array([1, 2, 3])))).toBeInstanceOf(ImageError);
    expect(await rejection(detector.detect({ data: new Uint8Array(3), width: 1, height: 1 }))).toBeInstanceOf(
      ShapeError,
    );
    expect(await rejection(detector.detect(null as never))).toBeInstanceOf(ImageError);
    expect(await rejection(detector.detect([blank(4, 4), new Uint8Array(0)]))).toBeInstanceOf(ImageError);
    const moved = blank(4, 4);
    structuredClone(null, { transfer: [moved.data.buffer] });
    expect(await rejection(detector.detect(moved.data.buffer as ArrayBuffer))).toBeInstanceOf(ImageError);
    const waiting = detector.detect(blank(32, 32));
    expect(await rejection(detector.detect(moved))).toBeInstanceOf(ShapeError);
    await waiting;
    expect((await detector.detect(blank(32, 32))).count).toBe(3);
    const { failures, frames, framesOpened, framesClosed } = await detector.stats();
    expect([failures, frames, framesOpened, framesClosed]).toEqual([7, 2, 0, 0]);
  });

  it('reads the picture as it is at the call, and keeps the order of calls', async () => {
    const detector = await detectorOf({ rows });
    const order: number[] = [];
    const shared = blank(32, 32);
    const calls = [64, 32, 48].map((width, index) => {
      const image = { ...blank(width, 32) };
      const call = detector.detect(image).then((found) => {
        order.push(index);
        return found.imageSize?.width;
      });
      image.data.fill(0);
      return call;
    });
    expect(await Promise.all(calls)).toEqual([64, 32, 48]);
    expect(order).toEqual([0, 1, 2]);
    expect(shared.data[0]).toBe(255);
  });

  it.each([1, 2, 'batch'] as const)(
    'also pictures of later runs of a call (model batch %s)',
    async (batch) => {
      const detector = await detectorOf({ batch, seesBrightness: true });
      // grey of 0.2, 0.4, 0.6: the score the model gives it
      const images = [51, 102, 153].map((grey) => {
        const image = blank(32, 32);
        for (let i = 0; i < image.data.length; i++) if (i % 4 !== 3) image.data[i] = grey;
        return image;
      });
      const call = detector.detect(images, { scoreThreshold: 0.1 });
      for (const { data } of images) data.fill(255);
      const scores = (await call).map((found) => Number(found.scores[0].toFixed(4)));
      expect(scores).toEqual([0.2, 0.4, 0.6]);
    },
  );

  it('a Buffer is copied like any other bytes, wherever it begins', async () => {
    const detector = await detectorOf({ seesBrightness: true });
    const brightness = async (data: Uint8Array, options = {}) =>
      (await detector.detect({ data, width: 32, height: 32 }, { scoreThreshold: 0.1, ...options })).scores[0];
    const unaligned = Buffer.from(new ArrayBuffer(4 * 32 * 32 + 1), 1, 4 * 32 * 32).fill(255);
    expect(await brightness(unaligned)).toBeCloseTo(1, 5);
    const running = detector.detect(blank(32, 32));
    const waiting = brightness(unaligned);
    unaligned.fill(0).fill(255, 0, 4);
    expect(await waiting).toBeCloseTo(1, 5);
    await running;
  });
});

describe('abort and dispose', () => {
  it('rejects aborted calls with the reason, before, while waiting and while running', async () => {
    const detector = await detectorOf({ rows });
    const reason = new Error('the user went on');
    expect(await rejection(detector.detect(blank(8, 8), { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const controllers = [new AbortController(), new AbortController()];
    const calls = controllers.map(({ signal }) => detector.detect(blank(8, 8), { signal }));
    const after = detector.detect(blank(8, 8));
    for (const controller of controllers) controller.abort(reason);
    expect(await Promise.all(calls.map(rejection))).toEqual([reason, reason]);
    expect((await after).count).toBe(3);
    expect((await detector.stats()).failures).toBe(3);
  });

  it('an aborted batch stops after the run it is in', async () => {
    const detector = await detectorOf({ rows, batch: 1 });
    const controller = new AbortController();
    const images = Array.from({ length: 50 }, () => blank(8, 8));
    const call = detector.detect(images, { signal: controller.signal });
    setImmediate(() => controller.abort('enough'));
    expect(await rejection(call)).toBe('enough');
    expect((await detector.detect(blank(8, 8))).count).toBe(3);
    expect((await detector.stats()).frames).toBeLessThan(10);
  });

  it('rejects pending and later calls when disposed, and may be disposed twice', async () => {
    const detector = await detectorOf({ rows });
    const calls = [detector.detect(blank(8, 8)), detector.detect(blank(8, 8))];
    detector.dispose();
    detector.dispose();
    detector[Symbol.dispose]();
    for (const call of [...calls, detector.detect(blank(8, 8)), detector.stats()]) {
      expect(await rejection(call)).toBeInstanceOf(DisposedError);
    }
  });
});

describe('createDetector', () => {
  it('tells its progress', async () => {
    const progress: LoadProgress[] = [];
    await detectorOf({ rows }, { onProgress: (step) => progress.push(step) });
    expect(progress.map(({ phase, loaded }) => `${phase} ${loaded}`)).toEqual([
      'session 0',
      'session 1',
      'warm-up 0',
      'warm-up 1',
    ]);
  });

  it.each(['session 0', 'session 1', 'warm-up 0', 'warm-up 1'])(
    'rejects with what onProgress threw at %s',
    async (at) => {
      const mine = new RangeError('no such bar');
      const onProgress = ({ phase, loaded }: LoadProgress) => {
        if (`${phase} ${loaded}` === at) throw mine;
      };
      await expect(detectorOf({ rows }, { onProgress })).rejects.toBe(mine);
    },
  );

  it('releases the session when onProgress throws once it is open', async () => {
    const { prototype } = InferenceSession as unknown as { prototype: { release(): Promise<void> } };
    const release = vi.spyOn(prototype, 'release');
    const onProgress = ({ phase, loaded }: LoadProgress) => {
      if (phase === 'session' && loaded === 1) throw new RangeError('no such bar');
    };
    await expect(detectorOf({ rows }, { onProgress })).rejects.toThrow('no such bar');
    expect(release).toHaveBeenCalledTimes(1);
    release.mockRestore();
  });

  it('chooses the input size: fixed, from the options, from the metadata, or 640', async () => {
    const sizeOf = async (model: ConstantDetectorOptions, side?: number) =>
      (
        await detectorOf(
          model,
          side === undefined ? {} : { preprocessing: { size: { width: side, height: side } } },
        )
      ).info.preprocessing.size;
    const metadata = { names: "{0: 'cat', 1: 'dog'}", imgsz: '[96, 128]' };
    expect(await sizeOf({ side: 48 })).toEqual({ width: 48, height: 48 });
    expect(await sizeOf({ dynamicSize: true })).toEqual({ width: 640, height: 640 });
    expect(await sizeOf({ dynamicSize: true }, 64)).toEqual({ width: 64, height: 64 });
    expect(await sizeOf({ dynamicSize: true, metadata })).toEqual({ width: 128, height: 96 });
    await expect(sizeOf({ dynamicSize: true }, 1e5)).rejects.toBeInstanceOf(OptionError);
    await expect(sizeOf({ side: 48 }, 64)).rejects.toThrow(/fixed to 48, got 64/);
  });

  it('asks for the head where the bytes do not tell, and takes the answer', async () => {
    const model = constantDetector({
      anchorMajor: true,
      metadata: {},
      rows: [[16, 16, 8, 8, 0.9, 0.9, 0.1]],
    });
    const error = await rejection(createDetector({ model }));
    expect(error).toBeInstanceOf(AmbiguousModelError);
    const { candidates } = (error as AmbiguousModelError).details as { candidates: { head: string }[] };
    expect(candidates.map(({ head }) => head)).toEqual(expect.arrayContaining(['yolox', 'yolov5']));
    expect((error as Error).message).toContain(`{ head: '${candidates[0].head}' }`);
    const detector = await createDetector({ model, head: 'yolov5', classNames: ['cat', 'dog'] });
    made.push(detector);
    const found = await detector.detect(blank(32, 32));
    expect(found.toJSON().map(({ className, box }) => [className, ...box])).toEqual([
      ['cat', 12, 12, 20, 20],
    ]);
  });

  it('names the file that is no model', async () => {
    const here = new URL(import.meta.url);
    const error = await rejection(createDetector({ model: here }));
    expect(error).toBeInstanceOf(ModelError);
    expect((error as ModelError).message).toContain('detector.test.ts: not an ONNX file');
    expect((error as ModelError).details).toMatchObject({ url: here.href, reason: 'not-onnx' });
  });

  it('rejects bad options', async () => {
    const bad: Omit<DetectorOptions, 'model'>[] = [
      { head: 'yolov99' as 'yolov8' },
      { threads: 0 },
      { executionProviders: [] },
      { scoreThreshold: Number.NaN },
      { classes: ['bird'] },
      { classes: 'cat' as never },
      { preprocessing: { std: [0, 1, 1] } },
      { preprocessing: { std: [1, 1] as never } },
      { preprocessing: { mean: 0 as never } },
      { preprocessing: { fit: 'letterBox' as never } },
      { preprocessing: { channelOrder: 'BGR' as never } },
      { preprocessing: { padValue: Number.NaN } },
      { preprocessing: { antialias: 'true' as never } },
      { preprocessing: { antialias: 1 as never } },
      { preprocessing: { size: { width: 32 } as never } },
      { preprocessing: { layout: 'nhwc' } },
      { preprocessing: { size: { width: 1.5, height: 2 } } },
    ];
    for (const options of bad) {
      expect(await rejection(detectorOf({ rows }, options)), JSON.stringify(options)).toBeInstanceOf(
        OptionError,
      );
    }
  });

  it('rejects what is no model', async () => {
    const model = constantDetector({ rows });
    const reject = (bytes: Uint8Array<ArrayBuffer>) =>
      rejection(createDetector({ model: bytes, head: 'yolov8' }));
    expect(await reject(new Uint8Array(0))).toBeInstanceOf(ModelError);
    expect(await reject(new TextEncoder().encode('<!doctype html><title>Not found</title>'))).toBeInstanceOf(
      ModelError,
    );
    for (const part of [0.1, 0.5, 0.9, 0.99]) {
      expect(await reject(model.slice(0, Math.floor(part * model.length))), `${part}`).toBeInstanceOf(
        ModelError,
      );
    }
    const reason = new Error('no time');
    expect(await rejection(createDetector({ model, signal: AbortSignal.abort(reason) }))).toBe(reason);
  });
});

describeWithData('createDetector on real models', () => {
  it('finds the dog, the bicycle and the truck', async () => {
    const detector = await createDetector({ model: dataPath('models/yolox_nano_416.onnx') });
    made.push(detector);
    const found = await detector.detect(Uint8Array.from(readFileSync(dataPath('data/photos/dog.jpg'))));
    const byClass = new Map(found.toJSON().map((row) => [row.className, row.box]));
    const expected: Record<string, readonly number[]> = {
      dog: [131, 222, 315, 541],
      bicycle: [122, 124, 570, 426],
      truck: [469, 76, 694, 170],
    };
    for (const [name, box] of Object.entries(expected))
      expect(overlap(byClass.get(name) ?? [], box), name).toBeGreaterThan(0.7);
  });

  it('refuses models that are no detectors', async () => {
    expect(
      await rejection(createDetector({ model: dataPath('models/reid-person-retail-0287.onnx') })),
    ).toBeInstanceOf(LayoutError);
  });
});

function overlap(a: readonly number[], b: readonly number[]): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (!(width > 0 && height > 0)) return 0;
  const area = (box: readonly number[]) => (box[2] - box[0]) * (box[3] - box[1]);
  return (width * height) / (area(a) + area(b) - width * height);
}
