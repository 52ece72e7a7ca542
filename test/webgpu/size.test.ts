/** What `boxops/webgpu` adds to a page that has the core's IoU, and that nothing below it knows of a GPU. */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

it('costs at most 12 kB beside the IoU of the core', async () => {
  const { outputFiles } = await build({
    stdin: { contents: `export * from './src/webgpu/index.ts';`, resolveDir: root, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'core-outside',
        setup: ({ onResolve }) => {
          onResolve({ filter: /\.\.\/(iou|boxes)\// }, ({ path }) => ({ path, external: true }));
        },
      },
    ],
  });
  const size = gzipSync(outputFiles[0]!.text, { level: 9 }).length / 1000;
  expect(size, `${size.toFixed(2)} kB gzipped`).toBeLessThanOrEqual(12);
});

it('only webgpu knows of a GPU', () => {
  const source = resolve(root, 'src');
  const foreign = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (name) =>
      name.endsWith('.ts') &&
      /^(boxes|iou|kernels|masks|nms|losses|heads|evaluation)\//.test(name) &&
      /\bGPU[A-Z]\w+/.test(readFileSync(resolve(source, name), 'utf8')),
  );
  expect(foreign).toEqual([]);
});
