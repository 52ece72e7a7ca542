/** Peers in a Python process (`BOXOPS_PYTHON`, default `/usr/bin/python3`): torchvision, and OpenCV where it is installed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BenchSet, Peer, Sample } from './peer.ts';

export class Python {
  #child: ChildProcess;
  #lines: AsyncIterator<string>;
  #folder = mkdtempSync(join(tmpdir(), 'boxops-bench-'));
  #files = new Map<object, string>();
  versions: { torchvision: string | false; opencv: string | false } = { torchvision: false, opencv: false };

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child;
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** Null where there is no Python with what the script imports. */
  static async start(
    script = new URL('./python_peers.py', import.meta.url),
    environment: Readonly<Record<string, string>> = {},
    executable = process.env.BOXOPS_PYTHON ?? '/usr/bin/python3',
  ): Promise<Python | null> {
    const child = spawn(executable, [fileURLToPath(script)], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, OMP_NUM_THREADS: '1', ...environment },
    });
    child.on('error', () => {});
    const python = new Python(child, createInterface({ input: child.stdout! }));
    const { value, done } = await python.#lines.next();
    if (done === true) return null;
    python.versions = JSON.parse(value);
    return python;
  }

  async ask<T = Sample>(request: object): Promise<T> {
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the Python peer ended');
    return JSON.parse(value) as T;
  }

  /** Path of a file for the process to write. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Path of a file that holds the array. */
  file(array: Float32Array | Int32Array): string {
    let path = this.#files.get(array);
    if (path === undefined) {
      path = join(this.#folder, `${this.#files.size}.bin`);
      writeFileSync(path, array);
      this.#files.set(array, path);
    }
    return path;
  }

  peer(name: 'torchvision' | 'opencv', exact = true): Peer {
    const label = name === 'torchvision' && !exact ? 'torchvision batched_nms' : name;
    return {
      name: `${label} ${this.versions[name]}`,
      measure: (sets: readonly BenchSet[], budget) =>
        this.ask({
          peer: name,
          exact,
          budget,
          sets: sets.map((set) => ({
            boxes: this.file(set.boxes),
            scores: this.file(set.scores),
            classIds: set.classIds === undefined ? null : this.file(set.classIds),
            threshold: set.threshold,
          })),
        }),
    };
  }

  dispose(): void {
    this.#child.stdin!.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
