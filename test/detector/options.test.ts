/** Options as callers without types give them: a misspelt name or a text for a number is told, never ignored. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDetector, detectTiled, mergeTiles, postprocess, tileGrid } from '../../src/detector/index.ts';
import { OptionError } from '../../src/errors.ts';
import { decode } from '../../src/heads/index.ts';
import { constantDetector } from './support/onnx.ts';

const model = constantDetector({ rows: [[16, 16, 8, 8, 0.9, 0.1]] });
const blank = () => ({ data: new Uint8Array(4 * 32 * 32).fill(200), width: 32, height: 32 });
const made = (options: object) => createDetector({ model, head: 'yolov8', ...options } as never);
const optionError = (pattern: RegExp) =>
  expect.objectContaining({ code: 'OPTION', message: expect.stringMatching(pattern) });

/** Options of `detect` that are wrong, and what the message names. */
const wrongRunOptions: [options: object, message: RegExp][] = [
  [{ score_threshold: 0.5 }, /no option 'score_threshold'; expected .*scoreThreshold, /],
  [{ scoreThreshold: '0.5' }, /scoreThreshold: expected a number, got "0.5"/],
  [{ scoreThreshold: null }, /scoreThreshold: expected a number, got Null/],
  [{ nms: 'diou' }, /nms: expected an object of options, got "diou"/],
  [{ nms: true }, /nms: expected an object of options, got true/],
  [{ nms: null }, /nms: expected an object of options, got Null/],
  [{ nms: { iou: 0.5 } }, /nms: there is no option 'iou'; expected metric, iouThreshold/],
  [{ nms: { rotated: null } }, /nms\.rotated: expected 'polygon' or 'probiou', got null/],
  [{ multiLabel: 'no' }, /multiLabel: expected a boolean, got "no"/],
  [{ clip: 1 }, /clip: expected a boolean, got 1/],
  [{ masks: 'false' }, /masks: expected a boolean/],
  [{ signal: new AbortController() }, /signal: expected an AbortSignal, got AbortController/],
];

describe('createDetector', () => {
  it('wants an object', async () => {
    for (const options of [undefined, null, 'model.onnx', 5]) {
      await expect(createDetector(options as never)).rejects.toEqual(
        optionError(/^options of createDetector: expected an object/),
      );
    }
  });

  it.each([
    ...wrongRunOptions,
    [{ head: 'yolov8', treads: 2 }, /no option 'treads'; expected model, worker/],
    [{ preprocessing: 'letterbox' }, /preprocessing: expected an object, got "letterbox"/],
    [{ preprocessing: { channel_order: 'bgr' } }, /preprocessing: there is no option 'channel_order'/],
    [{ preprocessing: { size: null } }, /size: expected an object, got Null/],
    [{ classNames: 'cat,dog' }, /classNames: expected an object, got "cat,dog"/],
    [{ classNames: [0, 1] }, /classNames: expected an array of texts/],
    [{ onProgress: 'bar' }, /onProgress: expected a function/],
    [{ readyTimeout: '5s' }, /readyTimeout: expected a number/],
    [{ cache: true }, /cache: expected a string/],
    [{ wasmPaths: { wasn: '/a.wasm' } }, /wasmPaths: there is no option 'wasn'/],
  ] as [object, RegExp][])('names what is wrong in %j', async (options, message) => {
    await expect(made(options)).rejects.toEqual(optionError(message));
  });
});

describe('detect', () => {
  it('names what is wrong, before and after which the detector works', async () => {
    const detector = await made({});
    for (const [options, message] of wrongRunOptions) {
      await expect(detector.detect(blank(), options as never)).rejects.toEqual(optionError(message));
    }
    for (const options of [null, 0.5, 'diou']) {
      await expect(detector.detect(blank(), options as never)).rejects.toEqual(
        optionError(/^options of detect: expected an object/),
      );
    }
    expect((await detector.detect(blank(), { scoreThreshold: undefined } as never)).count).toBe(1);
    detector.dispose();
  });
});

describe('postprocess and decode', () => {
  const output = { data: new Float32Array(24), dims: [1, 6, 4] };
  const input = { width: 32, height: 32 };

  it('name what is wrong', () => {
    const post = (options: object) => () =>
      postprocess({ output }, { head: 'yolov8', input, ...options } as never);
    for (const [options, message] of wrongRunOptions.filter(([options]) => !('signal' in options))) {
      expect(post(options)).toThrow(message);
    }
    expect(post({ input: undefined })).toThrow(/input of finite width and height/);
    expect(() => decode('yolov8', { output }, {} as never)).toThrow(/input: expected the model input's/);
    expect(() => decode('yolov8', output as never, { input })).toThrow(/tensors \{ data, dims \} by name/);
    expect(() => decode('yolov8', null as never, { input })).toThrow(/by name, got null/);
  });
});

describe('tiles', () => {
  it('have an image and a tile of whole pixels: no endless grid', () => {
    const grid = (image: unknown, options: unknown) => () => tileGrid(image as never, options as never);
    for (const image of [{ width: Number.NaN, height: 9 }, {}, { width: '9', height: 9 }, undefined]) {
      expect(grid(image, { tile: 4 })).toThrow(OptionError);
    }
    for (const options of [undefined, {}, { tile: null }, { tile: '4' }, { tile: 4, overlap: '0.2' }]) {
      expect(grid({ width: 9, height: 9 }, options)).toThrow(OptionError);
    }
  });

  it('want a detector, parts, and options by their names', async () => {
    const detector = await made({});
    const wrong = [{ tiles: 16 }, { overlap: '0.2' }, { mergeThreshold: '0.5' }, { nms: 'diou' }, null];
    for (const options of wrong) {
      await expect(detectTiled(detector, blank(), options as never)).rejects.toBeInstanceOf(OptionError);
    }
    for (const other of [null, {}, Promise.resolve(detector)]) {
      await expect(detectTiled(other as never, blank(), { tile: 16 })).rejects.toEqual(
        optionError(/^detector: expected an object with a method detect/),
      );
    }
    detector.dispose();
    for (const parts of [undefined, {}, [{}], [null]]) {
      expect(() => mergeTiles(parts as never)).toThrow(OptionError);
    }
    expect(() => mergeTiles([], { mergeMetrik: 'iou' } as never)).toThrow(/no option 'mergeMetrik'/);
    expect(() => mergeTiles([], { merge: 'wbf', mergeScope: 'image' } as never)).toThrow(OptionError);
  });
});

it('every option the types document is known', async () => {
  const types = await readFile(resolve(import.meta.dirname, '../../src/detector/types.ts'), 'utf8');
  const body = types.slice(types.indexOf('export interface DetectorOptions'));
  const names = [...body.slice(0, body.indexOf('\n}')).matchAll(/^ {2}readonly (\w+)/gm)].map(
    ([, name]) => name,
  );
  expect(names.length).toBeGreaterThan(20);
  const error = await made({ nothing: 1 }).catch((reason: OptionError) => reason);
  expect([...((error as OptionError).details.known as string[])].sort()).toEqual([...names].sort());
});
