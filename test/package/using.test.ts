/**
 * `using` in an engine without `Symbol.dispose` (Safari): compilers look for `Symbol.for('Symbol.dispose')` there, so
 * what can be disposed of has to be found under it. The engine is played by a vm context whose `Symbol` lacks both keys.
 */
import { resolve } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const program = `
  import { WorkerClient } from './src/client/client.ts';
  import { LocalDetector } from './src/detector/detector.ts';
  import { RemoteDetector } from './src/detector/remote.ts';
  import { detectFrames } from './src/stream/index.ts';
  import { BatchIou } from './src/webgpu/batch-iou.ts';

  const disposed = [];
  for (const Class of [WorkerClient, LocalDetector, RemoteDetector, BatchIou]) {
    const one = Object.create(Class.prototype, { dispose: { value: () => disposed.push(Class) } });
    { using it = one; }
  }
  let closed = 0;
  const source = { [Symbol.asyncIterator]() { return this; }, next: () => new Promise(() => {}), async return() { closed++; } };
  finished = (async () => {
    { await using results = detectFrames(source, { detect() {} }); void results.next(); await 0; }
    return [disposed.length, closed];
  })();
`;

it('finds every disposable', async () => {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: resolve(import.meta.dirname, '../..'), loader: 'ts' },
    bundle: true,
    format: 'iife',
    target: 'es2022',
    write: false,
    external: ['onnxruntime-web', 'onnxruntime-web/*', 'node:*'],
    logLevel: 'silent',
  });
  const context = createContext({
    finished: undefined,
    performance,
    AbortController,
    console,
    setImmediate,
    DOMException,
  });
  runInContext('delete Symbol.dispose; delete Symbol.asyncDispose;', context);
  const missing = 'Symbol.dispose === undefined && Symbol.asyncDispose === undefined';
  if (runInContext(missing, context) !== true) {
    // the keys cannot be deleted: a Symbol without them stands in
    runInContext(
      `globalThis.Symbol = new Proxy(Symbol, {
        get: (target, key) => (key === 'dispose' || key === 'asyncDispose' ? undefined : Reflect.get(target, key)),
      });`,
      context,
    );
  }
  expect(runInContext(missing, context)).toBe(true);
  runInContext(outputFiles[0]!.text, context);
  expect(await context.finished).toEqual([4, 1]);
});
