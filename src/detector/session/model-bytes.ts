/**
 * The bytes of a model: given as they are, read from a file (Node), or downloaded with progress and an optional cache.
 *
 * A download that ends early, an error page and a missing file are {@link ModelError}s here, before the runtime sees
 * the bytes.
 */
import { ModelError } from '../../errors.ts';
import { readOnnx } from '../../heads/onnx/model.ts';
import type { DetectorOptions, LoadProgress } from '../types.ts';
import { openModelCache } from './model-cache.ts';
import { isNode, nodeModule } from './platform.ts';

export interface LoadModelOptions {
  readonly cache?: string | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of `model`; rejects with {@link ModelError}, or with the signal's reason. */
export async function loadModelBytes(
  model: DetectorOptions['model'],
  options: LoadModelOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  options.signal?.throwIfAborted();
  const bytes = await read(model, options);
  options.signal?.throwIfAborted();
  if (bytes.length === 0) throw new ModelError('The model has no bytes.', { source: nameOf(model) });
  return bytes;
}

function read(model: DetectorOptions['model'], options: LoadModelOptions): Promise<Uint8Array<ArrayBuffer>> {
  if (model instanceof Uint8Array) return Promise.resolve(model);
  if (model instanceof ArrayBuffer) return Promise.resolve(new Uint8Array(model));
  if (typeof model !== 'string' && !(model instanceof URL)) {
    throw new ModelError('The model must be a URL, a path (Node) or bytes.', { got: typeof model });
  }
  const text = String(model);
  // a single letter before the colon is a drive, not a scheme
  const hasScheme = /^[a-z][a-z0-9+.-]+:/i.test(text);
  if (isNode() && (!hasScheme || text.startsWith('file:'))) return readModelFile(text, options);
  const base = (globalThis as { location?: { href?: string } }).location?.href;
  return download(hasScheme ? text : new URL(text, base).href, options);
}

async function readModelFile(
  name: string,
  { onProgress, signal }: LoadModelOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const files = nodeModule<typeof import('node:fs/promises')>('node:fs/promises');
  const { fileURLToPath } = nodeModule<typeof import('node:url')>('node:url');
  let path = name;
  let file: Awaited<ReturnType<typeof files.readFile>> & Uint8Array;
  try {
    if (name.startsWith('file:')) path = fileURLToPath(name);
    file = await files.readFile(path, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new ModelError(
      `The model file cannot be read: ${path}: ${messageOf(error)}`,
      { path },
      { cause: error },
    );
  }
  onProgress?.({ phase: 'download', loaded: file.length, total: file.length });
  return new Uint8Array(file.buffer as ArrayBuffer, file.byteOffset, file.byteLength);
}

async function download(url: string, options: LoadModelOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { signal, onProgress } = options;
  const cache = options.cache === undefined ? undefined : openModelCache(options.cache);
  const kept = await cache?.get(url);
  if (kept !== undefined && isModel(kept)) {
    onProgress?.({ phase: 'cache', loaded: kept.length, total: kept.length });
    return kept;
  }
  // errors of the network alone: what `onProgress` throws is the caller's
  const failed = (error: unknown): never => {
    signal?.throwIfAborted();
    throw new ModelError(
      `The model cannot be downloaded: ${url}: ${messageOf(error)}`,
      { url },
      { cause: error },
    );
  };
  const response = await fetch(url, signal === undefined ? {} : { signal }).catch(failed);
  if (!response.ok) {
    throw new ModelError(
      `The model cannot be downloaded: ${url} answered ${response.status} ${response.statusText}`,
      { url, status: response.status },
    );
  }
  const bytes = await readBody(response, url, failed, onProgress);
  await cache?.put(url, bytes);
  return bytes;
}

/** A page that a server sends in place of the model must not stay in the cache for ever, nor half a model. */
function isModel(bytes: Uint8Array): boolean {
  try {
    readOnnx(bytes);
    return true;
  } catch {
    return false;
  }
}

async function readBody(
  response: Response,
  url: string,
  failed: (error: unknown) => never,
  onProgress: LoadModelOptions['onProgress'],
): Promise<Uint8Array<ArrayBuffer>> {
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  // the length of a compressed body is not the length of what arrives here
  const known = Number.isFinite(length) && !response.headers.get('content-encoding') ? length : undefined;
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  const report = () =>
    onProgress?.({ phase: 'download', loaded, ...(known === undefined ? {} : { total: known }) });
  if (response.body === null)
    throw new ModelError(`The model cannot be downloaded: ${url} sent no body.`, { url });
  const reader = response.body.getReader();
  try {
    report();
    for (;;) {
      const part = await reader.read().catch(failed);
      if (part.done) break;
      chunks.push(part.value);
      loaded += part.value.length;
      report();
    }
  } catch (error) {
    // the rest is not wanted
    reader.cancel().catch(() => undefined);
    throw error;
  }
  if (known !== undefined && loaded !== known) {
    throw new ModelError(`The model download is truncated: ${url} sent ${loaded} of ${known} bytes.`, {
      url,
      loaded,
      total: known,
    });
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function nameOf(model: DetectorOptions['model']): string {
  return typeof model === 'string' || model instanceof URL ? String(model) : 'bytes';
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
