/**
 * Builds the demo page with Vite and serves it, for `npm start`, the tests and the benches; alone:
 * `npx tsx scripts/serve-demo.ts [port]`. To work on the page itself, `npx vite examples/demo` reloads as files change.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';

export interface ServedDemo {
  /** Address of the page, ending in a slash. */
  readonly url: string;
  close(): Promise<void>;
}

export interface ServeDemoOptions {
  /** Default 5173; when it is taken, the next free one. 0 takes any free port. */
  readonly port?: number;
  /** Default true; a trace of the unminified page names its functions. */
  readonly minify?: boolean;
}

export async function serveDemo({ port = 5173, minify = true }: ServeDemoOptions = {}): Promise<ServedDemo> {
  const root = fileURLToPath(new URL('../examples/demo/', import.meta.url));
  // a folder of its own, so that two of these never write into each other's page
  const outDir = mkdtempSync(join(tmpdir(), 'boxops-demo-'));
  const remove = () => rmSync(outDir, { recursive: true, force: true });
  const end = (signal: NodeJS.Signals) => {
    remove();
    process.kill(process.pid, signal);
  };
  process.once('exit', remove).once('SIGINT', end).once('SIGTERM', end);
  const shared = { root, configFile: `${root}vite.config.ts`, logLevel: 'error' } as const;
  await build({ ...shared, build: { outDir, emptyOutDir: true, minify } });
  const server = await preview({
    ...shared,
    build: { outDir },
    preview: { port, host: '127.0.0.1' },
  });
  const close = async () => {
    await server.close();
    process.off('exit', remove).off('SIGINT', end).off('SIGTERM', end);
    remove();
  };
  const url = server.resolvedUrls?.local[0];
  if (url === undefined) {
    await close();
    throw new Error('the demo server has no address');
  }
  return { url, close };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const port = process.argv[2];
  const { url } = await serveDemo(port === undefined ? {} : { port: Number(port) });
  process.stdout.write(`the demo is at ${url}\n`);
}
