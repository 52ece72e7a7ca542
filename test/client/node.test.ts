/** The worker client over worker_threads: every call settles, whatever happens to the worker. */
import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import {
  connectWorker,
  factoryLauncher,
  liveWorkers,
  serveWorker,
  threadLauncher,
  type WorkerClient,
} from '../../src/client/index.ts';
import {
  DisposedError,
  LayoutError,
  OptionError,
  UnsupportedError,
  WorkerCrashError,
  WorkerLoadError,
} from '../../src/errors.ts';
import { testMethods } from './fixtures/methods.ts';
import { allExited, connectThread, startThread } from './fixtures/threads.ts';

/** A worker's end must reach its callers within this many milliseconds. */
const bound = 5000;

const opened: WorkerClient[] = [];
async function open(heartbeat?: number): Promise<WorkerClient> {
  const client = await connectThread(heartbeat);
  opened.push(client);
  return client;
}

/** What a promise rejected with, and after how many milliseconds. */
async function rejection(promise: Promise<unknown>): Promise<{ error: unknown; milliseconds: number }> {
  const start = performance.now();
  const error = await promise.then(
    () => expect.fail('expected a rejection'),
    (reason: unknown) => reason,
  );
  return { error, milliseconds: performance.now() - start };
}

afterEach(async () => {
  for (const client of opened.splice(0)) client.dispose();
  await allExited();
  expect(liveWorkers()).toBe(0);
});

describe('calls', () => {
  it('answers, many at a time and each to its own caller', async () => {
    const client = await open();
    expect(client.kind).toBe('factory');
    const sums = await Promise.all(Array.from({ length: 50 }, (_, index) => client.call('add', [index, 1])));
    expect(sums).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(client.pending).toBe(0);
  });

  it('restores errors as their class', async () => {
    const client = await open();
    const { error } = await rejection(client.call('fail', { kind: 'layout' }));
    expect(error).toBeInstanceOf(LayoutError);
    expect(error).toMatchObject({ code: 'LAYOUT', details: { got: [1, 5] }, cause: { name: 'RangeError' } });
    expect((error as Error).stack).toContain('at thrown ');
    await expect(client.call('failLater', { kind: 'type' })).rejects.toBeInstanceOf(TypeError);
    await expect(client.call('fail', { kind: 'dom' })).rejects.toMatchObject({ name: 'NotFoundError' });
    await expect(client.call('fail', { kind: 'text' })).rejects.toBe('just text');
    await expect(client.call('fail', { kind: 'future' })).rejects.toMatchObject({
      name: 'BoxopsError',
      details: { size: 3 },
    });
    await expect(client.call('fail', { kind: 'circular' })).rejects.toThrow('plain');
    await expect(client.call('nothing', 1)).rejects.toBeInstanceOf(UnsupportedError);
    await expect(client.call('toString', 1)).rejects.toBeInstanceOf(UnsupportedError);
    const refused = client.call('unserialisable', 1);
    await expect(refused).rejects.toThrow(/unserialisable gave an unserializable value/);
    await expect(refused).rejects.toBeInstanceOf(UnsupportedError);
    await expect(client.call('echo', () => 1)).rejects.toBeInstanceOf(OptionError);
    expect(await client.call('add', [1, 2])).toBe(3);
  });

  it('refuses a buffer that was moved before, and the worker lives on', async () => {
    const client = await open();
    const moved = new Float32Array(4);
    await client.call('echo', moved, { transfer: [moved.buffer] });
    const again = client.call('echo', moved, { transfer: [moved.buffer] });
    await expect(again).rejects.toBeInstanceOf(OptionError);
    const none = new Float32Array(0);
    expect(await client.call('echo', none, { transfer: [none.buffer] })).toHaveLength(0);
    expect(await client.call('add', [1, 2])).toBe(3);
  });

  it('moves buffers in both directions', async () => {
    const client = await open();
    const array = new Uint8Array(1000).fill(3);
    const back = client.call<{ array: Uint8Array }>('detached', array, { transfer: [array.buffer] });
    expect(array.byteLength).toBe(0);
    expect((await back).array).toEqual(new Uint8Array(1000).fill(3));
    expect(await client.call('keptLength', null)).toBe(0);
    const copied = new Uint8Array(10);
    await client.call('echo', copied);
    expect(copied.byteLength).toBe(10);
  });

  it('rejects with what the progress callback threw, tells the worker, and goes on', async () => {
    const client = await open();
    const mine = new RangeError('no such bar');
    let calls = 0;
    const onProgress = () => {
      calls++;
      throw mine;
    };
    expect((await rejection(client.call('count', 5, { onProgress }))).error).toBe(mine);
    expect(client.pending).toBe(0);
    expect(await client.call('add', [1, 2])).toBe(3);
    expect(calls).toBe(1);
  });

  it('reports progress in order and before the answer', async () => {
    const client = await open();
    const seen: unknown[] = [];
    const result = await client.call('count', 5, { onProgress: (value) => seen.push(value) });
    seen.push(`result ${result}`);
    expect(seen).toEqual([1, 2, 3, 4, 5, 'result 5']);
  });

  it('works over a port as over a worker', async () => {
    const { port1, port2 } = new MessageChannel();
    let goodBye = false;
    serveWorker(testMethods, port1, () => (goodBye = true));
    const client = await connectWorker({ launchers: [factoryLauncher(() => port2)] });
    expect(await client.call('add', [3, 4])).toBe(7);
    client.dispose();
    await expect.poll(() => goodBye).toBe(true);
  });
});

describe('abort', () => {
  it('rejects at once with the reason itself and tells the worker', async () => {
    const client = await open();
    const controller = new AbortController();
    const reason = new LayoutError('enough');
    const pending = rejection(client.call('abortable', null, { signal: controller.signal }));
    await client.call('add', [0, 0]);
    controller.abort(reason);
    const { error } = await pending;
    expect(error).toBe(reason);
    expect(client.pending).toBe(0);
    expect(await client.call('aborts', null)).toEqual(['LayoutError: enough']);
  });

  it('rejects even when the worker cannot listen, and stays usable for those who wait', async () => {
    const client = await open();
    const pending = rejection(client.call('hang', null, { signal: AbortSignal.timeout(20) }));
    const { error, milliseconds } = await pending;
    expect(error).toMatchObject({ name: 'TimeoutError' });
    expect(milliseconds).toBeLessThan(bound);
    expect(await client.call('add', [1, 1])).toBe(2);
  });

  it('an aborted signal sends nothing and closes the frames', async () => {
    const client = await open();
    let closed = 0;
    const frame = { close: () => closed++ } as unknown as Transferable;
    const sent = client.call('close', [], { signal: AbortSignal.abort('no'), transfer: [frame] });
    await expect(sent).rejects.toBe('no');
    expect(closed).toBe(1);
  });

  it('leaves no listener on a signal that lives long', async () => {
    const client = await open();
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    for (let index = 0; index < 20; index++) await client.call('add', [1, 1], { signal });
    await client.call('fail', { kind: 'type' }, { signal }).catch(() => undefined);
    expect(listeners).toBe(0);
  });
});

describe('the end of a worker', () => {
  const endings: readonly [string, (client: WorkerClient) => void][] = [
    ['an uncaught exception', (client) => void client.call('crash', null).catch(() => undefined)],
    ['process.exit', (client) => void client.call('exit', 5).catch(() => undefined)],
  ];
  it.each(endings)('%s rejects every pending call, and later ones', async (_, end) => {
    const client = await open();
    const crashes: Error[] = [];
    client.onCrash((error) => crashes.push(error));
    const pending = [1, 2, 3].map(() => rejection(client.call('hang', null)));
    end(client);
    for (const { error, milliseconds } of await Promise.all(pending)) {
      expect(error).toBeInstanceOf(WorkerCrashError);
      expect(milliseconds).toBeLessThan(bound);
    }
    expect(client.endedBy).toBeInstanceOf(WorkerCrashError);
    expect(crashes).toEqual([client.endedBy]);
    await expect(client.call('add', [1, 1])).rejects.toBeInstanceOf(WorkerCrashError);
  });

  it('terminate by someone else rejects every pending call', async () => {
    const worker = startThread();
    const client = await connectWorker({ launchers: [factoryLauncher(() => worker)] });
    const pending = [1, 2, 3].map(() => rejection(client.call('hang', null)));
    await client.call('add', [0, 0]);
    await worker.terminate();
    for (const { error, milliseconds } of await Promise.all(pending)) {
      expect(error).toBeInstanceOf(WorkerCrashError);
      expect(error).toMatchObject({
        code: 'WORKER_CRASH',
        message: expect.stringContaining('exited with code 1'),
      });
      expect(milliseconds).toBeLessThan(bound);
    }
  });

  it('a worker that spins for ever is given up after the heartbeat', async () => {
    const client = await open(300);
    const { error, milliseconds } = await rejection(client.call('spin', null));
    expect(error).toBeInstanceOf(WorkerCrashError);
    expect(milliseconds).toBeLessThan(bound);
  });

  it('a slow worker that still turns is not given up', async () => {
    const client = await open(100);
    expect(await client.call('slow', 500)).toBe(500);
  });

  it('dispose rejects pending and later calls with DisposedError, and is idempotent', async () => {
    const client = await open();
    const pending = [1, 2].map(() => rejection(client.call('hang', null)));
    client.dispose();
    client.dispose();
    client[Symbol.dispose]();
    for (const { error } of await Promise.all(pending)) expect(error).toBeInstanceOf(DisposedError);
    let closed = 0;
    const frame = { close: () => closed++ } as unknown as Transferable;
    await expect(client.call('close', [], { transfer: [frame] })).rejects.toBeInstanceOf(DisposedError);
    expect(closed).toBe(1);
  });
});

describe('start', () => {
  it('lists every attempt with its reason', async () => {
    const launchers = [
      threadLauncher(new URL('./not-there.js', import.meta.url)),
      factoryLauncher(() => startThread('throw')),
      factoryLauncher(() => startThread('exit')),
      factoryLauncher(() => {
        throw new TypeError('refused');
      }),
      factoryLauncher(() => 'not a worker'),
    ];
    const { error } = await rejection(connectWorker({ launchers }));
    expect(error).toBeInstanceOf(WorkerLoadError);
    const { attempts } = (error as WorkerLoadError).details as {
      attempts: { kind: string; reason: string }[];
    };
    expect(attempts.map(({ kind }) => kind)).toEqual(['node', 'factory', 'factory', 'factory', 'factory']);
    expect(attempts.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('Cannot find module'),
      expect.stringContaining('no luck at start'),
      expect.stringContaining('exited with code 3'),
      'refused',
      expect.stringContaining('expected a Worker or a MessagePort, got not a worker'),
    ]);
  });

  it('falls back to the next way', async () => {
    const launchers = [factoryLauncher(() => startThread('throw')), factoryLauncher(() => startThread())];
    const client = await connectWorker({ launchers });
    opened.push(client);
    expect(await client.call('add', [1, 1])).toBe(2);
  });

  it('a worker that never speaks is given up after readyTimeout, and ended', async () => {
    const launchers = [
      factoryLauncher(() => startThread('mute')),
      factoryLauncher(() => new Promise(() => undefined)),
    ];
    const { error, milliseconds } = await rejection(connectWorker({ launchers, readyTimeout: 150 }));
    expect(error).toBeInstanceOf(WorkerLoadError);
    expect((error as Error).message).toContain('within 150 ms');
    expect(milliseconds).toBeLessThan(bound);
  });

  it('can be aborted', async () => {
    const controller = new AbortController();
    const launchers = [factoryLauncher(() => startThread('mute'))];
    const pending = rejection(connectWorker({ launchers, signal: controller.signal }));
    setTimeout(() => controller.abort('changed my mind'), 20);
    expect((await pending).error).toBe('changed my mind');
    await expect(connectWorker({ launchers, signal: AbortSignal.abort('never') })).rejects.toBe('never');
  });
});
