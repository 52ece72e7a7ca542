/** Serves and builds the demo; see build/ for what it hosts beside its own sources. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig } from 'vite';
import { ensureClip } from './build/clipAsset.ts';
import { hostedFiles } from './build/hostedFiles.ts';
import { workerEntry } from './build/workerEntry.ts';

const here = dirname(fileURLToPath(import.meta.url));
const project = join(here, '../..');
const runtime = join(project, 'node_modules/onnxruntime-web/dist');

/** The runtime's WebAssembly builds with their loaders: which one is fetched depends on the backend. */
const runtimeFiles = Object.fromEntries(
  readdirSync(runtime)
    .filter((name) => /^ort-wasm-simd-threaded(\.asyncify)?\.(mjs|wasm)$/.test(name))
    .map((name) => [`ort/${name}`, join(runtime, name)]),
);

export default defineConfig(async () => {
  const clip = await ensureClip(project);
  return {
    root: here,
    base: './',
    plugins: [
      hostedFiles({
        ...runtimeFiles,
        'digits.onnx': join(project, 'models/digits/digits.onnx'),
        'clip/clip.bin': join(clip, 'clip.bin'),
        'clip/clip.json': join(clip, 'clip.json'),
      }),
    ],
    // the runtime without its own copies of the wasm files: `wasmPaths` says where they are
    resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
    server: { fs: { allow: [project] } },
    worker: { format: 'es' as const, plugins: () => [workerEntry(project)] },
    // everything imported is an ES module already; a dependency found late would reload the page
    optimizeDeps: { noDiscovery: true, include: [] },
    cacheDir: join(project, '.cache/vite-demo'),
    build: { target: 'es2022', outDir: 'dist', emptyOutDir: true, chunkSizeWarningLimit: 2000 },
  };
});
