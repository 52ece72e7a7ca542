/** Serves the demo page with Vite, for `npm start`, the tests and the benches; `npx tsx scripts/serve-demo.ts [port]` alone. */
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

export interface ServedDemo {
  /** Address of the page, ending in a slash. */
  readonly url: string;
  close(): Promise<void>;
}

export interface ServeDemoOptions {
  /** Default 5173; when it is taken, the next free one. 0 takes any free port. */
  readonly port?: number;
}

export async function serveDemo({ port = 5173 }: ServeDemoOptions = {}): Promise<ServedDemo> {
  const root = fileURLToPath(new URL('../examples/demo/', import.meta.url));
  const server = await createServer({
    root,
    configFile: `${root}vite.config.ts`,
    logLevel: 'error',
    clearScreen: false,
    // a page in use must not reload because a file of the project changed; `npx vite examples/demo` does
    server: { port, host: '127.0.0.1', watch: null },
  });
  await server.listen();
  const url = server.resolvedUrls?.local[0];
  if (url === undefined) {
    await server.close();
    throw new Error('the demo server has no address');
  }
  return { url, close: () => server.close() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const port = process.argv[2];
  const { url } = await serveDemo(port === undefined ? {} : { port: Number(port) });
  process.stdout.write(`the demo is at ${url}\n`);
}
