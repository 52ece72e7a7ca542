/** The detector in a worker thread, from the built package: what the detector of this thread gives, and typed trouble. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  createDetector as createLocal,
  type Detector,
  type DetectorOptions,
  type ImageSource,
} from '../../src/detector/index.ts';
import {
  completeIou,
  defineMetric,
  distanceIou,
  focalerIou,
  formula,
  innerIou,
  mpdiou,
  nwd,
} from '../../src/index.ts';
import { constantDetector } from '../detector/support/onnx.ts';

const root = resolve(import.meta.dirname, '../..');
const rows = [
  [16, 16, 8, 8, 0.9, 0.1],
  [26, 20, 4, 4, 0.1, 0.3],
];
const blank = () => ({ data: new Uint8ClampedArray(4 * 64 * 48).fill(200), width: 64, height: 48 });

let createDetector: typeof createLocal;
beforeAll(async () => {
  const built = join(root, 'dist/detector.js');
  if (!existsSync(built)) throw new Error('dist/ is not built: run `npm run build` first');
  ({ createDetector } = await import(/* @vite-ignore */ built));
});

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
afterEach(() => {
  for (const detector of made.splice(0)) detector.dispose();
});

describe('in a worker thread', () => {
  it('rejects with what onProgress threw', async () => {
    const mine = new RangeError('no such bar');
    const onProgress = () => {
      throw mine;
    };
    await expect(open({ onProgress })).rejects.toBe(mine);
  });

  it('gives what the detector of this thread gives, alone and in a batch', async () => {
    using local = await createLocal({ model: constantDetector({ rows }), head: 'yolov8' });
    const detector = await open();
    const expected = await local.detect(blank());
    expect((await detector.detect(blank())).toJSON()).toEqual(expected.toJSON());
    const batch = await detector.detect([blank()]);
    expect(batch.map((found) => found.toJSON())).toEqual([expected.toJSON()]);
    expect(await detector.detect([])).toEqual([]);
    expect(detector.info).toEqual(local.info);
    expect(await detector.stats()).toMatchObject({
      worker: 'node',
      executionProvider: 'wasm',
      frames: 2,
      failures: 0,
    });
  });

  it('copies pixels, also those of a small view of a large buffer, or moves them', async () => {
    const detector = await open();
    const large = new Uint8ClampedArray(64 << 20);
    const view = large.subarray(8, 8 + 4 * 64 * 48);
    expect((await detector.detect({ data: view, width: 64, height: 48 })).count).toBe(2);
    expect(large.byteLength).toBe(64 << 20);
    const given = blank();
    const pending = detector.detect(given, { transfer: true });
    await expect.poll(() => given.data.byteLength).toBe(0);
    expect((await pending).count).toBe(2);
    const shared = new Uint8ClampedArray(new SharedArrayBuffer(4 * 64 * 48)).fill(9);
    expect((await detector.detect({ data: shared as never, width: 64, height: 48 })).count).toBe(2);
  });

  it('suppresses by any metric, as the detector of this thread does', async () => {
    const many = Array.from({ length: 20 }, (_, i) => [
      8 + ((7 * i) % 11),
      9 + ((5 * i) % 7),
      6 + (i % 5),
      5 + (i % 3),
      0.9 - 0.02 * i,
      0.1,
    ]);
    const model = constantDetector({ rows: many });
    using local = await createLocal({ model, head: 'yolov8' });
    const dice = defineMetric({
      name: 'dice',
      formula: ({ a, b, intersection }) =>
        formula.ratio(formula.mul(2, intersection), formula.add(a.area, b.area), 0),
    });
    const metrics = [
      innerIou({ base: 'ciou', ratio: 1.2 }),
      focalerIou({ base: nwd({ constant: 9 }), d: 0.1 }),
      mpdiou({ width: 32, height: 32 }),
      distanceIou({ exponent: 0.6 }),
      completeIou({ alpha: 'undetached' }),
      dice,
    ];
    const counts = new Set<number>();
    for (const metric of metrics) {
      const nms = { metric, iouThreshold: 0.3 };
      for (const preset of [undefined, 'ultralytics'] as const) {
        const options = { nms: { ...nms, ...(preset && { preset }) } };
        const expected = (await local.detect(blank(), options)).toJSON();
        const made = await open({ model, nms });
        const plain = await open({ model });
        counts.add(expected.length);
        expect((await plain.detect(blank(), options)).toJSON(), metric.name).toEqual(expected);
        const later = preset && { nms: { preset } };
        expect((await made.detect(blank(), later)).toJSON(), metric.name).toEqual(expected);
        for (const detector of [made, plain]) detector.dispose();
      }
    }
    expect(counts.size).toBeGreaterThan(2);
  });

  it("copies a Buffer's bytes: the caller's stay", async () => {
    const detector = await open({ model: Buffer.from(constantDetector({ rows })) as never });
    const data = Buffer.alloc(4 * 64 * 48, 255);
    expect((await detector.detect({ data, width: 64, height: 48 })).count).toBe(2);
    expect(data.length).toBe(4 * 64 * 48);
    const file = await readFile(join(root, 'docs/demo.png'));
    const { length } = file;
    expect((await detector.detect(file as never)).count).toBe(2);
    expect(file.length).toBe(length);
  });

  it('counts an aborted call as a failure, and stops the rest of its batch', async () => {
    const detector = await open({ model: constantDetector({ rows, batch: 1 }) });
    const controller = new AbortController();
    const images = Array.from({ length: 300 }, blank);
    const call = detector.detect(images, { signal: controller.signal, transfer: true });
    setTimeout(() => controller.abort('enough'), 20);
    await expect(call).rejects.toBe('enough');
    const { frames, failures } = await detector.stats();
    expect(failures).toBe(1);
    expect(frames).toBeLessThan(300);
  });

  it('restores every kind of error and goes on', async () => {
    const detector = await open();
    const code = (source: unknown, options = {}) =>
      detector.detect(source as ImageSource, options).catch((error) => error.code);
    expect(await code(new Uint8Array(0))).toBe('IMAGE');
    expect(await code(null)).toBe('IMAGE');
    expect(await code({ data: new Uint8Array(3), width: 1, height: 1 })).toBe('SHAPE');
    expect(await code(blank(), { scoreThreshold: 7 })).toBe('OPTION');
    expect(await code(blank(), { classes: ['bird'] })).toBe('OPTION');
    expect((await detector.detect(blank())).count).toBe(2);
    expect((await detector.stats()).failures).toBe(5);
  });

  it('bad models and options are typed errors', async () => {
    const code = (options: Partial<DetectorOptions>) => open(options).catch((error) => error.code);
    expect(await code({ model: new Uint8Array([8, 1]) })).toBe('MODEL');
    expect(await code({ model: join(root, 'nowhere.onnx') })).toBe('MODEL');
    expect(await code({ worker: 'inline' })).toBe('OPTION');
    expect(await code({ worker: () => 5 })).toBe('WORKER_LOAD');
    expect(await code({ signal: AbortSignal.abort(Object.assign(new Error('no'), { code: 'MINE' })) })).toBe(
      'MINE',
    );
  });

  it('names a misspelt option of a call', async () => {
    const detector = await open();
    for (const options of [null, 'diou', { score_threshold: 0.5 }, { nms: 'diou' }]) {
      await expect(detector.detect(blank(), options as never)).rejects.toMatchObject({
        code: 'OPTION',
      });
    }
    expect((await detector.detect(blank())).count).toBeGreaterThan(0);
    expect(await detector.stats()).toMatchObject({ frames: 1, failures: 4 });
    detector.dispose();
  });

  it('abort and dispose reject what is pending', async () => {
    const detector = await open();
    const controller = new AbortController();
    const aborted = detector.detect(blank(), { signal: controller.signal });
    controller.abort('enough');
    await expect(aborted).rejects.toBe('enough');
    const pending = [1, 2, 3].map(() => detector.detect(blank()).catch((error) => error.code));
    detector.dispose();
    expect(await Promise.all(pending)).toEqual(['DISPOSED', 'DISPOSED', 'DISPOSED']);
    await expect(detector.stats()).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  it('a forgotten detector does not keep the process alive, a pending call does', {
    timeout: 120_000,
  }, async () => {
    const script = `
      import { createDetector } from ${JSON.stringify(join(root, 'dist/detector.js'))};
      const detector = await createDetector({ model: ${JSON.stringify(join(root, 'models/digits/digits.onnx'))}, worker: true });
      const image = { data: new Uint8Array(4 * 160 * 160).fill(255), width: 160, height: 160 };
      detector.detect(image).then(({ count }) => console.log('found', count));
    `;
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 100_000,
    });
    expect((await run).stdout).toMatch(/^found \d+\n$/);
  });
});
