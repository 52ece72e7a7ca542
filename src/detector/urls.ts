/** URLs as the page means them: the same for a detector of this thread and for one whose worker lies elsewhere. */
import { ModelError, OptionError } from '../errors.ts';
import { isNode } from './session/platform.ts';
import type { DetectorOptions } from './types.ts';

/**
 * The options with `model`, `wasmPaths` and `runtimeUrl` absolute, and a folder ending in `/`. In Node they stay: its
 * threads share the working folder. A `model` that names nothing is a ModelError, another text that is no URL an
 * OptionError.
 */
export function withPageUrls<Options extends DetectorOptions>(options: Options): Options {
  const { model, wasmPaths, runtimeUrl } = options;
  return {
    ...options,
    ...(isUrl(model) && { model: modelUrl(model) }),
    ...(wasmPaths !== undefined && { wasmPaths: absolutePaths(wasmPaths) }),
    ...(runtimeUrl !== undefined && { runtimeUrl: optionUrl('runtimeUrl', runtimeUrl) }),
  };
}

function isUrl(model: DetectorOptions['model']): model is string | URL {
  return typeof model === 'string' || model instanceof URL;
}

function absolute(url: string | URL): string {
  const base = (globalThis as { location?: { href?: string } }).location?.href;
  return base === undefined || isNode() ? String(url) : new URL(url, base).href;
}

function modelUrl(model: string | URL): string {
  // the page's own address otherwise
  if (model === '') throw new ModelError('The model must be a URL, a path (Node) or bytes.', { got: "''" });
  try {
    return absolute(model);
  } catch (cause) {
    throw new ModelError(`The model's URL is not valid: ${model}`, { url: String(model) }, { cause });
  }
}

function optionUrl(name: string, url: string | URL): string {
  try {
    return absolute(url);
  } catch (cause) {
    throw new OptionError(`${name}: not a URL: ${url}`, { [name]: String(url) }, { cause });
  }
}

function absolutePaths(paths: NonNullable<DetectorOptions['wasmPaths']>): typeof paths {
  if (typeof paths === 'string') return optionUrl('wasmPaths', paths.endsWith('/') ? paths : `${paths}/`);
  const { wasm, mjs } = paths;
  return {
    ...(wasm !== undefined && { wasm: optionUrl('wasmPaths', wasm) }),
    ...(mjs !== undefined && { mjs: optionUrl('wasmPaths', mjs) }),
  };
}
