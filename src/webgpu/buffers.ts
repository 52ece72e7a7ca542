/**
 * Buffers by size class, used again by later calls: making one costs more than a small job.
 *
 * Work on a queue runs in order, so a buffer may be given back as soon as the commands that use it are submitted; only
 * what is mapped has to wait. Every buffer made is counted until it is destroyed.
 */

/** `GPUBufferUsage`, which Node has no global of: STORAGE, COPY_SRC and COPY_DST; MAP_READ and COPY_DST. */
const usages = { storage: 128 | 4 | 8, staging: 1 | 8 } as const;

/** Free bytes kept; what is given back beyond is destroyed. */
const keptBytes = 256 * 2 ** 20;

export type BufferKind = keyof typeof usages;

export interface BufferCounts {
  created: number;
  destroyed: number;
}

export class BufferPool {
  private readonly device: GPUDevice;
  private readonly counts: BufferCounts;
  private readonly free = new Map<string, GPUBuffer[]>();
  private readonly live = new Map<GPUBuffer, string>();
  private freeBytes = 0;
  private closed = false;

  constructor(device: GPUDevice, counts: BufferCounts) {
    this.device = device;
    this.counts = counts;
  }

  /** A buffer of at least `bytes`; its content is whatever the last user left. */
  acquire(kind: BufferKind, bytes: number): GPUBuffer {
    const size = this.sizeClass(bytes);
    const key = `${kind}${size}`;
    const kept = this.free.get(key)?.pop();
    if (kept === undefined) this.counts.created++;
    else this.freeBytes -= size;
    const buffer = kept ?? this.device.createBuffer({ size, usage: usages[kind] });
    this.live.set(buffer, key);
    return buffer;
  }

  /** Takes back what `acquire` gave; a second time does nothing. */
  release(buffer: GPUBuffer): void {
    const key = this.live.get(buffer);
    if (key === undefined) return;
    this.live.delete(buffer);
    if (this.closed || this.freeBytes + buffer.size > keptBytes) {
      this.destroy(buffer);
      return;
    }
    const others = this.free.get(key);
    if (others === undefined) this.free.set(key, [buffer]);
    else others.push(buffer);
    this.freeBytes += buffer.size;
  }

  /** Destroys what is kept: after a failed call, it may hold buffers that the device had no memory for. */
  drain(): void {
    for (const buffers of this.free.values()) for (const buffer of buffers) this.destroy(buffer);
    this.free.clear();
    this.freeBytes = 0;
  }

  /** Destroys every buffer, in use or not. */
  close(): void {
    this.closed = true;
    this.drain();
    for (const buffer of this.live.keys()) this.destroy(buffer);
    this.live.clear();
  }

  get liveCount(): number {
    return this.live.size;
  }

  get pooledCount(): number {
    let count = 0;
    for (const buffers of this.free.values()) count += buffers.length;
    return count;
  }

  get bytes(): number {
    let bytes = this.freeBytes;
    for (const { size } of this.live.keys()) bytes += size;
    return bytes;
  }

  private destroy(buffer: GPUBuffer): void {
    buffer.destroy();
    this.counts.destroyed++;
  }

  /** The next power of two, unless the device allows no buffer of that size. */
  private sizeClass(bytes: number): number {
    const size = 2 ** Math.ceil(Math.log2(Math.max(256, bytes)));
    return size <= this.device.limits.maxBufferSize ? size : 4 * Math.ceil(bytes / 4);
  }
}
