/**
 * The built worker on a page without a bundler, under real content policies: which way it is started, and where the
 * runtime comes from. A plain server hands out `dist/`, comlink and onnxruntime-web's own files.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumFlags, chromiumPath } from '../../scripts/chromium.ts';

const root = resolve(import.meta.dirname, '../..');
const folders: Readonly<Record<string, string>> = {
  '/dist/': join(root, 'dist'),
  '/ort/': join(root, 'node_modules/onnxruntime-web/dist'),
  '/comlink/': join(root, 'node_modules/comlink/dist/esm'),
  '/digits/': join(root, 'models/digits'),
};
const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};
const page = `<!doctype html><script type="importmap">
  { "imports": { "comlink": "/comlink/comlink.mjs" } }
</script><canvas width="160" height="160"></canvas>`;

let server: Server;
let browser: Browser;
let policy = '';
/** Paths the server pretends not to have. */
let hidden: RegExp | undefined;
let asked: string[] = [];

beforeAll(async () => {
  if (!existsSync(join(root, 'dist/worker.js')))
    throw new Error('dist/ is not built: run `npm run build` first');
  server = createServer((request, response) => {
    const path = new URL(request.url!, 'http://x').pathname;
    asked.push(path);
    if (path === '/') {
      if (policy !== '') response.setHeader('content-security-policy', policy);
      return response.setHeader('content-type', 'text/html').end(page);
    }
    const folder = Object.keys(folders).find((prefix) => path.startsWith(prefix));
    const file = folder === undefined ? '' : join(folders[folder]!, path.slice(folder.length));
    if (file === '' || hidden?.test(path) || !existsSync(file)) return response.writeHead(404).end();
    response
      .setHeader('content-type', types[extname(file)] ?? 'application/octet-stream')
      .end(readFileSync(file));
  }).listen(0);
  browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumFlags });
});

afterAll(async () => {
  await browser?.close();
  server?.close();
});

interface Outcome {
  readonly worker?: string;
  readonly count?: number;
  readonly code?: string;
  readonly message?: string;
  readonly attempts?: readonly { readonly kind: string; readonly reason: string }[];
}

/** Runs a detection in a worker of a page under `contentPolicy`; `options` is JavaScript. */
async function run(options: string, contentPolicy = '', without?: RegExp): Promise<Outcome> {
  policy = contentPolicy;
  hidden = without;
  asked = [];
  const tab = await browser.newPage();
  try {
    await tab.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    // As text: what vitest makes of a function would not run there.
    return await tab.evaluate<Outcome>(`(async () => {
      const { createDetector } = await import('/dist/detector.js');
      try {
        const detector = await createDetector({ model: '/digits/digits.onnx', ${options} });
        const found = await detector.detect(document.querySelector('canvas'), { scoreThreshold: 0.0001, nms: false });
        const { worker } = await detector.stats();
        detector.dispose();
        return { worker, count: found.count };
      } catch (error) {
        return { code: error.code, attempts: error.details?.attempts, message: error.message };
      }
    })()`);
  } finally {
    await tab.close();
  }
}

const self = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'unsafe-inline'";

/** A page's start costs seconds on a busy machine: browser, runtime, model. */
const patience = { timeout: 180_000 };

describe('a page without a bundler', patience, () => {
  let count: number | undefined;

  it('the URL worker takes the runtime from the folder wasmPaths', async () => {
    const outcome = await run("worker: true, wasmPaths: '/ort/'");
    expect(outcome.worker).toBe('url');
    expect(outcome.count).toBeGreaterThan(0);
    count = outcome.count;
    expect(asked).toContain('/dist/worker.js');
    expect(asked).not.toContain('/dist/worker-inline.js');
    expect(asked).toContain('/ort/ort.wasm.bundle.min.mjs');
    expect(asked.filter((path) => path.endsWith('.wasm'))).toEqual(['/ort/ort-wasm-simd-threaded.wasm']);
  });

  it('without worker.js the inline worker runs, and gives the same', async () => {
    const outcome = await run("worker: true, wasmPaths: './ort'", '', /worker\.js$/);
    expect(outcome).toMatchObject({ worker: 'inline', count });
    expect(asked).toContain('/dist/worker-inline.js');
  });

  it('runtimeUrl names the module itself', async () => {
    const options = "worker: 'inline', runtimeUrl: '/ort/ort.wasm.bundle.min.mjs', wasmPaths: '/ort/'";
    expect(await run(options)).toMatchObject({ worker: 'inline' });
  });

  it("without a worker URLs are the page's as well, and a folder needs no slash", async () => {
    const outcome = await run("worker: false, wasmPaths: 'ort'");
    expect(outcome).toMatchObject({ worker: 'none', count });
  });

  it('with neither, the error says what is missing', async () => {
    expect(await run("worker: 'inline'")).toMatchObject({ code: 'UNSUPPORTED' });
  });
});

describe('content policies', patience, () => {
  it("script-src 'self' 'wasm-unsafe-eval' and worker-src 'self': by URL", async () => {
    const outcome = await run("worker: true, wasmPaths: '/ort/'", `${self}; worker-src 'self'`);
    expect(outcome).toMatchObject({ worker: 'url' });
  });

  it('worker-src blob:, inline', async () => {
    const outcome = await run("worker: true, wasmPaths: '/ort/'", `${self}; worker-src blob:`);
    expect(outcome).toMatchObject({ worker: 'inline' });
  });

  it("without 'wasm-unsafe-eval' the error names it", async () => {
    const outcome = await run(
      "worker: false, wasmPaths: '/ort/'",
      "default-src 'self'; script-src 'self' 'unsafe-inline'",
    );
    expect(outcome.code).toBe('UNSUPPORTED');
    expect(outcome.message).toContain("must allow 'wasm-unsafe-eval'");
  });

  it("worker-src 'none': both attempts are told, and nothing hangs", async () => {
    const outcome = await run("worker: true, wasmPaths: '/ort/'", `${self}; worker-src 'none'`);
    expect(outcome.code).toBe('WORKER_LOAD');
    expect(outcome.attempts!.map(({ kind }) => kind)).toEqual(['url', 'inline']);
    for (const { reason } of outcome.attempts!) expect(reason).not.toBe('');
  });

  it('no worker.js and no blob: the URL attempt says not found', async () => {
    const outcome = await run(
      "worker: true, wasmPaths: '/ort/'",
      `${self}; worker-src 'self'`,
      /worker\.js$/,
    );
    expect(outcome.code).toBe('WORKER_LOAD');
    expect(outcome.attempts![0]!.reason).toContain('could not be loaded');
  });
});
