/**
 * Where downloaded models are kept: Cache Storage in a browser (the option names the cache), a folder in Node.
 *
 * A cache is a convenience: one that cannot be opened, read or written (private windows, full disks) is as good as
 * none, so its failures are not errors. Entries are keyed by URL and never expire; a new version needs a new URL.
 */
import { isNode, nodeModule } from './platform.ts';

export interface ModelCache {
  /** The stored bytes, or undefined. */
  get(url: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Stores complete bytes. */
  put(url: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** The cache called `name`: a folder path in Node, a cache name in a browser; undefined where there is none. */
export function openModelCache(name: string): ModelCache | undefined {
  if (isNode()) return folderCache(name);
  return typeof caches === 'undefined' ? undefined : storageCache(name);
}

function storageCache(name: string): ModelCache {
  return {
    async get(url) {
      try {
        const found = await (await caches.open(name)).match(url);
        return found === undefined ? undefined : new Uint8Array(await found.arrayBuffer());
      } catch {
        return undefined;
      }
    },
    async put(url, bytes) {
      try {
        const headers = {
          'content-type': 'application/octet-stream',
          'content-length': String(bytes.length),
        };
        await (await caches.open(name)).put(url, new Response(bytes, { headers }));
      } catch {
        // not kept: the next start downloads again
      }
    },
  };
}

function folderCache(folder: string): ModelCache {
  const files = nodeModule<typeof import('node:fs/promises')>('node:fs/promises');
  const { join } = nodeModule<typeof import('node:path')>('node:path');
  const { createHash, randomUUID } = nodeModule<typeof import('node:crypto')>('node:crypto');
  const pathOf = (url: string) => join(folder, `${createHash('sha256').update(url).digest('hex')}.onnx`);
  return {
    async get(url) {
      try {
        return Uint8Array.from(await files.readFile(pathOf(url)));
      } catch {
        return undefined;
      }
    },
    async put(url, bytes) {
      const path = pathOf(url);
      const unfinished = `${path}.${randomUUID()}.part`;
      try {
        await files.mkdir(folder, { recursive: true });
        // renamed when complete, so that a reader never sees half a file
        await files.writeFile(unfinished, bytes);
        await files.rename(unfinished, path);
      } catch {
        await files.rm(unfinished, { force: true }).catch(() => undefined);
      }
    },
  };
}
