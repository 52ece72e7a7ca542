/** The demo page as its user meets it: boxes on the clip, other files, other settings, a dead worker. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { dataPath, describeWithData } from '../support/data.ts';
import { writeOnnx } from '../support/onnx.ts';
import { type DemoBrowser, drawnPixels, dropFile, framesSeen, launchDemo, running } from './page.ts';

const digits = fileURLToPath(new URL('../../models/digits/digits.onnx', import.meta.url));

/** A busy machine compiles 14 MB of WebAssembly in its own time. */
const patience = 120_000;
vi.setConfig({ testTimeout: 4 * patience, expect: { poll: { timeout: patience, interval: 100 } } });

let demo: DemoBrowser;
let page: Page;
let errors: readonly string[];

beforeAll(async () => {
  demo = await launchDemo();
});

afterAll(async () => {
  await demo?.close();
});

async function open(): Promise<void> {
  ({ page, errors } = await demo.open());
}

afterEach(async () => {
  await page?.close();
});

/** How many detections there are; a long list says `60 of 68`. */
const shownCount = async () => Number((await page.locator('#count').textContent())?.split(' of ').at(-1));

async function moveSlider(id: string, value: number): Promise<void> {
  await page.locator(id).fill(String(value));
}

/** Waits until the list shows as many detections as asked for. */
async function countBecomes(accept: (count: number) => boolean): Promise<number> {
  await expect.poll(async () => accept(await shownCount())).toBe(true);
  return shownCount();
}

describe('the demo page', () => {
  it('draws detections on the clip and scores them against the known truth', async () => {
    await open();
    await countBecomes((count) => count > 0);
    expect(await drawnPixels(page)).toBeGreaterThan(500);
    const before = await framesSeen(page);
    await expect.poll(() => framesSeen(page)).toBeGreaterThan(before + 20);
    const precision = Number(await page.locator('#m-precision').textContent());
    expect(precision).toBeGreaterThan(60);
    expect(await page.locator('#status-text').textContent()).toBe('WebAssembly in a worker');
    expect(page.workers()).toHaveLength(1);
    const drawn = await drawnPixels(page);
    await page.keyboard.press('g');
    await expect.poll(() => page.locator('#truth').isChecked()).toBe(true);
    await expect.poll(() => drawnPixels(page)).not.toBe(drawn);
    expect(errors).toEqual([]);
  });

  it('applies thresholds, metric and class scope to the next frame without a reload', async () => {
    await open();
    await countBecomes((count) => count > 0);
    await page.locator('#play').click();
    const [worker] = page.workers();
    await page.evaluate(() => Object.assign(window, { witness: true }));
    await moveSlider('#score', 0.99);
    await countBecomes((count) => count === 0);
    await moveSlider('#score', 0.05);
    const suppressed = await countBecomes((count) => count > 0);
    // hardly anything suppresses above 1, so the raw candidates come through
    await moveSlider('#iou', 1);
    const all = await countBecomes((count) => count > suppressed);
    await page.locator('#metric input[value="diou"]').check();
    await moveSlider('#iou', 0.3);
    await countBecomes((count) => count < all);
    expect(await page.locator('#iou-label').textContent()).toBe('Suppress above DIoU');
    const within = await shownCount();
    await page.locator('#class-aware').uncheck({ force: true });
    await countBecomes((count) => count <= within);
    expect(page.workers()).toEqual([worker]);
    expect(await page.evaluate(() => 'witness' in window)).toBe(true);
    expect(errors).toEqual([]);
  });

  it('takes a dropped model, inspects it and says why its head was chosen', async () => {
    await open();
    await dropFile(page, digits);
    await expect.poll(() => page.locator('#model-default').isVisible()).toBe(true);
    await running(page);
    expect(await page.locator('#head').inputValue()).toBe('yolov8');
    await page.locator('summary', { hasText: 'Why this head' }).click();
    expect(await page.locator('#reasons li').count()).toBeGreaterThan(0);
    await countBecomes((count) => count > 0);
    expect(page.workers()).toHaveLength(1);
    await page.locator('#model-default').click();
    await expect.poll(() => page.locator('#model-default').isVisible()).toBe(false);
    expect(errors).toEqual([]);
  });

  it('moves to WebGPU and says so', async () => {
    await open();
    await page.locator('#provider').selectOption('webgpu');
    // what runs meanwhile is the worker before
    await expect.poll(() => page.locator('#status-text').textContent()).toBe('WebGPU in a worker');
    expect(await page.locator('#backend-note').isVisible()).toBe(false);
    await countBecomes((count) => count > 0);
    expect(page.workers()).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  it('refuses what is no model, and goes on', async () => {
    await open();
    await dropFile(page, fileURLToPath(new URL('../../LICENSE', import.meta.url)), 'text/plain');
    await expect.poll(() => page.locator('#banner').isVisible()).toBe(true);
    expect(await page.locator('#banner-message').textContent()).toContain(
      'expected an image, a video or an .onnx model',
    );
    await page.locator('#banner-dismiss').click();
    expect(await page.locator('#banner').isVisible()).toBe(false);
    await page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([new Uint8Array([1, 2, 3])], 'broken.onnx'));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    });
    await expect.poll(() => page.locator('#banner-title').textContent()).toBe('broken.onnx was not loaded');
    expect(await page.locator('#banner-code').textContent()).toContain('MODEL');
    await page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['hello'], 'readme.txt', { type: 'text/plain' }));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    });
    await expect
      .poll(() => page.locator('#banner-message').textContent())
      .toBe('readme.txt: expected an image, a video or an .onnx model.');
    const before = await framesSeen(page);
    await expect.poll(() => framesSeen(page)).toBeGreaterThan(before + 5);
  });

  it('says that the worker died, and recovers by its button', async () => {
    await open();
    await countBecomes((count) => count > 0);
    await moveSlider('#score', 0.4);
    await page.locator('#runtime summary').click();
    await page.locator('#kill').click();
    await expect.poll(() => page.locator('#banner').isVisible()).toBe(true);
    expect(await page.locator('#banner-title').textContent()).toBe('The worker stopped');
    expect(await page.locator('#banner-code').textContent()).toContain('WORKER_CRASH');
    expect(await page.locator('#status').getAttribute('data-phase')).toBe('failed');
    expect(page.workers()).toHaveLength(0);
    const before = await framesSeen(page);
    await page.locator('#banner-action').click();
    await running(page);
    await expect.poll(() => page.locator('#banner').isVisible()).toBe(false);
    await expect.poll(() => framesSeen(page)).not.toBe(before);
    await countBecomes((count) => count > 0);
    expect(page.workers()).toHaveLength(1);
    expect(await page.locator('#score-value').textContent()).toBe('0.40');
  });

  it('notices a worker that closes itself, as one out of memory does', async () => {
    await open();
    await countBecomes((count) => count > 0);
    await page
      .workers()[0]!
      .evaluate(() => self.close())
      .catch(() => undefined);
    await expect.poll(() => page.locator('#banner-title').textContent()).toBe('The worker stopped');
    await page.locator('#banner-action').click();
    await running(page);
  });

  it('asks for a camera and says what to do when there is none', async () => {
    await open();
    await page.locator('#source-webcam').click();
    await expect.poll(() => page.locator('#banner-title').textContent()).toBe('The webcam is not available');
    expect(await page.locator('#source-clip').getAttribute('aria-pressed')).toBe('true');
  });
});

/** A model whose one output could be YOLOX's or YOLOv6's: 336 rows for 128×128 pixels, one sure object in row 0. */
function ambiguousModel(): string {
  const data = new Float32Array(336 * 85);
  data.set([64, 64, 20, 20, 0.9, 0.95]);
  const bytes = writeOnnx({
    inputs: [{ name: 'images', dims: [1, 3, 128, 128] }],
    outputs: [{ name: 'o', dims: [1, 336, 85] }],
    nodes: [{ op: 'Identity', inputs: ['constant'], outputs: ['o'] }],
    initializers: [{ name: 'constant', dims: [1, 336, 85], data }],
  });
  const folder = mkdtempSync(join(tmpdir(), 'boxops-demo-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'either.onnx');
  writeFileSync(path, bytes);
  return path;
}

async function isRunning(model: string): Promise<boolean> {
  const name = await page.locator('#model-name').textContent();
  return name === model && (await page.locator('#status').getAttribute('data-phase')) === 'running';
}

describe('a model that fits several heads', () => {
  it('is asked about; cancelling keeps the model before, choosing runs it, the select overrides it', async () => {
    const path = ambiguousModel();
    await open();
    const dialog = page.locator('#head-dialog');
    await dropFile(page, path);
    await dialog.waitFor();
    expect(await dialog.locator('.choice').count()).toBeGreaterThan(1);
    await dialog.locator('button[value="cancel"]').click();
    expect(await isRunning('digits.onnx')).toBe(true);
    await dropFile(page, path);
    await dialog.waitFor();
    await dialog.locator('.choice', { hasText: 'YOLOv6' }).locator('input').check();
    await dialog.locator('button[value="use"]').click();
    await expect.poll(() => isRunning('either.onnx')).toBe(true);
    expect(await page.locator('#head').inputValue()).toBe('yolov5');
    await countBecomes((count) => count === 1);
    await page.locator('#head').selectOption('yolox');
    await expect.poll(() => page.locator('#head').inputValue()).toBe('yolox');
    await running(page);
    expect(page.workers()).toHaveLength(1);
    expect(errors).toEqual([]);
  });
});

describe('the webcam', () => {
  it('is mirrored like a mirror, detected frame by frame, and let go when the clip comes back', async () => {
    ({ page, errors } = await demo.open({ camera: true }));
    await page.locator('#source-webcam').click();
    await expect.poll(() => page.locator('#source-webcam').getAttribute('aria-pressed')).toBe('true');
    expect(await page.locator('#stage').getAttribute('class')).toContain('mirrored');
    expect(await page.locator('#time').textContent()).toBe('live');
    await expect.poll(() => framesSeen(page)).toBeGreaterThan(5);
    const live = () => page.evaluate(() => document.querySelectorAll('.source-video').length);
    expect(await live()).toBe(1);
    await page.locator('#source-clip').click();
    await expect.poll(live).toBe(0);
    await countBecomes((count) => count > 0);
    expect(errors).toEqual([]);
  });
});

describeWithData('the demo page with a real model', () => {
  it('finds the dog and the bicycle in a dropped photo', async () => {
    await open();
    await dropFile(page, dataPath('data/photos/dog.jpg'), 'image/jpeg');
    await expect.poll(() => page.locator('#caption').textContent()).toBe('dog.jpg');
    await dropFile(page, dataPath('models/yolox_nano_416.onnx'));
    await expect.poll(() => isRunning('yolox_nano_416.onnx')).toBe(true);
    expect(await page.locator('#head').inputValue()).toBe('yolox');
    const names = () => page.locator('#list li:visible').allTextContents().then(String);
    await expect.poll(names).toContain('dog');
    expect(await names()).toContain('bicycle');
    expect(errors).toEqual([]);
  });

  it('plays a dropped video and stops on the frame where it is paused', async () => {
    await open();
    await dropFile(page, dataPath('data/video/vtest_pets09_s2l1.mp4'), 'video/mp4');
    await expect.poll(() => page.locator('#caption').textContent()).toBe('vtest_pets09_s2l1.mp4');
    await expect.poll(() => framesSeen(page)).toBeGreaterThan(5);
    await page.locator('#play').click();
    expect(await page.locator('#play').getAttribute('aria-label')).toBe('Play');
    expect(errors).toEqual([]);
  });
});
