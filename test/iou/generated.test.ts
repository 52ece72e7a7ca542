/** Generated files are what the formulas give, and readable; the documented table too. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { similaritiesFile, similaritiesSource } from '../../scripts/generate/assembly.ts';
import { variantsTable } from '../../scripts/generate/documentation.ts';
import { generateFiles, loadVariants } from '../../scripts/generate/files.ts';
import { variants } from '../../src/iou/generated/variants.ts';
import { type MetricName, mpdiou } from '../../src/iou/index.ts';
import { metricWgsl } from '../../src/iou/wgsl.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'src/iou/generated');

describe('generated files', () => {
  it('are up to date (else run npm run generate)', async () => {
    const files = await generateFiles();
    expect(readdirSync(folder).sort()).toEqual([...files.keys()].sort());
    for (const [name, text] of files) expect(readFileSync(join(folder, name), 'utf8'), name).toBe(text);
  });

  it('include the similarities of the SIMD kernels', async () => {
    expect(readFileSync(join(root, similaritiesFile), 'utf8')).toBe(await similaritiesSource());
  });

  it('list every variant file', async () => {
    const files = readdirSync(join(root, 'src/iou/variants'));
    expect(Object.keys(variants)).toHaveLength(files.length);
    for (const { variant, source } of await loadVariants()) {
      expect(source.paper.length).toBeGreaterThan(10);
      expect(variants[variant.name]).toBe(variant);
      expect(existsSync(join(folder, `${variant.name}.wgsl`))).toBe(true);
    }
  });

  it('hold the WGSL that is made at run time', () => {
    for (const name of Object.keys(variants)) {
      const metric = name === 'mpdiou' ? mpdiou({ width: 64, height: 48 }) : (name as MetricName);
      const { source } = metricWgsl(metric);
      expect(readFileSync(join(folder, `${name}.wgsl`), 'utf8')).toContain(source);
    }
  });

  it('use no eval and no function made from text', () => {
    for (const name of readdirSync(folder)) {
      expect(readFileSync(join(folder, name), 'utf8')).not.toMatch(/new Function|eval\(/);
    }
  });

  it('have their table in docs/iou-variants.md', async () => {
    expect(readFileSync(join(root, 'docs/iou-variants.md'), 'utf8')).toBe(await variantsTable());
  });
});
