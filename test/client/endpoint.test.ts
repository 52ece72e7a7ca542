/** Failures that no real worker can be made to show: messages that cannot be read. */
import { MessageChannel } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { connectWorker, factoryLauncher, serveWorker } from '../../src/client/index.ts';
import { WorkerCrashError, WorkerLoadError } from '../../src/errors.ts';
import { testMethods } from './fixtures/methods.ts';

/** A web worker as the client sees it, with a port behind it, that can be made to fail. */
class FakeWorker extends EventTarget {
  readonly listeners = new Map<string, number>();
  terminated = false;
  private readonly port;

  constructor() {
    super();
    const { port1, port2 } = new MessageChannel();
    serveWorker(testMethods, port2);
    this.port = port1;
    port1.on('message', (data) => this.dispatchEvent(new MessageEvent('message', { data })));
  }

  postMessage(data: unknown, transfer: ArrayBuffer[]): void {
    this.port.postMessage(data, transfer);
  }

  terminate(): void {
    this.terminated = true;
    this.port.close();
  }

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.listeners.set(args[0], (this.listeners.get(args[0]) ?? 0) + 1);
    super.addEventListener(...args);
  }

  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.listeners.set(args[0], (this.listeners.get(args[0]) ?? 0) - 1);
    super.removeEventListener(...args);
  }
}

it('a message that cannot be read rejects every pending call and ends the worker', async () => {
  const worker = new FakeWorker();
  const client = await connectWorker({ launchers: [factoryLauncher(() => worker)] });
  expect(await client.call('add', [1, 2])).toBe(3);
  const pending = [client.call('hang', null), client.call('hang', null)];
  worker.dispatchEvent(new MessageEvent('messageerror'));
  for (const call of pending) {
    await expect(call).rejects.toMatchObject({
      code: 'WORKER_CRASH',
      details: { reason: expect.stringContaining('cannot be read') },
    });
  }
  expect(client.endedBy).toBeInstanceOf(WorkerCrashError);
  expect(worker.terminated).toBe(true);
  expect([...worker.listeners.values()]).toEqual([0, 0, 0]);
});

it('a message that the worker cannot read rejects them as well', async () => {
  const { port1, port2 } = new MessageChannel();
  serveWorker(testMethods, port2);
  const client = await connectWorker({ launchers: [factoryLauncher(() => port1)] });
  const pending = client.call('hang', null);
  port2.emit('messageerror', new Error('gibberish'));
  await expect(pending).rejects.toBeInstanceOf(WorkerCrashError);
});

it('an unreadable message before it is ready is a failed attempt', async () => {
  const worker = new FakeWorker();
  const pending = connectWorker({ launchers: [factoryLauncher(() => worker)] });
  await Promise.resolve().then(() => undefined);
  worker.dispatchEvent(new MessageEvent('messageerror'));
  await expect(pending).rejects.toBeInstanceOf(WorkerLoadError);
  expect(worker.terminated).toBe(true);
});

it('a worker of another protocol version is refused', async () => {
  const { port1, port2 } = new MessageChannel();
  port2.on('message', () => port2.postMessage({ boxops: 'ready', version: 99 }));
  await expect(connectWorker({ launchers: [factoryLauncher(() => port1)] })).rejects.toThrow('version 99');
});
