/**
 * Turns an embedded kernel module into a running instance, synchronously, on first use.
 *
 * A wasm memory only grows, so an instance that grew past {@link MEMORY_CEILING} is dropped after the call: one huge
 * input does not hold its memory for ever. Callers copy results out; no view of kernel memory leaves this folder.
 */

/** Bytes an idle instance may hold. */
const MEMORY_CEILING = 64 * 1024 * 1024;

/** The smallest module that uses a SIMD instruction: `(func (drop (i32x4.splat (i32.const 0))))`. */
const probe = '$}+}=}7%$$$%)%}*$$(&%$/.%,$g$!6?0';

let available: boolean | undefined;

/** Whether wasm with SIMD may be compiled here. */
export function simdAvailable(): boolean {
  if (available === undefined) {
    try {
      new WebAssembly.Module(bytesOf(probe));
      available = true;
    } catch {
      // No engine support, or a policy that refuses wasm: the JavaScript twins run.
      available = false;
    }
  }
  return available;
}

/** A kernel family: compiled once, instantiated when needed. */
export class KernelModule<Exports extends { readonly memory: WebAssembly.Memory }> {
  readonly #text: string;
  readonly #env: Readonly<Record<string, (...values: number[]) => number>>;
  #module: WebAssembly.Module | undefined;
  #exports: Exports | undefined;

  constructor(text: string, env: Readonly<Record<string, (...values: number[]) => number>> = {}) {
    this.#text = text;
    this.#env = env;
  }

  /** The instance's exports. */
  get exports(): Exports {
    if (this.#exports === undefined) {
      this.#module ??= new WebAssembly.Module(bytesOf(this.#text));
      const instance = new WebAssembly.Instance(this.#module, { env: this.#env });
      this.#exports = instance.exports as unknown as Exports;
    }
    return this.#exports;
  }

  /** To be called when a call is done: drops an instance that grew too large. */
  release(): void {
    if (this.#exports !== undefined && this.#exports.memory.buffer.byteLength > MEMORY_CEILING) this.drop();
  }

  /** Forgets the instance, after a trap for example; the next use starts a fresh one. */
  drop(): void {
    this.#exports = undefined;
  }
}

/** Undoes the encoding of `scripts/kernels.ts`. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  let shift = -4;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const rank = code - (code > 92 ? 34 : code > 39 ? 33 : 32);
    if (rank > 90) shift += 91 * (rank - 90);
    else {
      bytes[length++] = rank + shift;
      shift = -4;
    }
  }
  return bytes.slice(0, length);
}
