/**
 * The ways a detector's worker is started.
 *
 * - `url`: `dist/worker.js`, an ES module beside this one. The expression below is what webpack, Vite, Rollup and Parcel
 *   look for: they bundle the worker and, with it, onnxruntime-web. esbuild leaves it as it is; then `worker.js` must be
 *   built as an entry of its own into the same folder (`boxops/worker` names it), or the next way is taken.
 * - `inline`: the same worker as text, in a `blob:` URL, fetched only when it is needed. Nothing can resolve the bare
 *   name `onnxruntime-web` in there, so the runtime is imported from `runtimeUrl`, by default from the folder
 *   `wasmPaths`; one of them must be given.
 * - `node`: `dist/worker-node.js` in worker_threads.
 */
import { factoryLauncher, inlineLauncher, threadLauncher, type WorkerLauncher } from '../client/index.ts';
import { OptionError, UnsupportedError } from '../errors.ts';
import { isNode } from './session/platform.ts';
import type { DetectorOptions } from './types.ts';

/** The ways that the `worker` option asks for, in the order they are tried. */
export function detectorLaunchers(worker: DetectorOptions['worker']): WorkerLauncher[] {
  if (typeof worker === 'function') return [factoryLauncher(worker)];
  if (worker !== true && worker !== 'url' && worker !== 'inline') {
    throw new OptionError(
      `worker: expected true, 'url', 'inline' or a function that makes a worker, got ${worker}`,
      { worker },
    );
  }
  if (isNode()) {
    if (worker === 'inline') throw new OptionError("worker: 'inline' needs a browser", { worker });
    // Name and place are not in the expression: bundlers for the browser would copy the file, or warn.
    const [name, here] = ['./worker-node.js', import.meta.url];
    return [threadLauncher(new URL(name, here))];
  }
  if (worker === 'url') return [workerFile];
  if (worker === 'inline') return [workerText];
  return [workerFile, workerText];
}

const workerFile: WorkerLauncher = {
  kind: 'url',
  // The file's name in the package: only the bundler knows where it put the file.
  source: 'boxops/worker',
  start: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'boxops' }),
};

const workerText: WorkerLauncher = inlineLauncher(async () => {
  const { workerSource } = await import('./remote-inline.ts');
  if (workerSource === '') throw new UnsupportedError('the inline worker exists only in the built package');
  return workerSource;
});
