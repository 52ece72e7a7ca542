/**
 * The built worker as text; `scripts/build.ts` puts it here, so that it is a chunk of its own that only a fallback loads.
 */
declare const __BOXOPS_WORKER_SOURCE__: string;

/** Source of a self-contained module worker; '' where the package was not built. */
export const workerSource: string =
  typeof __BOXOPS_WORKER_SOURCE__ === 'string' ? __BOXOPS_WORKER_SOURCE__ : '';
