/** The engine can be chosen, says what it is, and gives way where wasm is refused. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OptionError, UnsupportedError } from '../../src/errors.ts';

const boxes = Float32Array.of(0, 0, 10, 10, 1, 0, 10, 10, 20, 0, 30, 10);
const scores = Float32Array.of(0.9, 0.8, 0.7);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe('backend', () => {
  it('is SIMD by default and can be chosen', async () => {
    const { activeBackend, setBackend } = await import('../../src/kernels/index.ts');
    expect(activeBackend()).toBe('simd');
    setBackend('javascript');
    expect(activeBackend()).toBe('javascript');
    setBackend('auto');
    expect(activeBackend()).toBe('simd');
    expect(() => setBackend('gpu' as 'simd')).toThrow(OptionError);
  });

  it('falls back to the JavaScript twins where a policy refuses wasm', async () => {
    class Refusing {
      constructor() {
        throw new WebAssembly.CompileError('refused to compile: unsafe-eval is not an allowed source');
      }
    }
    vi.stubGlobal('WebAssembly', {
      ...WebAssembly,
      Module: Refusing,
      CompileError: WebAssembly.CompileError,
    });
    vi.resetModules();
    const { activeBackend, setBackend } = await import('../../src/kernels/index.ts');
    const { nms } = await import('../../src/nms/index.ts');
    const { bestMatch } = await import('../../src/iou/index.ts');
    expect(activeBackend()).toBe('javascript');
    expect([...nms(boxes, scores)]).toEqual([0, 2]);
    expect([...bestMatch(boxes, boxes).indices]).toEqual([0, 1, 2]);
    // The class of the fresh module graph, not the one imported above.
    expect(() => setBackend('simd')).toThrow(/wasm SIMD is refused/);
    expect(UnsupportedError.name).toBe('UnsupportedError');
  });

  it('results are no views of kernel memory', async () => {
    const { nms } = await import('../../src/nms/index.ts');
    const { pairwiseIou } = await import('../../src/iou/index.ts');
    const keep = nms(boxes, scores);
    const matrix = pairwiseIou(boxes, boxes);
    expect(keep.buffer.byteLength).toBe(keep.byteLength);
    expect(matrix.buffer.byteLength).toBe(matrix.byteLength);
    const before = [...keep];
    nms(new Float32Array(4e5).fill(1), new Float32Array(1e5).fill(0.5));
    expect([...keep]).toEqual(before);
  });
});
