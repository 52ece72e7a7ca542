/**
 * onnxruntime-web, imported only when a detector is made, and only the build that is needed:
 * `onnxruntime-web/wasm` (14 MB of wasm) for the wasm provider, `onnxruntime-web/webgpu` (27 MB, both providers) for
 * webgpu.
 *
 * The runtime is one a thread: where its files lie (`wasmPaths`) and how many threads it has are settled by the first
 * detector of a build. Sessions are made, and with webgpu also run, one at a time: the asyncified module must not be
 * entered twice.
 */
import { UnsupportedError } from '../../errors.ts';
import type { DetectorOptions } from '../types.ts';
import { isNode } from './platform.ts';

/** The parts of onnxruntime-web that are used. */
export type Ort = typeof import('onnxruntime-web');

/** Which bundle of the runtime. */
export type RuntimeBuild = 'wasm' | 'webgpu';

export type RuntimeOptions = Pick<DetectorOptions, 'wasmPaths' | 'runtimeUrl' | 'threads'>;

export interface Runtime {
  readonly ort: Ort;
  /** Runs `task` while no other task of this runtime runs. */
  exclusive<T>(task: () => Promise<T>): Promise<T>;
}

const runtimes = new Map<string, Promise<Runtime>>();

/** The runtime of a build; imported and configured on first use. Rejects with {@link UnsupportedError}. */
export function loadRuntime(build: RuntimeBuild, options: RuntimeOptions): Promise<Runtime> {
  const key = `${build} ${options.runtimeUrl ?? ''} ${needsNodeBuild(options)}`;
  const known = runtimes.get(key);
  if (known !== undefined) return known;
  const loading = importRuntime(build, options).then((ort) => {
    configure(ort, options);
    let last: Promise<unknown> = Promise.resolve();
    const exclusive = <T>(task: () => Promise<T>): Promise<T> => {
      const result = last.then(task, task);
      last = result.catch(() => undefined);
      return result;
    };
    return { ort, exclusive };
  });
  runtimes.set(key, loading);
  loading.catch(() => runtimes.delete(key));
  return loading;
}

async function importRuntime(build: RuntimeBuild, options: RuntimeOptions): Promise<Ort> {
  const { runtimeUrl, wasmPaths } = options;
  if (runtimeUrl !== undefined) return importUrl(String(runtimeUrl));
  try {
    if (needsNodeBuild(options)) return await importNodeBuild();
    return await (build === 'webgpu' ? import('onnxruntime-web/webgpu') : import('onnxruntime-web/wasm'));
  } catch (error) {
    // code that no bundler resolved (an inline worker, a bare page): the runtime beside its wasm files
    if (typeof wasmPaths === 'string') return importUrl(`${wasmPaths}ort.${build}.bundle.min.mjs`);
    throw new UnsupportedError(
      'The detector needs onnxruntime-web, an optional peer of boxops: npm install onnxruntime-web. ' +
        'Where no bundler resolved it (an inline worker, a bare page) it needs wasmPaths, a folder, or runtimeUrl.',
      { module: `onnxruntime-web/${build}`, reason: messageOf(error) },
      { cause: error },
    );
  }
}

/** The wasm build starts its threads through a URL that Node cannot fetch; the package's own entry for Node can. */
function needsNodeBuild({ threads = 1, runtimeUrl }: RuntimeOptions): boolean {
  return threads > 1 && runtimeUrl === undefined && isNode();
}

function importNodeBuild(): Promise<Ort> {
  // named by a variable: a bundler for the browser would add 28 MB for it
  const name = 'onnxruntime-web';
  return import(/* @vite-ignore */ /* webpackIgnore: true */ name);
}

async function importUrl(url: string): Promise<Ort> {
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ url)) as Ort;
  } catch (error) {
    throw new UnsupportedError(
      `onnxruntime-web cannot be imported from ${url}: ${messageOf(error)}`,
      { url },
      { cause: error },
    );
  }
}

function configure(ort: Ort, { wasmPaths, threads }: RuntimeOptions): void {
  const { wasm } = ort.env;
  wasm.numThreads = threads ?? 1;
  if (typeof wasmPaths === 'string') wasm.wasmPaths = wasmPaths;
  else if (wasmPaths !== undefined) wasm.wasmPaths = { ...wasmPaths };
  ort.env.logLevel = 'error';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
