/** The demo in a real Chromium, served as `npm start` serves it; one browser and one server for a test file. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright';
import { chromiumFlags, chromiumPath } from '../../scripts/chromium.ts';
import { type ServedDemo, serveDemo } from '../../scripts/serve-demo.ts';

export interface DemoBrowser {
  /** A fresh page on which the embedded model runs; everything it logs as an error is collected. */
  open(options?: {
    readonly camera?: boolean;
  }): Promise<{ readonly page: Page; readonly errors: readonly string[] }>;
  close(): Promise<void>;
}

/** Flags that give Chromium a camera: a test picture that moves. */
const cameraFlags = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

export async function launchDemo(): Promise<DemoBrowser> {
  const demo: ServedDemo = await serveDemo({ port: 0 });
  const launch = (flags: readonly string[]) =>
    chromium.launch({ executablePath: chromiumPath(), args: [...chromiumFlags, ...flags] });
  const browser: Browser = await launch([]);
  let withCamera: Browser | undefined;
  return {
    async open({ camera = false } = {}) {
      const used = camera ? (withCamera ??= await launch(cameraFlags)) : browser;
      const page = await used.newPage({ viewport: { width: 1280, height: 800 } });
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(message.text());
      });
      await page.goto(demo.url);
      await running(page);
      return { page, errors };
    },
    async close() {
      await withCamera?.close();
      await browser.close();
      await demo.close();
    },
  };
}

/** Waits until a model runs. */
export async function running(page: Page): Promise<void> {
  await page.locator('#status[data-phase="running"]').waitFor({ timeout: 90_000 });
}

/** Waits for frames: the count of frames seen is text on the page. */
export async function framesSeen(page: Page): Promise<number> {
  const text = (await page.locator('#m-dropped-note').textContent()) ?? '';
  return Number(/\d+/.exec(text)?.[0]);
}

/** Drops a file on the page as a user does: a drag with the file's bytes. */
export async function dropFile(page: Page, path: string, type = ''): Promise<void> {
  const base64 = readFileSync(path).toString('base64');
  await page.evaluate(
    async ({ base64, name, type }) => {
      const bytes = await (await fetch(`data:application/octet-stream;base64,${base64}`)).arrayBuffer();
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], name, { type }));
      for (const kind of ['dragenter', 'dragover', 'drop']) {
        document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
      }
    },
    { base64, name: basename(path), type },
  );
}

/** Pixels of the overlay that something was drawn on. */
export function drawnPixels(page: Page): Promise<number> {
  return page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('#overlay')!;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at]! > 0) drawn++;
    return drawn;
  });
}
