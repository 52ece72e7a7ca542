/**
 * One entry an export of package.json: `./heads` → `dist/heads.js` is built from `src/heads/index.ts`, so that the list
 * of entries is written once. Programs that are not exports (workers, the CLI) are named here.
 */
import { existsSync, readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

const exported: Record<string, unknown> = JSON.parse(readFileSync('package.json', 'utf8')).exports;

const entry: Record<string, string> = {};
for (const path of Object.keys(exported)) {
  const name = path === '.' ? 'index' : path.slice(2);
  const source = path === '.' ? 'src/index.ts' : `src/${name}/index.ts`;
  if (existsSync(source)) entry[name] = source;
}

entry.cli = 'src/cli/index.ts';

export default defineConfig({
  entry,
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  splitting: true,
  sourcemap: true,
  dts: true,
  clean: false,
  external: ['onnxruntime-web', /^onnxruntime-web\//, 'comlink', 'rxjs', '@napi-rs/canvas', /^node:/],
});
