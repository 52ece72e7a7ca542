/** Arguments as callers without types give them: options that are none are told, never taken for the defaults. */
import { describe, expect, it } from 'vitest';
import * as core from '../../src/index.ts';

const boxes = Float32Array.of(0, 0, 10, 10, 1, 1, 11, 11);
const scores = Float32Array.of(0.9, 0.8);

type Loose = (...given: unknown[]) => unknown;
const { nms, softNms, matrixNms, clusterNms, fastNms, nonMaximumMerge } = core;
const suppressions = Object.entries({
  nms,
  softNms,
  matrixNms,
  clusterNms,
  fastNms,
  nonMaximumMerge,
}) as [string, Loose][];
const { pairwiseIou, alignedIou, bestMatch } = core;
const comparisons = Object.entries({ pairwiseIou, alignedIou, bestMatch }) as unknown as [string, Loose][];

describe('options', () => {
  it.each(suppressions)('of %s are an object', (_name, call) => {
    for (const options of ['giou', 0.5, true]) {
      expect(() => call(boxes, scores, options)).toThrow(core.OptionError);
    }
  });

  it.each(comparisons)('of %s are an object', (_name, call) => {
    for (const options of ['giou', 0.5, null]) {
      expect(() => call(boxes, boxes, options)).toThrow(`options must be an object, got ${options}`);
    }
  });

  it('of nms and nmsBatch, too', () => {
    expect(() => core.nms(boxes, scores, null as never)).toThrow(core.OptionError);
    expect(() => core.nmsBatch(boxes, scores, [0, 2], 'diou' as never)).toThrow(core.OptionError);
  });

  it('name a preset there is', () => {
    for (const [name, call] of suppressions) {
      expect(() => call(boxes, scores, { preset: 'pytorch' }), name).toThrow('unknown preset pytorch');
    }
  });
});

describe('arrays', () => {
  it('of the wrong kind are named', () => {
    for (const classIds of [null, [0, 1], new BigInt64Array(2), 2]) {
      expect(() => nms(boxes, scores, { classIds: classIds as never })).toThrow(
        /classIds: expected an Int32Array of 2/,
      );
    }
    expect(() => nms(boxes, Uint8Array.of(9, 8) as never)).toThrow(
      /scores: expected a Float32Array.* Uint8Array/,
    );
    expect(() => core.pairwiseIou([0, 0, 1, 1] as never, boxes)).toThrow(
      /a: expected a Float32Array or Float64Array, got Array/,
    );
  });

  it('may be shared, resizable or parts of larger ones', () => {
    const expected = [...core.nms(boxes, scores)];
    const within = new Float32Array(16);
    within.set(boxes, 5);
    const shared = new Float32Array(new SharedArrayBuffer(boxes.byteLength));
    shared.set(boxes);
    const resizable = new Float32Array(
      new (ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer)(boxes.byteLength, {
        maxByteLength: 8 * boxes.byteLength,
      }),
    );
    resizable.set(boxes);
    for (const same of [within.subarray(5, 13), shared, resizable]) {
      expect([...core.nms(same, scores)]).toEqual(expected);
      expect(core.pairwiseIou(same as Float32Array, boxes)).toEqual(core.pairwiseIou(boxes, boxes));
    }
  });

  it('of models: each is { boxes, scores }, weights are a list', () => {
    const { weightedBoxesFusion } = core as unknown as { weightedBoxesFusion: Loose };
    expect(() => weightedBoxesFusion([null])).toThrow(core.ShapeError);
    expect(() => weightedBoxesFusion([{ boxes, scores }], { weights: 1 })).toThrow(core.OptionError);
  });
});

describe('sizes and boxes that are missing', () => {
  it('are named', () => {
    const { boxArea, clipBoxes, FrameTransform } = core as unknown as {
      boxArea: Loose;
      clipBoxes: Loose;
      FrameTransform: { letterbox: Loose };
    };
    expect(() => boxArea()).toThrow(/boxes of length 4·N, got undefined/);
    expect(() => clipBoxes(boxes)).toThrow(/image size of finite width and height > 0/);
    expect(() => FrameTransform.letterbox({ source: { width: 4, height: 4 } })).toThrow(
      /expected target of finite width and height > 0, got undefined×undefined/,
    );
  });
});
