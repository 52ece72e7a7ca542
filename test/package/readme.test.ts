/**
 * Every snippet of the README runs: those marked `runs in: node` as a Node program, those marked `runs in: browser` as
 * a page built by Vite in real Chromium. Both use the built package under its own name.
 */
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { createCanvas } from '@napi-rs/canvas';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderFrame } from '../../examples/clip/clip.ts';
import { launchBrowser } from './consumers/page.ts';
import { serve } from './consumers/serve.ts';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const snippets = [...readme.matchAll(/<!-- runs in: (node|browser) -->\n```ts\n([\s\S]*?)```/g)].map(
  ([, place, code], i) => ({ name: `snippet ${i + 1}`, place: place!, code: code! }),
);
// inside the repository, so that `boxops/…` resolves to the package itself
const folder = join(root, 'out');
let place: string;

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  place = mkdtempSync(join(folder, 'readme-'));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

it('marks every code snippet with where it runs', () => {
  expect(snippets).toHaveLength([...readme.matchAll(/```ts/g)].length);
  expect(new Set(snippets.map((snippet) => snippet.place))).toEqual(new Set(['node', 'browser']));
});

describe('in Node', () => {
  it.each(snippets.filter((snippet) => snippet.place === 'node'))('$name', async ({ name, code }) => {
    const file = join(place, `${name.replace(' ', '-')}.ts`);
    writeFileSync(file, code);
    const { stdout, stderr } = await run(join(root, 'node_modules/.bin/tsx'), [file], {
      cwd: root,
      timeout: 120_000,
    });
    expect(stderr.replaceAll(/^npm warn.*$/gm, '').trim()).toBe('');
    expect(stdout.length).toBeGreaterThan(20);
    if (code.includes('Uint32Array [')) expect(stdout).toContain('0, 1, 2');
    if (code.includes('detectFrames')) expect(stdout).toMatch(/received: 20/);
  });
});

describe('in Chromium', () => {
  it.each(snippets.filter((snippet) => snippet.place === 'browser'))('$name', async ({ code }) => {
    const page = join(place, 'page');
    const assets = join(page, 'public');
    mkdirSync(join(assets, 'ort'), { recursive: true });
    writeFileSync(
      join(page, 'index.html'),
      '<!doctype html><canvas></canvas><script type="module" src="/main.ts"></script>',
    );
    writeFileSync(join(page, 'main.ts'), code);
    copyFileSync(join(root, 'models/digits/digits.onnx'), join(assets, 'digits.onnx'));
    const runtime = join(root, 'node_modules/onnxruntime-web/dist');
    for (const file of readdirSync(runtime)) {
      if (/^ort-wasm.*\.(wasm|mjs)$/.test(file)) copyFileSync(join(runtime, file), join(assets, 'ort', file));
    }
    const { width, height, data } = renderFrame(120);
    const canvas = createCanvas(width, height);
    const pixels = canvas.getContext('2d').createImageData(width, height);
    pixels.data.set(data);
    canvas.getContext('2d').putImageData(pixels, 0, 0);
    writeFileSync(join(assets, 'scene.png'), canvas.toBuffer('image/png'));
    await build({
      root: page,
      logLevel: 'error',
      configFile: false,
      resolve: { alias: [{ find: /^boxops\/(.*)$/, replacement: `${root}/dist/$1.js` }] },
      build: { target: 'es2022' },
      worker: { format: 'es' },
    });
    const served = await serve([join(page, 'dist')]);
    const browser = await launchBrowser();
    try {
      const tab = await browser.newPage();
      const complaints: string[] = [];
      tab.on('pageerror', (error) => complaints.push(String(error)));
      const logged = tab.waitForEvent('console', {
        predicate: (message) => message.type() === 'log',
        timeout: 90_000,
      });
      await tab.goto(served.url);
      const found = (await (await logged).args()[0]!.jsonValue()) as { className: string; score: number }[];
      expect(found.length).toBeGreaterThan(2);
      expect(found[0]!.score).toBeGreaterThan(0.5);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      await served.close();
    }
  });
});
