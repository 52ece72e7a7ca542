import { describe, expect, it } from 'vitest';
import { decodeError, encodeError } from '../../src/client/error-codec.ts';
import * as errors from '../../src/errors.ts';

/** There and back, through a structured clone as a worker boundary does it. */
const cross = (error: unknown): unknown => decodeError(structuredClone(encodeError(error)));

describe('errors across a boundary', () => {
  const classes = Object.values(errors).filter(
    (value): value is typeof errors.BoxopsError =>
      typeof value === 'function' && /Error$/.test(value.name) && value !== (errors.restoreError as unknown),
  );

  it.each(classes.map((Class) => [Class.name, Class] as const))(
    '%s keeps class, code, details and stack',
    (_, Class) => {
      const original = new Class('got 3, expected 4', { got: 3, list: [1, 2] });
      const restored = cross(original);
      expect(restored).toBeInstanceOf(Class);
      expect(restored).toMatchObject({
        name: original.name,
        code: original.code,
        message: 'got 3, expected 4',
        details: { got: 3, list: [1, 2] },
        stack: original.stack,
      });
    },
  );

  it('covers every class of errors.ts', () => {
    expect(classes.length).toBeGreaterThanOrEqual(14);
  });

  it('keeps native classes, names and causes', () => {
    const restored = cross(new TypeError('outer', { cause: new RangeError('inner') })) as TypeError;
    expect(restored).toBeInstanceOf(TypeError);
    expect(restored.cause).toBeInstanceOf(RangeError);
    class Custom extends Error {
      override readonly name = 'CustomError';
    }
    expect(cross(new Custom('mine'))).toMatchObject({ name: 'CustomError', message: 'mine' });
  });

  it('keeps an AbortError and a TimeoutError as DOMExceptions', () => {
    for (const name of ['AbortError', 'TimeoutError', 'DataCloneError']) {
      const restored = cross(new DOMException('stopped', name));
      expect(restored).toBeInstanceOf(DOMException);
      expect(restored).toMatchObject({ name, message: 'stopped' });
    }
  });

  it('takes whatever is thrown', () => {
    expect(cross('text')).toBe('text');
    expect(cross(undefined)).toBeUndefined();
    expect(cross({ a: 1 })).toEqual({ a: 1 });
    expect(cross(() => 1)).toBe('() => 1');
  });

  it('survives details and causes that cannot be cloned, and cycles', () => {
    const error = new errors.OptionError('bad', { call: () => 1, size: 2 }, { cause: Symbol('why') });
    expect(cross(error)).toMatchObject({ details: { call: '() => 1', size: 2 }, cause: 'Symbol(why)' });
    const cycle = new Error('cycle');
    cycle.cause = cycle;
    expect((cross(cycle) as Error).cause).toBeInstanceOf(Error);
  });
});
