/** The worker client in a real browser: loading, policies, death, transfer; every call settles and no worker stays. */
import { afterEach, describe, expect, it } from 'vitest';
import {
  connectWorker,
  factoryLauncher,
  inlineLauncher,
  liveWorkers,
  urlLauncher,
  type WorkerAttempt,
  type WorkerClient,
} from '../../src/client/index.ts';
import {
  DisposedError,
  LayoutError,
  OptionError,
  WorkerCrashError,
  WorkerLoadError,
} from '../../src/errors.ts';

/** A worker's end must reach its callers within this many milliseconds. */
const bound = 5000;

const opened: WorkerClient[] = [];

function startWorker(mode = ''): Worker {
  return new Worker(new URL('../client/fixtures/web-worker.ts', import.meta.url), {
    type: 'module',
    name: mode,
  });
}

async function open(mode = '', heartbeat?: number): Promise<WorkerClient> {
  const client = await connectWorker({ launchers: [factoryLauncher(() => startWorker(mode))], heartbeat });
  opened.push(client);
  return client;
}

async function rejection(promise: Promise<unknown>): Promise<{ error: unknown; milliseconds: number }> {
  const start = performance.now();
  const error = await promise.then(
    () => expect.fail('expected a rejection'),
    (reason: unknown) => reason,
  );
  return { error, milliseconds: performance.now() - start };
}

const attemptsOf = (error: unknown) =>
  (error as WorkerLoadError).details.attempts as readonly WorkerAttempt[];

/** Workers that are alive, as the browser counts them: each holds a lock of its own. */
async function workersAlive(): Promise<number> {
  const { held } = await navigator.locks.query();
  return held!.filter(({ name }) => name!.startsWith('boxops-worker-')).length;
}

afterEach(async () => {
  for (const client of opened.splice(0)) client.dispose();
  await expect.poll(workersAlive, { timeout: bound }).toBe(0);
  expect(liveWorkers()).toBe(0);
});

describe('calls', () => {
  it('answers, restores errors, reports progress', async () => {
    const client = await open();
    expect(await workersAlive()).toBe(1);
    expect(await client.call('add', [2, 3])).toBe(5);
    const { error } = await rejection(client.call('fail', { kind: 'layout' }));
    expect(error).toBeInstanceOf(LayoutError);
    expect(error).toMatchObject({ details: { got: [1, 5] } });
    await expect(client.call('fail', { kind: 'dom' })).rejects.toBeInstanceOf(DOMException);
    await expect(client.call('echo', document.body)).rejects.toBeInstanceOf(OptionError);
    const seen: unknown[] = [];
    await client.call('count', 3, { onProgress: (value) => seen.push(value) });
    expect(seen).toEqual([1, 2, 3]);
  });

  it('really moves buffers, bitmaps and video frames', async () => {
    const client = await open();
    const array = new Uint8Array(1 << 20).fill(5);
    const back = client.call<{ array: Uint8Array }>('detached', array, { transfer: [array.buffer] });
    expect(array.byteLength).toBe(0);
    expect((await back).array.byteLength).toBe(1 << 20);
    expect(await client.call('keptLength', null)).toBe(0);
    const canvas = new OffscreenCanvas(8, 8);
    canvas.getContext('2d');
    const bitmap = await createImageBitmap(canvas);
    const frame = new VideoFrame(canvas, { timestamp: 0 });
    expect(await client.call('close', [bitmap, frame], { transfer: [bitmap, frame] })).toBe(2);
    expect(bitmap.width).toBe(0);
    expect(frame.codedWidth).toBe(0);
  });

  it('frames of a call that never leaves are closed here', async () => {
    const client = await open();
    const canvas = new OffscreenCanvas(8, 8);
    canvas.getContext('2d');
    const frames = [0, 1, 2].map((timestamp) => new VideoFrame(canvas, { timestamp }));
    const aborted = client.call('close', [], { transfer: [frames[0]!], signal: AbortSignal.abort('no') });
    await expect(aborted).rejects.toBe('no');
    const unsendable = client.call('close', () => 1, { transfer: [frames[1]!] });
    await expect(unsendable).rejects.toBeInstanceOf(OptionError);
    client.dispose();
    await expect(client.call('close', [], { transfer: [frames[2]!] })).rejects.toBeInstanceOf(DisposedError);
    expect(frames.map(({ codedWidth }) => codedWidth)).toEqual([0, 0, 0]);
  });

  it('an abort rejects at once with the reason itself and tells the worker', async () => {
    const client = await open();
    const controller = new AbortController();
    const pending = rejection(client.call('abortable', null, { signal: controller.signal }));
    const stuck = rejection(client.call('hang', null, { signal: controller.signal }));
    await client.call('add', [0, 0]);
    controller.abort();
    for (const { error, milliseconds } of await Promise.all([pending, stuck])) {
      expect(error).toBe(controller.signal.reason);
      expect(milliseconds).toBeLessThan(bound);
    }
    expect(await client.call('aborts', null)).toEqual([expect.stringContaining('AbortError')]);
  });
});

describe('the end of a worker', () => {
  it('terminate by someone else is noticed by the lock', async () => {
    const worker = startWorker();
    const client = await connectWorker({ launchers: [factoryLauncher(() => worker)] });
    const crashes: Error[] = [];
    client.onCrash((error) => crashes.push(error));
    const pending = [1, 2, 3].map(() => client.call('hang', null));
    const settled = pending.map(rejection);
    await client.call('add', [0, 0]);
    worker.terminate();
    for (const { error, milliseconds } of await Promise.all(settled)) {
      expect(error).toBeInstanceOf(WorkerCrashError);
      expect(milliseconds).toBeLessThan(bound);
    }
    expect(crashes.length).toBe(1);
    await expect(client.call('add', [1, 1])).rejects.toBeInstanceOf(WorkerCrashError);
  });

  it('terminate in the middle of a computation that never pauses', async () => {
    const worker = startWorker();
    const client = await connectWorker({ launchers: [factoryLauncher(() => worker)] });
    const pending = rejection(client.call('spin', null));
    setTimeout(() => worker.terminate(), 100);
    const { error, milliseconds } = await pending;
    expect(error).toBeInstanceOf(WorkerCrashError);
    // Chromium itself waits two seconds before it stops a script by force.
    expect(milliseconds).toBeLessThan(2 * bound);
  });

  it('a worker that closes itself, or throws outside of a call', async () => {
    for (const method of ['exit', 'crash']) {
      const client = await open();
      const pending = rejection(client.call('hang', null));
      const ending = client.call(method, null).catch(() => undefined);
      const { error, milliseconds } = await pending;
      expect(error).toBeInstanceOf(WorkerCrashError);
      expect(milliseconds).toBeLessThan(bound);
      await ending;
    }
  });

  it('without locks the heartbeat notices it', async () => {
    const worker = startWorker('lockless');
    const client = await connectWorker({ launchers: [factoryLauncher(() => worker)], heartbeat: 400 });
    expect(await workersAlive()).toBe(0);
    expect(await client.call('slow', 900)).toBe(900);
    const pending = rejection(client.call('hang', null));
    worker.terminate();
    const { error, milliseconds } = await pending;
    expect(error).toBeInstanceOf(WorkerCrashError);
    expect(milliseconds).toBeLessThan(bound);
  });

  it('dispose rejects what is pending and ends the worker', async () => {
    const client = await open();
    const pending = [1, 2].map(() => rejection(client.call('hang', null)));
    client.dispose();
    client.dispose();
    for (const { error } of await Promise.all(pending)) expect(error).toBeInstanceOf(DisposedError);
    await expect.poll(workersAlive, { timeout: bound }).toBe(0);
  });
});

describe('start', () => {
  const missing = urlLauncher('/nowhere/worker.js');
  const script = new URL('../client/fixtures/web-worker.ts', import.meta.url).href;
  const inline = inlineLauncher(async () => `import ${JSON.stringify(script)};`);

  it('a script that is not there, one that throws, one of another origin, one that is mute', async () => {
    const launchers = [
      missing,
      factoryLauncher(() => startWorker('throw')),
      urlLauncher('https://example.invalid/worker.js'),
      factoryLauncher(() => startWorker('mute')),
    ];
    const { error, milliseconds } = await rejection(connectWorker({ launchers, readyTimeout: 1500 }));
    expect(error).toBeInstanceOf(WorkerLoadError);
    const attempts = attemptsOf(error);
    expect(attempts.map(({ kind }) => kind)).toEqual(['url', 'factory', 'url', 'factory']);
    expect(attempts[0]).toMatchObject({
      source: '/nowhere/worker.js',
      reason: expect.stringContaining('could not be loaded'),
    });
    expect(attempts[1]!.reason).toContain('no luck at start');
    expect(attempts[2]!.reason).toMatch(/cannot be accessed from origin|could not be loaded/);
    expect(attempts[3]!.reason).toContain('within 1500 ms');
    expect(milliseconds).toBeLessThan(4 * 1500);
  });

  it('falls back to the inline worker', async () => {
    const client = await connectWorker({ launchers: [missing, inline] });
    opened.push(client);
    expect(client.kind).toBe('inline');
    expect(await client.call('add', [1, 2])).toBe(3);
  });

  it('inline text that is not a program', async () => {
    const broken = inlineLauncher(async () => 'this is no program');
    const { error } = await rejection(connectWorker({ launchers: [broken] }));
    expect(attemptsOf(error)[0]!.reason).toMatch(/SyntaxError|could not be loaded/);
  });

  /**
   * What the two ways give on a page whose policy for workers is `policy`. The inline text imports dynamically, as the detector's
   * worker does with its runtime: static imports of a worker fall under `worker-src` as well.
   */
  async function underPolicy(
    policy: string,
  ): Promise<{ kind?: string; sum?: number; attempts?: WorkerAttempt[] }> {
    const frame = document.createElement('iframe');
    const id = crypto.randomUUID();
    const client = new URL('../../src/client/index.ts', import.meta.url).href;
    const answer = new Promise<MessageEvent>((resolve) => {
      addEventListener('message', function listen(event) {
        if (event.data?.id !== id) return;
        removeEventListener('message', listen);
        resolve(event);
      });
    });
    frame.srcdoc = `<meta http-equiv="Content-Security-Policy" content="worker-src ${policy}">
      <script type="module">
        import { connectWorker, inlineLauncher, urlLauncher } from ${JSON.stringify(client)};
        const script = ${JSON.stringify(script)};
        const launchers = [
          urlLauncher(script + '?worker_file&type=module'),
          inlineLauncher(async () => 'import(' + JSON.stringify(script) + ')'),
        ];
        let answer;
        try {
          const worker = await connectWorker({ launchers, readyTimeout: 10_000 });
          answer = { kind: worker.kind, sum: await worker.call('add', [4, 5]) };
          worker.dispose();
        } catch (error) {
          answer = { name: error.name, attempts: error.details?.attempts, message: error.message };
        }
        parent.postMessage({ id: ${JSON.stringify(id)}, ...answer }, '*');
      </script>`;
    document.body.append(frame);
    const { data } = await answer;
    frame.remove();
    return data;
  }

  it("under worker-src 'self' the URL worker runs", async () => {
    expect(await underPolicy("'self'")).toMatchObject({ kind: 'url', sum: 9 });
  });

  it('under worker-src blob: the URL worker is blocked and the inline one runs', async () => {
    expect(await underPolicy('blob:')).toMatchObject({ kind: 'inline', sum: 9 });
  });

  it("under worker-src 'none' both are blocked and both are told", async () => {
    const { attempts, ...rest } = await underPolicy("'none'");
    expect(rest).toMatchObject({ name: 'WorkerLoadError' });
    expect(attempts!.map(({ kind }) => kind)).toEqual(['url', 'inline']);
    for (const { reason } of attempts!) expect(reason).not.toBe('');
  });
});
