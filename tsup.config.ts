/**
 * One entry an export of package.json: `./heads` → `dist/heads.js` is built from `src/heads/index.ts` (`./datasets/node` → `dist/datasets-node.js`), so that the list
 * of entries is written once. Programs that are not exports (workers, the CLI) are named here.
 */
import { existsSync, readFileSync } from 'node:fs';
import { type BuildOptions, build } from 'esbuild';
import { defineConfig } from 'tsup';

const exported: Record<string, unknown> = JSON.parse(readFileSync('package.json', 'utf8')).exports;

const entry: Record<string, string> = {};
for (const path of Object.keys(exported)) {
  const name = path === '.' ? 'index' : path.slice(2);
  const source = path === '.' ? 'src/index.ts' : `src/${name}/index.ts`;
  if (existsSync(source)) entry[name.replaceAll('/', '-')] = source;
}

entry.cli = 'src/cli/index.ts';

entry['worker-inline'] = 'src/detector/remote-inline.ts';
// Runs in Node alone, from where it lies, so it shares the chunks of the others.
entry['worker-targets'] = 'workers/targets-node.ts';

const external = ['onnxruntime-web', /^onnxruntime-web\//, 'comlink', 'rxjs', '@napi-rs/canvas', /^node:/];

/** The web worker in one piece, comlink included; only the runtime stays outside, for the bundler or `runtimeUrl`. */
const worker: BuildOptions = {
  entryPoints: ['workers/detector.ts'],
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  external: ['onnxruntime-web', 'onnxruntime-web/*'],
};
const inline = await build({ ...worker, minify: true, write: false });
await build({ ...worker, outfile: 'dist/worker.js', sourcemap: true });
await build({
  ...worker,
  entryPoints: ['workers/detector-node.ts'],
  outfile: 'dist/worker-node.js',
  platform: 'node',
  sourcemap: true,
});

export default defineConfig({
  entry,
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  splitting: true,
  sourcemap: true,
  dts: true,
  clean: false,
  define: { __BOXOPS_WORKER_SOURCE__: JSON.stringify(inline.outputFiles[0]!.text) },
  external,
});
