/** Starts a detector in a worker of this page, reports how far it is, and keeps a handle on the worker. */
import { createDetector } from '../../../src/detector/index.ts';
import type { Detector, ExecutionProvider, LoadProgress } from '../../../src/detector/types.ts';
import { type ModelFile, session } from '../state/session.ts';

export interface Loaded {
  readonly detector: Detector;
  /** Ends the worker from outside, as a browser short of memory does. */
  kill(): void;
}

function report(progress: LoadProgress): void {
  const words: Record<LoadProgress['phase'], string> = {
    download: 'Downloading the model',
    cache: 'Reading the model from the cache',
    session: 'Preparing the model',
    'warm-up': 'Warming up',
  };
  const known = progress.total !== undefined && progress.total > 1;
  session.set({
    progressText: words[progress.phase],
    progress: known ? progress.loaded / progress.total! : null,
  });
}

export async function loadDetector(
  model: ModelFile,
  provider: ExecutionProvider,
  signal: AbortSignal,
): Promise<Loaded> {
  let worker: Worker | null = null;
  const detector = await createDetector({
    model: model.bytes,
    ...(model.head === null ? {} : { head: model.head }),
    preprocessing: model.preprocessing,
    executionProviders: provider === 'webgpu' ? ['webgpu', 'wasm'] : ['wasm'],
    wasmPaths: new URL('ort/', document.baseURI).href,
    worker: () => {
      worker = new Worker(new URL('../../../workers/detector.ts', import.meta.url), {
        type: 'module',
        name: 'boxops detector',
      });
      return worker;
    },
    onProgress: report,
    signal,
  });
  return {
    detector,
    // a worker that is terminated says nothing; the client notices by the lock that falls free
    kill: () => worker?.terminate(),
  };
}
