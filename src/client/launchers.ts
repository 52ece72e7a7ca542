/**
 * Ways to start a worker that the caller names by URL, by source text, or by a function.
 */
import { UnsupportedError } from '../errors.ts';
import type { WorkerLauncher } from './connect.ts';

function webWorker(): typeof Worker {
  const scope: { Worker?: typeof Worker } = globalThis;
  if (scope.Worker === undefined) throw new UnsupportedError('this place has no web workers');
  return scope.Worker;
}

/** A module worker from a URL of the page's origin. */
export function urlLauncher(url: string | URL): WorkerLauncher {
  return {
    kind: 'url',
    source: String(url),
    start: () => new (webWorker())(url, { type: 'module' }),
  };
}

/**
 * A module worker from source text, through a `blob:` URL. The text must be self-contained: relative and bare imports
 * do not resolve inside it. Needs `worker-src blob:` where the page has a content policy.
 *
 * @param load gives the text; called only when this way is tried, so it may import it
 */
export function inlineLauncher(load: () => Promise<string>): WorkerLauncher {
  return {
    kind: 'inline',
    source: 'blob',
    async start() {
      const Web = webWorker();
      const url = URL.createObjectURL(new Blob([await load()], { type: 'text/javascript' }));
      const worker = new Web(url, { type: 'module' });
      // The URL may go once the script was fetched; any word from the worker, or its failure, says that.
      const release = () => URL.revokeObjectURL(url);
      worker.addEventListener('message', release, { once: true });
      worker.addEventListener('error', release, { once: true });
      return worker;
    },
  };
}

/** The caller's own function; it may be asynchronous, and give a `Worker` (web or worker_threads) or a `MessagePort`. */
export function factoryLauncher(create: () => unknown): WorkerLauncher {
  return { kind: 'factory', source: create.name, start: create };
}

/** The part of Node that starts threads, structurally. */
interface ThreadModule {
  readonly Worker: new (
    url: URL | string,
    options?: { readonly name?: string; readonly execArgv?: string[] },
  ) => unknown;
}

/** A worker_threads worker from a file URL. */
export function threadLauncher(url: string | URL): WorkerLauncher {
  return {
    kind: 'node',
    source: String(url),
    start() {
      const host: { process?: { getBuiltinModule?(name: string): unknown } } = globalThis;
      // Not an import: a bundler for the browser would stumble over the `node:` scheme.
      const threads = host.process?.getBuiltinModule?.('node:worker_threads') as ThreadModule | undefined;
      if (threads === undefined) throw new UnsupportedError('this place has no worker_threads');
      // The parent's flags are not for it: `--input-type`, say, would make it fail.
      return new threads.Worker(new URL(url), { name: 'boxops', execArgv: [] });
    },
  };
}

/** Whether this is Node (or Bun, or Deno in its likeness) rather than a browser. */
export function isNode(): boolean {
  const host: { process?: { versions?: { node?: string } }; Worker?: unknown; window?: unknown } = globalThis;
  return host.process?.versions?.node !== undefined && host.window === undefined;
}
