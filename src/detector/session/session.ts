/**
 * A model loaded into onnxruntime-web on the first execution provider that takes it.
 *
 * The providers that refused, and why, are kept for `stats()`: a detector that quietly fell back to wasm would
 * look like a slow GPU.
 */
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { BoxopsError, DeviceLostError, ModelError, OptionError, UnsupportedError } from '../../errors.ts';
import type { ModelOutputs } from '../../heads/types.ts';
import type { DetectorStats, ExecutionProvider } from '../types.ts';
import { isNode } from './platform.ts';
import {
  loadRuntime,
  messageOf,
  type Ort,
  type Runtime,
  type RuntimeBuild,
  type RuntimeOptions,
} from './runtime.ts';

export interface OpenSessionOptions extends RuntimeOptions {
  readonly executionProviders?: readonly ExecutionProvider[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The tensors of one run, by input name. */
export type Feeds = Readonly<Record<string, Tensor>>;

export interface ModelSession {
  readonly ort: Ort;
  readonly executionProvider: ExecutionProvider;
  readonly fallbacks: DetectorStats['fallbacks'];
  /** Runs once; calls must not overlap. */
  run(feeds: Feeds): Promise<ModelOutputs>;
  /** Frees the session; not while a run is under way. */
  release(): Promise<void>;
}

/**
 * Opens a session for the bytes of a model, trying the providers in order.
 *
 * Rejects with {@link ModelError} where the runtime refuses the model, {@link UnsupportedError} where no provider can
 * be used here, or the signal's reason.
 */
export async function openSession(
  bytes: Uint8Array<ArrayBuffer>,
  options: OpenSessionOptions = {},
): Promise<ModelSession> {
  const providers = options.executionProviders ?? ['wasm'];
  checkProviders(providers);
  const fallbacks: { provider: ExecutionProvider; reason: string }[] = [];
  let lastError: unknown;
  for (const provider of providers) {
    try {
      if (provider === 'webgpu') await requireWebgpu();
      options.signal?.throwIfAborted();
      const runtime = await loadRuntime(buildFor(provider, options), options);
      options.signal?.throwIfAborted();
      const session = await runtime.exclusive(() => create(runtime, bytes, provider));
      if (options.signal?.aborted) {
        await session.release();
        throw options.signal.reason;
      }
      return wrapSession(runtime, session, provider, fallbacks);
    } catch (error) {
      options.signal?.throwIfAborted();
      lastError = error;
      fallbacks.push({ provider, reason: messageOf(error) });
    }
  }
  if (fallbacks.length === 1 && lastError instanceof BoxopsError) throw lastError;
  const attempts = fallbacks.map(({ provider, reason }) => `${provider}: ${reason}`).join('; ');
  const details = { attempts: fallbacks };
  if (lastError instanceof ModelError)
    throw new ModelError(`No execution provider took the model: ${attempts}`, details);
  throw new UnsupportedError(`No execution provider can be used here: ${attempts}`, details, {
    cause: lastError,
  });
}

function checkProviders(providers: readonly ExecutionProvider[]): void {
  if (providers.length === 0)
    throw new OptionError('executionProviders must name at least one of wasm, webgpu.');
  for (const provider of providers) {
    if (provider !== 'wasm' && provider !== 'webgpu') {
      throw new OptionError(
        `executionProviders: expected 'wasm' or 'webgpu', got ${JSON.stringify(provider)}`,
        {
          provider,
        },
      );
    }
  }
}

/** Paths of single files belong to one build, so the fallback stays in it; a folder holds all builds. */
function buildFor(provider: ExecutionProvider, options: OpenSessionOptions): RuntimeBuild {
  if (provider === 'webgpu') return 'webgpu';
  const oneBuild = typeof options.wasmPaths === 'object' || options.runtimeUrl !== undefined;
  return oneBuild && options.executionProviders?.includes('webgpu') ? 'webgpu' : 'wasm';
}

/** Says why webgpu cannot be used before 27 MB are downloaded for nothing. */
async function requireWebgpu(): Promise<void> {
  if (isNode()) throw new UnsupportedError('onnxruntime-web has no webgpu provider in Node.');
  const gpu = globalThis.navigator?.gpu;
  if (gpu === undefined) throw new UnsupportedError('WebGPU is not available: navigator.gpu is undefined.');
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new UnsupportedError('WebGPU is not available: no adapter.');
}

async function create(
  { ort }: Runtime,
  bytes: Uint8Array<ArrayBuffer>,
  provider: ExecutionProvider,
): Promise<InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: [provider],
      graphOptimizationLevel: 'all',
      // errors only: the runtime reports them by throwing as well
      logSeverityLevel: 3,
    });
  } catch (error) {
    const reason = messageOf(error);
    if (/no available backend|initWasm|backend not found/i.test(reason)) {
      throw new UnsupportedError(
        `onnxruntime-web cannot start (${reason}); check that its files are where wasmPaths says.`,
        { provider, reason },
        { cause: error },
      );
    }
    throw new ModelError(
      `onnxruntime-web refused the model: ${reason}`,
      { provider, reason },
      { cause: error },
    );
  }
}

function wrapSession(
  runtime: Runtime,
  session: InferenceSession,
  executionProvider: ExecutionProvider,
  fallbacks: DetectorStats['fallbacks'],
): ModelSession {
  const run = async (feeds: Feeds): Promise<ModelOutputs> => {
    try {
      return (await session.run(feeds)) as unknown as ModelOutputs;
    } catch (error) {
      const reason = messageOf(error);
      if (executionProvider === 'webgpu' && /device.{0,20}\blost\b|\blost\b.{0,20}device/i.test(reason)) {
        throw new DeviceLostError(`The GPU device was lost: ${reason}`, { reason }, { cause: error });
      }
      throw new ModelError(
        `The model failed to run: ${reason}`,
        { reason, executionProvider },
        { cause: error },
      );
    }
  };
  return {
    ort: runtime.ort,
    executionProvider,
    fallbacks,
    run: executionProvider === 'webgpu' ? (feeds) => runtime.exclusive(() => run(feeds)) : run,
    release: () => runtime.exclusive(() => session.release()),
  };
}
