/**
 * The device a BatchIou works on: requested or injected, watched for its loss, made anew once if asked.
 *
 * An injected device is never destroyed. What waits for the GPU waits through `guard`, so that a loss or `dispose()`
 * settles it at once; a race against `device.lost` would grow that promise's list of listeners with every call.
 */
import {
  type BoxopsError,
  DeviceLostError,
  DisposedError,
  OptionError,
  UnsupportedError,
} from '../errors.ts';
import { type BufferCounts, BufferPool } from './buffers.ts';
import { PipelineCache } from './pipelines.ts';
import type { BatchIouOptions } from './types.ts';

export class DeviceSession {
  readonly device: GPUDevice;
  readonly pool: BufferPool;
  readonly pipelines: PipelineCache;
  /** Why nothing more can be done with it. */
  failure: BoxopsError | null = null;
  private readonly owned: boolean;
  private readonly waiting = new Set<(reason: BoxopsError) => void>();

  constructor(device: GPUDevice, owned: boolean, counts: BufferCounts) {
    this.device = device;
    this.owned = owned;
    this.pool = new BufferPool(device, counts);
    this.pipelines = new PipelineCache(device);
  }

  /** The promise, rejected when the device goes away first. */
  guard<T>(promise: Promise<T>): Promise<T> {
    if (this.failure !== null) {
      promise.catch(() => {});
      return Promise.reject(this.failure);
    }
    return new Promise<T>((resolve, reject) => {
      this.waiting.add(reject);
      promise.then(
        (value) => {
          this.waiting.delete(reject);
          if (this.failure === null) resolve(value);
          else reject(this.failure);
        },
        (error: unknown) => {
          // Work on a lost device fails a moment before the loss is announced: give that a moment to come.
          setTimeout(() => {
            this.waiting.delete(reject);
            reject(this.failure ?? error);
          }, 50);
        },
      );
    });
  }

  /** Ends it: waiting calls get `failure`, buffers are destroyed, and an own device too. */
  close(failure: BoxopsError): void {
    if (this.failure !== null) return;
    this.failure = failure;
    for (const reject of this.waiting) reject(failure);
    this.waiting.clear();
    this.pool.close();
    if (this.owned) this.device.destroy();
  }
}

export class DeviceKeeper {
  readonly counts: BufferCounts = { created: 0, destroyed: 0 };
  /** Devices worked on so far. */
  devices = 0;
  current: DeviceSession | null = null;
  private readonly options: BatchIouOptions;
  private next: Promise<DeviceSession> | null = null;
  private disposed = false;

  constructor(options: BatchIouOptions) {
    this.options = options;
    if (options.device !== undefined && options.recreate === true) {
      throw new OptionError(
        'recreate: true cannot replace a given device; pass a function that provides one',
      );
    }
  }

  /** Opens the first device. */
  async open(): Promise<void> {
    const { device } = this.options;
    if (device === undefined) this.watch(await this.request(this.options.adapter as GPUAdapter), true);
    else if ((device as GPUDevice | null)?.lost === undefined) {
      throw new OptionError('device: expected a GPUDevice; await a promise of one');
    } else this.watch(device as GPUDevice, false);
  }

  /** The device to work on; after a loss a new one, if one was asked for and not yet made. */
  async session(): Promise<DeviceSession> {
    this.check();
    const { current } = this;
    if (current !== null && current.failure === null) return current;
    if (this.next !== null) {
      const next = await this.next;
      if (next.failure !== null) throw next.failure;
      return next;
    }
    const { recreate = false } = this.options;
    if (recreate === false) throw current!.failure!;
    this.next = this.again(recreate);
    return this.next;
  }

  /** Whether a lost device would be replaced: none was yet. */
  get recreates(): boolean {
    return (this.options.recreate ?? false) !== false && this.next === null;
  }

  check(): void {
    if (this.disposed) throw new DisposedError('this BatchIou was disposed of');
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.current?.close(new DisposedError('this BatchIou was disposed of during the call'));
  }

  private async again(recreate: true | (() => Promise<unknown>)): Promise<DeviceSession> {
    try {
      const device = recreate === true ? await this.request() : ((await recreate()) as GPUDevice);
      return this.watch(device, recreate === true);
    } catch (cause) {
      if (cause instanceof DisposedError) throw cause;
      throw new DeviceLostError('the GPU device was lost and no new one could be made', {}, { cause });
    }
  }

  private watch(device: GPUDevice, owned: boolean): DeviceSession {
    if (this.disposed) {
      if (owned) device.destroy();
      this.check();
    }
    this.devices++;
    const session = new DeviceSession(device, owned, this.counts);
    this.current = session;
    device.lost.then(({ reason, message }) => {
      if (session.failure !== null) return;
      session.close(
        new DeviceLostError(`the GPU device was lost: ${message === '' ? reason : message}`, { reason }),
      );
      this.options.onLost?.(reason);
    });
    return session;
  }

  private async request(given?: GPUAdapter): Promise<GPUDevice> {
    const { powerPreference } = this.options;
    const gpu = (this.options.gpu ?? globalThis.navigator?.gpu) as GPU | undefined;
    if (given === undefined && gpu === undefined) {
      throw new UnsupportedError(
        'WebGPU is not available here: navigator.gpu is missing (it needs a secure context; in Node pass `gpu`)',
      );
    }
    const adapter =
      given ?? (await gpu!.requestAdapter?.(powerPreference === undefined ? {} : { powerPreference }));
    if (!adapter) throw new UnsupportedError('WebGPU has no adapter here');
    try {
      const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
      return await adapter.requestDevice({
        label: 'boxops',
        requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
      });
    } catch (cause) {
      throw new UnsupportedError(`the adapter gave no device: ${(cause as Error).message}`, {}, { cause });
    }
  }
}
