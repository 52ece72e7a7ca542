/** The `.json` of a shard: written last, so it says what is done. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ShardFormat } from '../shard.ts';
import { type ShardRecord, sha256, shardName } from './job.ts';

/** Lists every shard with its files, and the counts of all; there when everything is done. */
export const indexName = 'index.json';

/** A shard's record, or null where there is none that can be read. */
export function readRecord(out: string, index: number): ShardRecord | null {
  const path = join(out, shardName(index, 'json'));
  if (!existsSync(path)) return null;
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as ShardRecord;
    return record.shard === index && Array.isArray(record.files) ? record : null;
  } catch {
    return null;
  }
}

/** Whether the shard's files are there and are those the record describes. */
export function isDone(out: string, record: ShardRecord, formats: readonly ShardFormat[]): boolean {
  return formats.every((format) => {
    const file = record.files.find(({ name }) => name === shardName(record.shard, format));
    if (file === undefined) return false;
    const path = join(out, file.name);
    if (!existsSync(path)) return false;
    const bytes = readFileSync(path);
    return bytes.length === file.bytes && sha256(bytes) === file.sha256;
  });
}
