import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadModelBytes } from '../../src/detector/session/model-bytes.ts';
import { SerialQueue } from '../../src/detector/session/queue.ts';
import { openSession } from '../../src/detector/session/session.ts';
import type { LoadProgress } from '../../src/detector/types.ts';
import { ModelError, OptionError, UnsupportedError } from '../../src/errors.ts';
import { constantDetector } from './support/onnx.ts';

const model = constantDetector();
const folders: string[] = [];
const servers: Server[] = [];

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'boxops-'));
  folders.push(path);
  return path;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.onnx`;
}

afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true });
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('loadModelBytes', () => {
  it('takes bytes, a path and a file URL', async () => {
    const path = join(folder(), 'a model.onnx');
    writeFileSync(path, model);
    const progress: LoadProgress[] = [];
    expect(await loadModelBytes(model)).toBe(model);
    expect(await loadModelBytes(model.buffer)).toEqual(model);
    expect(await loadModelBytes(path, { onProgress: (step) => progress.push(step) })).toEqual(model);
    expect(await loadModelBytes(pathToFileURL(path))).toEqual(model);
    expect(progress).toEqual([{ phase: 'download', loaded: model.length, total: model.length }]);
  });

  it('downloads with progress', async () => {
    const half = model.length >> 1;
    let sendRest = () => {};
    const url = await serve((_, response) => {
      response.setHeader('content-length', model.length);
      response.write(model.subarray(0, half));
      sendRest = () => response.end(model.subarray(half));
    });
    const progress: LoadProgress[] = [];
    const onProgress = (step: LoadProgress) => {
      progress.push(step);
      // the second half is sent when the first was reported
      if (step.loaded === half) sendRest();
    };
    expect(await loadModelBytes(url, { onProgress })).toEqual(model);
    const expected = [0, half, model.length];
    expect(progress).toEqual(expected.map((loaded) => ({ phase: 'download', loaded, total: model.length })));
  });

  it('keeps a download in a folder, and never half of one', async () => {
    const cache = join(folder(), 'models');
    let requests = 0;
    let whole = false;
    const url = await serve((_, response) => {
      requests++;
      response.setHeader('content-length', model.length);
      if (whole) return response.end(model);
      response.write(model.subarray(0, 100));
      setTimeout(() => response.destroy(), 20);
    });
    await expect(loadModelBytes(url, { cache })).rejects.toBeInstanceOf(ModelError);
    whole = true;
    const progress: LoadProgress[] = [];
    expect(await loadModelBytes(url, { cache })).toEqual(model);
    expect(await loadModelBytes(url, { cache, onProgress: (step) => progress.push(step) })).toEqual(model);
    expect(requests).toBe(2);
    expect(progress).toEqual([{ phase: 'cache', loaded: model.length, total: model.length }]);
    expect(readdirSync(cache)).toHaveLength(1);
  });

  it('keeps no page that a server sent in place of the model, and leaves a spoilt entry', async () => {
    const cache = join(folder(), 'models');
    let body: Uint8Array | string = '<!doctype html><title>sign in</title>';
    let requests = 0;
    const url = await serve((_, response) => {
      requests++;
      response.end(body);
    });
    await loadModelBytes(url, { cache });
    body = model;
    expect(await loadModelBytes(url, { cache })).toEqual(model);
    const [entry] = readdirSync(cache);
    writeFileSync(join(cache, entry), model.subarray(0, 50));
    expect(await loadModelBytes(url, { cache })).toEqual(model);
    expect(await loadModelBytes(url, { cache })).toEqual(model);
    expect(requests).toBe(3);
  });

  it('rejects with what the progress callback threw, which is no failed download', async () => {
    const mine = new RangeError('no such bar');
    const onProgress = ({ loaded }: LoadProgress) => {
      if (loaded > 0) throw mine;
    };
    let closed: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const url = await serve((_, response) => {
      response.on('close', closed);
      // a body that never ends: it is given up, not read
      response.write(model.subarray(0, 100));
    });
    await expect(loadModelBytes(url, { onProgress })).rejects.toBe(mine);
    await gone;
    const path = join(folder(), 'model.onnx');
    writeFileSync(path, model);
    await expect(loadModelBytes(path, { onProgress })).rejects.toBe(mine);
  });

  it('says what went wrong', async () => {
    const missing = await serve((_, response) => {
      response.statusCode = 404;
      response.end();
    });
    await expect(loadModelBytes(missing)).rejects.toThrow(/answered 404/);
    await expect(loadModelBytes('/no/such/model.onnx')).rejects.toThrow(/cannot be read.*no such file/);
    await expect(loadModelBytes('file:///%2f.onnx')).rejects.toBeInstanceOf(ModelError);
    await expect(loadModelBytes('http://127.0.0.1:9/model.onnx')).rejects.toBeInstanceOf(ModelError);
    await expect(loadModelBytes(new Uint8Array(0))).rejects.toThrow(/no bytes/);
    await expect(loadModelBytes(undefined as never)).rejects.toBeInstanceOf(ModelError);
    const short = await serve((_, response) => {
      response.setHeader('content-length', 4000);
      response.write(model.subarray(0, 100));
      setTimeout(() => response.destroy(), 20);
    });
    await expect(loadModelBytes(short)).rejects.toBeInstanceOf(ModelError);
  });

  it('stops when aborted', async () => {
    const url = await serve((_, response) => {
      response.setHeader('content-length', model.length);
      response.write(model.subarray(0, 100));
    });
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const load = loadModelBytes(url, {
      signal: controller.signal,
      onProgress: ({ loaded }) => loaded > 0 && controller.abort(reason),
    });
    await expect(load).rejects.toBe(reason);
    await expect(loadModelBytes(url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('openSession', () => {
  it('falls back from webgpu, which Node has not, and says why', async () => {
    const session = await openSession(model, { executionProviders: ['webgpu', 'wasm'] });
    expect(session.executionProvider).toBe('wasm');
    expect(session.fallbacks).toEqual([{ provider: 'webgpu', reason: expect.stringContaining('Node') }]);
    const tensor = new session.ort.Tensor('float32', new Float32Array(3 * 32 * 32), [1, 3, 32, 32]);
    const outputs = await session.run({ images: tensor });
    expect(outputs.output0.dims).toEqual([1, 6, 21]);
    await session.release();
  });

  it('runs on several threads in Node', async () => {
    const session = await openSession(model, { threads: 2 });
    const tensor = new session.ort.Tensor('float32', new Float32Array(3 * 32 * 32), [1, 3, 32, 32]);
    expect((await session.run({ images: tensor })).output0.dims).toEqual([1, 6, 21]);
    expect(session.ort.env.wasm.numThreads).toBe(2);
    await session.release();
  });

  it('rejects with typed errors', async () => {
    await expect(openSession(model, { executionProviders: ['webgpu'] })).rejects.toBeInstanceOf(
      UnsupportedError,
    );
    await expect(openSession(model, { executionProviders: [] })).rejects.toBeInstanceOf(OptionError);
    await expect(openSession(model, { executionProviders: ['cuda' as 'wasm'] })).rejects.toBeInstanceOf(
      OptionError,
    );
    await expect(openSession(Uint8Array.from([1, 2, 3, 4]))).rejects.toBeInstanceOf(ModelError);
    await expect(openSession(model.slice(0, model.length >> 1))).rejects.toBeInstanceOf(ModelError);
    const session = await openSession(model);
    const wrong = new session.ort.Tensor('float32', new Float32Array(3), [1, 3, 1, 1]);
    await expect(session.run({ images: wrong })).rejects.toBeInstanceOf(ModelError);
    await session.release();
  });
});

describe('without onnxruntime-web', () => {
  afterEach(() => {
    vi.doUnmock('onnxruntime-web/wasm');
    vi.resetModules();
  });

  it('says how to install it', async () => {
    vi.resetModules();
    vi.doMock('onnxruntime-web/wasm', () => {
      throw new Error("Cannot find package 'onnxruntime-web'");
    });
    const { openSession: open } = await import('../../src/detector/session/session.ts');
    const error = (await open(model).catch((reason: unknown) => reason)) as Error;
    // the modules were loaded anew, their error classes too
    expect(error.name).toBe('UnsupportedError');
    expect(error.message).toContain('npm install onnxruntime-web');
  });
});

describe('SerialQueue', () => {
  const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  it('runs one at a time, in order, the first at once', async () => {
    const queue = new SerialQueue();
    const events: string[] = [];
    const task = (name: string) => async () => {
      events.push(`${name} starts`);
      await later(5);
      events.push(`${name} ends`);
      return name;
    };
    const first = queue.run(task('a'));
    expect(events).toEqual(['a starts']);
    expect(queue.idle).toBe(false);
    expect(await Promise.all([first, queue.run(task('b'))])).toEqual(['a', 'b']);
    expect(events).toEqual(['a starts', 'a ends', 'b starts', 'b ends']);
    expect(queue.idle).toBe(true);
  });

  it('goes on after a failure, and drops what is aborted while it waits', async () => {
    const queue = new SerialQueue();
    const controller = new AbortController();
    let started = false;
    const failing = queue.run(() => later(5).then(() => Promise.reject(new Error('bad'))));
    const waiting = queue.run(async () => {
      started = true;
    }, controller.signal);
    const last = queue.run(async () => 'ok');
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(failing).rejects.toThrow('bad');
    expect(await last).toBe('ok');
    expect(started).toBe(false);
  });

  it('answers everyone when disposed', async () => {
    const queue = new SerialQueue();
    const closed = new Error('closed');
    const calls = [queue.run(() => later(5)), queue.run(() => later(5))];
    queue.dispose(closed);
    for (const call of [...calls, queue.run(() => later(5))]) await expect(call).rejects.toBe(closed);
  });
});
