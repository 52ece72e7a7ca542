/** Shards over worker threads, one at a time each; with one worker they are made in this thread. */
import { connectWorker, threadLauncher, type WorkerClient } from '../../client/index.ts';
import { type JobSettings, ShardJob, type ShardRecord, type ShardTask } from './job.ts';

export interface PoolOptions {
  readonly workers: number;
  /** Where the worker's entry is; default: beside this module in the built package. */
  readonly workerUrl?: string | URL;
  readonly signal?: AbortSignal;
  readonly onShard: (record: ShardRecord) => void;
}

/** Makes the shards whose tasks `next` gives until it gives none; the first failure ends everything. */
export async function runShards(
  settings: JobSettings,
  next: () => ShardTask | null,
  options: PoolOptions,
): Promise<void> {
  if (options.workers <= 1) return runHere(settings, next, options);
  // name and place are not in the expression: bundlers for the browser would copy the file, or warn
  const [name, here] = ['./worker-targets.js', import.meta.url];
  const url = options.workerUrl ?? new URL(name, here);
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal]);
  const clients: WorkerClient[] = [];
  const work = async (): Promise<void> => {
    const launcher = threadLauncher(url);
    const client = await connectWorker({ launchers: [launcher], signal });
    clients.push(client);
    await client.call('settle', settings, { signal });
    for (let task = next(); task !== null; task = next()) {
      const record = await client.call<ShardRecord>('shard', task, { signal, transfer: buffersOf(task) });
      options.onShard(record);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.workers }, work));
  } catch (error) {
    stop.abort(error);
    throw error;
  } finally {
    for (const client of clients) client.dispose();
  }
}

async function runHere(
  settings: JobSettings,
  next: () => ShardTask | null,
  { signal, onShard }: PoolOptions,
): Promise<void> {
  const job = new ShardJob(settings);
  for (let task = next(); task !== null; task = next()) {
    signal?.throwIfAborted();
    onShard(job.run(task));
    // progress bars and signals get their turn
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const buffersOf = (task: ShardTask): ArrayBuffer[] =>
  Object.values(task.images).flatMap((value) =>
    ArrayBuffer.isView(value) ? [value.buffer as ArrayBuffer] : [],
  );
