/** What a worker thread offers: settle the job once, then make shards. */
import type { WorkerMethods } from '../../client/index.ts';
import { OptionError } from '../../errors.ts';
import { type JobSettings, ShardJob, type ShardTask } from './job.ts';

export function targetMethods(): WorkerMethods {
  let job: ShardJob | null = null;
  return {
    settle(settings: JobSettings) {
      job = new ShardJob(settings);
    },
    shard(task: ShardTask) {
      if (job === null) throw new OptionError('settle the job before its shards');
      return job.run(task);
    },
  };
}
