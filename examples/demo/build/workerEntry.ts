/**
 * A Vite plugin for building from the sources: boxops names its worker `./worker.js`, the file beside the built module;
 * in the sources that entry is workers/detector.ts. The installed package needs nothing of this.
 */
import { join } from 'node:path';
import type { Plugin } from 'vite';

export function workerEntry(project: string): Plugin {
  return {
    name: 'boxops-demo-worker-entry',
    enforce: 'pre',
    resolveId(id) {
      return /src[\\/]detector[\\/]worker\.js$/.test(id) ? join(project, 'workers/detector.ts') : undefined;
    },
  };
}
