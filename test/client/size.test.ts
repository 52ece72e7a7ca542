/** The worker client stays small: every page that uses a worker pays for it. */
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

it('bundles to 6 kB gzipped or less, comlink and errors included', async () => {
  const result = await build({
    entryPoints: ['src/client/index.ts'],
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  });
  const bytes = gzipSync(result.outputFiles[0]!.contents, { level: 9 }).byteLength;
  expect(bytes).toBeLessThanOrEqual(6000);
});
