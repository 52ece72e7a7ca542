/**
 * Which platform this thread runs on, and Node's own modules where it is Node.
 *
 * Node's modules are asked of `process`, not imported: no bundler for the browser meets their names.
 */

interface NodeProcess {
  readonly versions?: { readonly node?: string };
  getBuiltinModule?(name: string): unknown;
}

const nodeProcess = (globalThis as { process?: NodeProcess }).process;

/** True in Node (and in what calls itself Node), false in a browser page or worker. */
export function isNode(): boolean {
  return (
    typeof nodeProcess?.versions?.node === 'string' && typeof nodeProcess.getBuiltinModule === 'function'
  );
}

/** A built-in module of Node, e.g. `nodeModule<typeof import('node:fs/promises')>('node:fs/promises')`. */
export function nodeModule<T>(name: string): T {
  return nodeProcess?.getBuiltinModule?.(name) as T;
}
