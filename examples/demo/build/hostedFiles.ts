/**
 * A Vite plugin: files from elsewhere in the project under fixed names of the page: served as they are in development,
 * emitted in a build. So the model, the clip and the runtime's wasm are hosted by the page itself, and copied nowhere.
 */
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';
import type { Plugin } from 'vite';

const types: Record<string, string> = {
  '.wasm': 'application/wasm',
  '.mjs': 'text/javascript',
  '.onnx': 'application/octet-stream',
};

/** `files` maps a path below the page's base, e.g. `ort/x.wasm`, to a file on disk. */
export function hostedFiles(files: Readonly<Record<string, string>>): Plugin {
  const serve = (request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const path = decodeURIComponent((request.url ?? '').split('?')[0]!).slice(1);
    const file = Object.hasOwn(files, path) ? files[path]! : undefined;
    if (file === undefined) {
      next();
      return;
    }
    if (!existsSync(file)) {
      response.writeHead(404).end(`${path} is not there`);
      return;
    }
    response.setHeader('Content-Type', types[extname(file)] ?? 'application/octet-stream');
    response.setHeader('Content-Length', statSync(file).size);
    response.setHeader('Cache-Control', 'no-cache');
    createReadStream(file).pipe(response);
  };
  return {
    name: 'boxops-demo-hosted-files',
    configureServer(server) {
      server.middlewares.use(serve);
    },
    generateBundle() {
      for (const [fileName, path] of Object.entries(files)) {
        this.emitFile({ type: 'asset', fileName, source: readFileSync(path) });
      }
    },
  };
}
