/** The simulation's page in a real Chromium: on WebGPU and in a worker, to the same errors. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright';
import { build, type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumFlags, chromiumPath } from '../../scripts/chromium.ts';

const root = fileURLToPath(new URL('../../examples/iou-regression/', import.meta.url));
const outDir = mkdtempSync(join(tmpdir(), 'boxops-iou-page-'));
let server: PreviewServer;
let browser: Browser;
let page: Page;
const errors: string[] = [];

beforeAll(async () => {
  const shared = { root, configFile: `${root}vite.config.ts`, logLevel: 'error' } as const;
  await build({ ...shared, build: { outDir, emptyOutDir: true } });
  server = await preview({ ...shared, build: { outDir }, preview: { port: 0, host: '127.0.0.1' } });
  browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumFlags });
  page = await browser.newPage({ viewport: { width: 1160, height: 1100 } });
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(server.resolvedUrls!.local[0]!);
  await page.locator('body[data-phase="ready"]').waitFor();
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
  rmSync(outDir, { recursive: true, force: true });
});

/** Runs with the least number of points; gives the final errors of the table. */
async function run(backend: 'gpu' | 'cpu'): Promise<number[]> {
  await page.locator('#points').fill('50');
  await page.locator('#backend').selectOption(backend);
  await page.locator('#run').click();
  await page.locator('body[data-phase="running"]').waitFor();
  await page.locator('body[data-phase="done"]').waitFor({ timeout: 100_000 });
  const rows = await page.locator('#results tr').all();
  return Promise.all(rows.map(async (row) => Number(await row.locator('td').nth(1).textContent())));
}

describe('the page', { timeout: 120_000 }, () => {
  it('draws curves and maps of a run in a worker', async () => {
    const finals = await run('cpu');
    expect(finals).toHaveLength(4);
    expect(finals).toEqual([...finals].sort((a, b) => b - a));
    await page.waitForTimeout(300);
    for (const id of ['curve', 'map']) {
      const colours = await page.locator(`#${id} canvas`).evaluate((canvas: HTMLCanvasElement) => {
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
      });
      expect(colours).toBeGreaterThan(20);
    }
    expect(errors).toEqual([]);
  });
  it('gives the same errors on WebGPU, where there is one', async (context) => {
    if (await page.locator('#gpu-option').isDisabled()) context.skip();
    const onCpu = await page.locator('#results tr td:nth-child(2)').allTextContents();
    const onGpu = await run('gpu');
    onGpu.forEach((error, i) => {
      expect(Math.abs(error / Number(onCpu[i]) - 1)).toBeLessThan(0.02);
    });
    expect(errors).toEqual([]);
    if (process.env.BOXOPS_SCREENSHOT)
      await page.screenshot({ path: process.env.BOXOPS_SCREENSHOT, fullPage: true });
  });
});
