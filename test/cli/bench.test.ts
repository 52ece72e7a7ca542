/** `boxops bench` runs, leaves the engine as it was and writes what it printed; what it measures is not tested. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { run } from '../../src/cli/program.ts';
import { activeBackend } from '../../src/kernels/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'boxops-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('prints kernels and the stages of a detector, and writes them as JSON', async () => {
  const file = join(folder, 'bench.json');
  const out: string[] = [];
  const terminal = { out: (text: string) => out.push(text), err: () => {}, interactive: false };
  const before = activeBackend();
  expect(await run(['bench', '--rounds', '1', '--json', file], terminal)).toBe(0);
  expect(activeBackend()).toBe(before);
  const { kernels, detector } = JSON.parse(readFileSync(file, 'utf8'));
  for (const { name, simd, javascript } of kernels) {
    expect(out.join('\n')).toContain(name);
    expect(simd).toBeGreaterThan(0);
    expect(javascript).toBeGreaterThan(0);
  }
  expect(Object.keys(detector)).toEqual(['preprocess', 'inference', 'postprocess']);
});

it('refuses a number of rounds that is none', async () => {
  const terminal = { out: () => {}, err: () => {}, interactive: false };
  expect(await run(['bench', '--rounds', '0'], terminal)).toBe(2);
});
