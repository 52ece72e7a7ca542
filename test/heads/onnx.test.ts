/** The ONNX reader on files made here: what it reads, and that damage of any kind is a ModelError and ends at once. */
import { describe, expect, test } from 'vitest';
import { ModelError } from '../../src/errors.ts';
import { inspectModel } from '../../src/heads/index.ts';
import { readOnnx, tensorValues } from '../../src/heads/onnx/model.ts';
import { message, stripOnnx, writeOnnx } from '../support/onnx.ts';

const sample = writeOnnx({
  inputs: [
    { name: 'images', dims: ['batch', 3, 640, 640] },
    { name: 'weight', dims: [255, 64, 1, 1] },
  ],
  outputs: [{ name: 'output0', dims: ['batch', 84, 8400], type: 10 }],
  nodes: [
    { op: 'Conv', inputs: ['images', 'weight'], outputs: ['hidden'] },
    { op: 'Identity', inputs: ['hidden'], outputs: ['output0'] },
  ],
  initializers: [{ name: 'weight', dims: [2, 3], data: Float32Array.from([1, 2, 3, 4, 5, 6]) }],
  metadata: { task: 'detect', names: "{0: 'a'}" },
});

function reasonOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
    return (error as ModelError).details.reason;
  }
  return 'no error';
}

test('reads metadata, opset, inputs without initialisers, outputs, nodes and constants', () => {
  const model = readOnnx(sample);
  expect(model).toMatchObject({
    irVersion: 8,
    opset: 17,
    producer: 'boxops-test',
    metadata: { task: 'detect' },
  });
  expect(model.inputs).toEqual([{ name: 'images', type: 'float32', shape: ['batch', 3, 640, 640] }]);
  expect(model.outputs).toEqual([{ name: 'output0', type: 'float16', shape: ['batch', 84, 8400] }]);
  expect(model.nodes.map((node) => node.op)).toEqual(['Conv', 'Identity']);
  expect(tensorValues(model.initializers.get('weight')!)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(readOnnx(sample.buffer)).toMatchObject({ irVersion: 8 });
});

test('stripping leaves the graph and takes the names', () => {
  const model = readOnnx(stripOnnx(sample));
  expect(model).toMatchObject({ producer: '', metadata: {} });
  expect(model.inputs).toEqual([
    { name: expect.stringMatching(/^t\d$/), type: 'float32', shape: [null, 3, 640, 640] },
  ]);
  expect(model.nodes[1]!.inputs[0]).toBe(model.nodes[0]!.outputs[0]);
  expect(model.initializers.size).toBe(1);
});

describe('what is not a model', () => {
  const text = (words: string) => new TextEncoder().encode(words);
  test.each<[string, Uint8Array, string]>([
    ['zero bytes', new Uint8Array(0), 'empty'],
    ['HTML', text('<!DOCTYPE html><html></html>'), 'not-onnx'],
    ['JSON', text('{"error": "not found"}'), 'not-onnx'],
    ['plain text', text('hello, this is no model at all'), 'not-onnx'],
    ['a Git LFS pointer', text('version https://git-lfs.github.com/spec/v1'), 'not-onnx'],
    ['PNG', Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0]), 'not-onnx'],
    ['zip', Uint8Array.from([0x50, 0x4b, 3, 4, 20, 0, 0, 0]), 'not-onnx'],
    ['TFLite', text('\u001c\u0000\u0000\u0000TFL3abcdefgh'), 'not-onnx'],
    ['zeros', new Uint8Array(64), 'not-onnx'],
    ['a model without a graph', message([[1, 8]]), 'not-onnx'],
    [
      'a graph without outputs',
      message([
        [1, 8],
        [7, message([[2, 'empty']])],
      ]),
      'no-outputs',
    ],
  ])('%s', (_, bytes, reason) => {
    expect(reasonOf(() => inspectModel(bytes))).toBe(reason);
  });

  test('every truncation is told: a model cut anywhere never reads as whole', () => {
    const graphStart = sample.length - 200;
    for (let length = 1; length < sample.length; length++) {
      const reason = reasonOf(() => inspectModel(sample.subarray(0, length)));
      // cut on a field boundary after the graph, what is left is a valid file
      if (length > graphStart && reason === 'no error') continue;
      expect(['truncated', 'not-onnx']).toContain(reason);
    }
    expect(reasonOf(() => inspectModel(sample.subarray(0, sample.length >> 1)))).toBe('truncated');
  });
});

test('graphs made to blow up stay small: nested scaling, piled-up dims, cycles', () => {
  const chain = (op: string, copies: number) =>
    Array.from({ length: 3000 }, (_, i) => ({
      op,
      inputs: new Array<string>(copies).fill(i === 0 ? 'c' : `v${i - 1}`),
      outputs: [`v${i}`],
    }));
  const outputs = [{ name: 'o', dims: [1, 84, 8400] }];
  const initializers = [{ name: 'c', dims: [2] }];
  const start = performance.now();
  for (const nodes of [
    [...chain('DequantizeLinear', 3), { op: 'Conv', inputs: ['images', 'v2999'], outputs: ['o'] }],
    [...chain('Unsqueeze', 2), { op: 'Identity', inputs: ['v2999'], outputs: ['o'] }],
    [...chain('Gather', 2), { op: 'Identity', inputs: ['v2999'], outputs: ['o'] }],
    [{ op: 'Add', inputs: ['o', 'o'], outputs: ['o'] }],
  ]) {
    expect(inspectModel(writeOnnx({ outputs, initializers, nodes })).outputs).toHaveLength(1);
  }
  expect(performance.now() - start).toBeLessThan(5000);
});

test('random damage never hangs and never throws anything but ModelError', () => {
  let state = 12345;
  const random = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * limit);
  };
  const start = performance.now();
  let survived = 0;
  for (let round = 0; round < 4000; round++) {
    const bytes = sample.slice(0, 1 + random(sample.length));
    for (let hits = 1 + random(8); hits > 0; hits--) bytes[random(bytes.length)] = random(256);
    if (reasonOf(() => inspectModel(bytes)) === 'no error') survived++;
  }
  expect(survived).toBeGreaterThan(0);
  expect(performance.now() - start).toBeLessThan(20_000);
});
