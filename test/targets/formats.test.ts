/** Containers and codings by themselves: safetensors, npy, and what each coder of a configuration gives. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deltaCoder } from '../../src/coders/index.ts';
import { OptionError, ShapeError } from '../../src/errors.ts';
import { l1Loss } from '../../src/losses/index.ts';
import { boxEncoding } from '../../src/targets/coding.ts';
import {
  type NamedTensor,
  readSafetensors,
  type Tensors,
  targetConfig,
  writeNpy,
  writeSafetensors,
} from '../../src/targets/index.ts';

const tensor = fc.oneof(
  fc.float32Array({ maxLength: 12 }),
  fc.float64Array({ maxLength: 12 }),
  fc.int32Array({ maxLength: 12 }),
  fc.uint8Array({ maxLength: 12 }),
  fc.bigInt64Array({ maxLength: 12 }),
);

describe('safetensors', () => {
  it('gives back what was written, in any order of names, also from a Node buffer', () => {
    const named = fc.dictionary(
      fc.string({ minLength: 1 }).filter((name) => !name.startsWith('__')),
      tensor,
    );
    const metadata = fc.dictionary(
      fc.string({ minLength: 1 }).filter((name) => !name.startsWith('__')),
      fc.string(),
    );
    fc.assert(
      fc.property(named, metadata, (columns, about) => {
        const tensors = Object.fromEntries(
          Object.entries(columns).map(([name, data]) => [name, { shape: [data.length], data }]),
        ) as Tensors;
        const bytes = writeSafetensors(tensors, about);
        for (const read of [readSafetensors(bytes), readSafetensors(Buffer.from(bytes))]) {
          expect(read.tensors).toEqual(tensors);
          expect({ ...read.metadata }).toEqual({ ...about });
        }
        const backwards = Object.fromEntries(Object.entries(tensors).reverse());
        expect(writeSafetensors(backwards, about)).toEqual(bytes);
      }),
    );
  });

  it('refuses what is none, or ends too early', () => {
    const bytes = writeSafetensors({ a: { shape: [2, 2], data: new Float32Array(4) } });
    for (let end = 0; end < bytes.length; end++) {
      expect(() => readSafetensors(bytes.subarray(0, end))).toThrow('expected a safetensors file');
    }
    const wrong = bytes.slice();
    wrong.set(new TextEncoder().encode('"F99"'), new TextDecoder().decode(bytes).indexOf('"F32"'));
    expect(() => readSafetensors(wrong)).toThrow('elements of type F99');
  });
});

describe('what is written', () => {
  const written = [
    (tensor: NamedTensor) => writeNpy(tensor),
    (tensor: NamedTensor) => writeSafetensors({ tensor }),
  ];

  it.each(written)('has as many numbers as its shape says', (write) => {
    const data = Float32Array.of(1, 2, 3);
    for (const shape of [[], [2], [3, 2], [-3, -1], [1.5, 2], [Number.NaN], undefined as never]) {
      expect(() => write({ shape, data }), String(shape)).toThrow(ShapeError);
    }
    expect(() => write({ shape: [1, 3, 1], data })).not.toThrow();
    expect(() => write({ shape: [], data: data.subarray(1, 2) })).not.toThrow();
  });

  it.each(written)('has elements that both containers have', (write) => {
    for (const data of [Uint16Array.of(1), [1], undefined]) {
      expect(() => write({ shape: [1], data: data as never })).toThrow(OptionError);
    }
  });

  it('may be what losses, coders and shared memory give', () => {
    const shared = new Float32Array(new SharedArrayBuffer(16)).fill(2);
    const { gradient } = l1Loss(shared, new Float32Array(4), { reduction: 'sum' });
    for (const data of [shared, gradient, deltaCoder().encode(shared, gradient)]) {
      const { tensors } = readSafetensors(writeSafetensors({ a: { shape: [1, 4], data } }));
      expect(tensors.a!.data).toEqual(Float32Array.from(data));
      expect(writeNpy({ shape: [1, 4], data }).slice(-16)).toEqual(
        new Uint8Array(Float32Array.from(data).buffer),
      );
    }
  });
});

describe('npy', () => {
  it('has the header numpy writes', () => {
    const bytes = writeNpy({ shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
    expect([...bytes.subarray(0, 10)]).toEqual([0x93, 78, 85, 77, 80, 89, 1, 0, 118, 0]);
    const header = new TextDecoder().decode(bytes.subarray(10, 128));
    expect(header).toBe(`${"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".padEnd(117)}\n`);
    expect([...new Float32Array(bytes.slice(128).buffer)]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(new TextDecoder().decode(writeNpy({ shape: [0], data: new Int32Array(0) }))).toContain(
      "'shape': (0,)",
    );
  });
});

describe('coders of a configuration', () => {
  const encode = (preset: string, more: object = {}) => {
    const out = new Float32Array(4);
    boxEncoding(targetConfig({ preset, ...more }).coder)(
      {
        boxes: Float32Array.of(100, 120, 140, 200),
        priors: Float32Array.of(112, 144, 128, 160),
        strides: Float32Array.of(16),
        input: { width: 640, height: 320 },
      },
      out,
    );
    return [...out];
  };
  const close = (actual: number[], expected: number[]) => {
    for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5);
  };
  it('are those of the detectors', () => {
    close(encode('retinanet'), [0, 0.5, Math.log(2.5), Math.log(5)]);
    close(encode('ssd300'), [0, 5, Math.log(2.5) / 0.2, Math.log(5) / 0.2]);
    close(encode('fcos'), [20 / 16, 32 / 16, 20 / 16, 48 / 16]);
    close(encode('yolov8'), [20 / 16, 32 / 16, 20 / 16, 48 / 16]);
    // cell (7, 9): the centre 7.5, 10 in cells
    close(encode('yolov5'), [0.5, 1, 2.5, 5]);
    // the same cell's corner, in (0, 1): its last place is 1e-6 below 1
    close(encode('yolov5', { coder: { kind: 'yolov3' } }), [0.5, 1, Math.log(2.5), Math.log(5)]);
    // YOLOX's get_l1_target: the same cell's corner, (120 − 112) / 16 and (160 − 144) / 16
    close(encode('yolox'), [0.5, 1, Math.log(2.5), Math.log(5)]);
    close(encode('detr'), [120 / 640, 160 / 320, 40 / 640, 80 / 320]);
  });
});
