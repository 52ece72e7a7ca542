/** Serves and builds the page: `npx vite examples/iou-regression`. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const project = fileURLToPath(new URL('../..', import.meta.url));

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  server: { fs: { allow: [project] } },
  worker: { format: 'es' },
  cacheDir: `${project}/.cache/vite-iou-regression`,
  build: { target: 'es2022', outDir: 'dist', emptyOutDir: true, chunkSizeWarningLimit: 1200 },
});
