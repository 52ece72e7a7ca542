/**
 * Which engine runs the hot loops: the embedded wasm SIMD kernels, or their JavaScript twins.
 *
 * `'auto'` (the default) takes SIMD where it instantiates and JavaScript where it is refused (a Content-Security-Policy
 * without `wasm-unsafe-eval`, an engine without SIMD). Results are the same either way.
 */
import { OptionError, UnsupportedError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { simdAvailable } from './instance.ts';

export type Backend = 'auto' | 'simd' | 'javascript';

let chosen: Backend = 'auto';

/**
 * Chooses the engine of every later call in this thread.
 *
 * Throws {@link UnsupportedError} for `'simd'` where wasm SIMD is refused, {@link OptionError} for an unknown name.
 *
 * @example
 * setBackend('javascript'); // the twins, for comparison
 */
export function setBackend(backend: Backend): void {
  const engine = choiceOption('backend', backend, ['auto', 'simd', 'javascript']);
  if (engine === 'simd' && !simdAvailable()) {
    throw new UnsupportedError('wasm SIMD is refused here (engine or Content-Security-Policy)');
  }
  chosen = engine;
}

/** The engine that runs now: `'simd'` or `'javascript'`. */
export function activeBackend(): 'simd' | 'javascript' {
  return useSimd() ? 'simd' : 'javascript';
}

/** Whether the SIMD kernels should run. */
export function useSimd(): boolean {
  return chosen !== 'javascript' && simdAvailable();
}
