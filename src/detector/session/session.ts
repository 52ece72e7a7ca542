/**
 * A model loaded into onnxruntime-web on the first execution provider that takes it.
 *
 * The providers that refused, and why, are kept for `stats()`: a detector that quietly fell back to wasm would
 * look like a slow GPU.
 */
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { BoxopsError, DeviceLostError, ModelError, OptionError, UnsupportedError } from '../../errors.ts';
import type { HeadName, ModelOutputs } from '../../heads/types.ts';
import type { DetectorStats, ExecutionProvider } from '../types.ts';
import { GpuOutputs, leavesOutputsOnGpu, type ReduceRequest } from './gpu-outputs.ts';
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
  /** The head that reads the outputs: where a kernel reads it too, a webgpu session leaves them on the GPU. */
  readonly head?: HeadName | undefined;
}

/** The tensors of one run, by input name. */
export type Feeds = Readonly<Record<string, Tensor>>;

export interface ModelSession {
  readonly ort: Ort;
  readonly executionProvider: ExecutionProvider;
  readonly fallbacks: DetectorStats['fallbacks'];
  /**
   * Runs once; calls must not overlap. With a request, outputs that lie on the GPU come back as far as they matter for
   * it, and are valid until the next run.
   */
  run(feeds: Feeds, request?: ReduceRequest | string): Promise<ModelOutputs>;
  /** Where outputs were post-processed so far. */
  postprocessing(): DetectorStats['postprocessing'];
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
      const onGpu = provider === 'webgpu' && leavesOutputsOnGpu(options.head);
      const session = await runtime.exclusive(() => create(runtime, bytes, provider, onGpu));
      if (options.signal?.aborted) {
        await session.release();
        throw options.signal.reason;
      }
      const gpu = onGpu ? await GpuOutputs.open(runtime.ort) : null;
      return wrapSession(runtime, session, provider, fallbacks, gpu, whyOnCpu(provider, options.head));
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
  onGpu: boolean,
): Promise<InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: [provider],
      graphOptimizationLevel: 'all',
      // errors only: the runtime reports them by throwing as well
      logSeverityLevel: 3,
      ...(onGpu ? { preferredOutputLocation: 'gpu-buffer' } : {}),
    });
  } catch (error) {
    const reason = messageOf(error);
    if (/no available backend|initWasm|backend not found/i.test(reason)) {
      throw new UnsupportedError(
        `onnxruntime-web cannot start (${reason}); ${adviceFor(reason)}.`,
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

function adviceFor(reason: string): string {
  if (/security policy/i.test(reason))
    return "the page's content security policy must allow 'wasm-unsafe-eval'";
  return (
    'check that its files are where wasmPaths says. It tries once a thread: without a worker, ' +
    'other paths count after a reload'
  );
}

function whyOnCpu(provider: ExecutionProvider, head: HeadName | undefined): string {
  if (provider === 'wasm') return 'the session runs on wasm';
  return head === undefined ? 'it was asked for' : `the head ${head} has no WGSL decoder`;
}

function wrapSession(
  runtime: Runtime,
  session: InferenceSession,
  executionProvider: ExecutionProvider,
  fallbacks: DetectorStats['fallbacks'],
  gpu: GpuOutputs | null,
  reason: string,
): ModelSession {
  let cpuRuns = 0;
  const run = async (feeds: Feeds, request?: ReduceRequest | string): Promise<ModelOutputs> => {
    try {
      const outputs = await session.run(feeds);
      if (gpu !== null) return await gpu.collect(outputs, request);
      cpuRuns++;
      return outputs;
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
    run: executionProvider === 'webgpu' ? (...call) => runtime.exclusive(() => run(...call)) : run,
    postprocessing: () =>
      gpu?.stats() ?? {
        gpuRuns: 0,
        cpuRuns,
        reason: cpuRuns === 0 ? null : reason,
        gpuBuffers: 0,
        gpuBytes: 0,
      },
    release: () =>
      runtime.exclusive(async () => {
        gpu?.dispose();
        await session.release();
      }),
  };
}
