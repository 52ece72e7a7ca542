/** torchvision in a Python process (`BOXOPS_PYTHON`, default `/usr/bin/python3`), as it comes or with recycled memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface MatchJob {
  readonly rule: 'retinanet' | 'rpn' | 'ssd';
  readonly anchors: Float32Array;
  readonly boxes: Float32Array;
}

export class TorchvisionPeer {
  #child: ChildProcess;
  #lines: AsyncIterator<string>;
  #folder = mkdtempSync(join(tmpdir(), 'boxops-bench-'));
  #files = new Map<Float32Array, string>();
  version = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  /**
   * Null where there is no Python with torchvision. `recycled`: glibc keeps freed memory instead of giving it back, so
   * that large results cost no page faults.
   */
  static async start(recycled: boolean): Promise<TorchvisionPeer | null> {
    const script = fileURLToPath(new URL('./torchvision_peer.py', import.meta.url));
    const keep = recycled
      ? { MALLOC_MMAP_THRESHOLD_: `${2 ** 32}`, MALLOC_TRIM_THRESHOLD_: `${2 ** 32}` }
      : {};
    const child = spawn(process.env.BOXOPS_PYTHON ?? '/usr/bin/python3', [script], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, OMP_NUM_THREADS: '1', ...keep },
    });
    child.on('error', () => {});
    const peer = new TorchvisionPeer(child);
    const { value, done } = await peer.#lines.next();
    if (done === true) return null;
    peer.version = (JSON.parse(value) as { torchvision: string }).torchvision;
    return peer;
  }

  /** Milliseconds of processor time a run, and the matches. */
  async measure({ rule, anchors, boxes }: MatchJob, budget: number) {
    const out = join(this.#folder, 'matches.bin');
    const request = { rule, anchors: this.#file(anchors), boxes: this.#file(boxes), budget, out };
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the Python peer ended');
    const { milliseconds } = JSON.parse(value) as { milliseconds: number };
    const bytes = readFileSync(out);
    return { milliseconds, matches: new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) };
  }

  #file(array: Float32Array): string {
    let path = this.#files.get(array);
    if (path === undefined) {
      path = join(this.#folder, `${this.#files.size}.bin`);
      writeFileSync(path, array);
      this.#files.set(array, path);
    }
    return path;
  }

  dispose(): void {
    this.#child.stdin!.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
