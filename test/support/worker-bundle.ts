/**
 * Bundles a TypeScript worker for worker_threads, which cannot load TypeScript themselves on Node 20.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');

/** Bundles one entry file and gives the URL of the result; `name` must be unique among tests that run at once. */
export async function bundleWorker(entry: URL, name: string): Promise<URL> {
  const folder = join(root, 'node_modules/.cache/boxops-test');
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `${name}.mjs`);
  await build({
    entryPoints: [fileURLToPath(entry)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    external: ['onnxruntime-web', 'onnxruntime-web/*', '@napi-rs/canvas'],
    logLevel: 'silent',
  });
  return pathToFileURL(outfile);
}
