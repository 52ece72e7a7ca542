/** The embedded kernels are what their sources compile to, and small enough to embed. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { kernelFamilies, kernelFile, kernelSource } from '../../scripts/kernels.ts';

describe('generated kernels', () => {
  it.each(kernelFamilies)('%s is up to date (else run npm run generate)', async (family) => {
    expect(readFileSync(kernelFile(family), 'utf8')).toBe(await kernelSource(family));
  });

  it('weigh at most 25 kB gzipped together', () => {
    const text = kernelFamilies.map((family) => readFileSync(kernelFile(family), 'utf8')).join('');
    expect(gzipSync(text).length).toBeLessThanOrEqual(25_000);
  });
});
