/**
 * What one worker does: a shard's images in, its files on disk, its counts back.
 *
 * A file appears under its name only when it is whole, and the shard's `.json` last, so a shard is done exactly when
 * that is there and says the hashes its files have.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stemOf } from '../../datasets/paths.ts';
import type { DatasetSlice } from '../../datasets/slice.ts';
import { DatasetError, OptionError } from '../../errors.ts';
import type { TargetConfig } from '../config.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import { type AnnotatedImage, imageOf } from '../image.ts';
import { TargetMaker } from '../maker.ts';
import type { ImagePredictions } from '../matching.ts';
import { TargetRows } from '../rows.ts';
import { type ShardFormat, shardBytes } from '../shard.ts';
import { type TargetCounts, TargetStatistics } from '../statistics.ts';

/** What is the same for every shard. */
export interface JobSettings {
  readonly config: TargetConfig;
  readonly dense: boolean;
  readonly formats: readonly ShardFormat[];
  readonly out: string;
  /** Shards there are. */
  readonly shards: number;
  /** Folder of the predictions, one `.safetensors` an image. */
  readonly predictions: string | null;
}

/** The images of one shard. */
export interface ShardTask {
  readonly index: number;
  readonly images: DatasetSlice;
}

export interface ShardFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The `.json` of a shard. */
export interface ShardRecord {
  readonly shard: number;
  readonly images: number;
  readonly files: readonly ShardFile[];
  readonly counts: TargetCounts;
}

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Name of a shard's file, e.g. `shard-00003.safetensors`. */
export const shardName = (index: number, extension: string): string =>
  `shard-${String(index).padStart(5, '0')}.${extension}`;

const partialSuffix = '.partial';

/** Whether a name is of a file that was being written when its run ended. */
export const isPartial = (name: string): boolean => name.endsWith(partialSuffix);

/** A file or folder that cannot be written: no space, no permission. */
function unwritable(path: string, cause: unknown): OptionError {
  const why = (cause as Error).message;
  return new OptionError(
    `cannot write ${path}: ${why}; what is there stays, the same call goes on`,
    { path },
    { cause },
  );
}

/** Writes under another name, then renames: what is there is whole. Jobs that write the same file do not meet. */
export function writeWhole(path: string, content: Uint8Array | string): void {
  // jobs of other machines may have the same process number
  const partial = `${path}.${randomUUID()}${partialSuffix}`;
  try {
    writeFileSync(partial, content);
  } catch (cause) {
    rmSync(partial, { force: true });
    throw unwritable(path, cause);
  }
  try {
    renameSync(partial, path);
  } catch (error) {
    // another job, done first, has written the same and cleaned up
    if (!existsSync(path)) throw error;
  }
}

/** Makes shards by one configuration. */
export class ShardJob {
  readonly #settings: JobSettings;
  readonly #maker: TargetMaker;
  readonly #rows = new TargetRows();

  constructor(settings: JobSettings) {
    this.#settings = settings;
    this.#maker = new TargetMaker(settings.config, { dense: settings.dense });
  }

  /** Makes one shard and writes it. */
  run(task: ShardTask): ShardRecord {
    const { formats, out, shards, dense } = this.#settings;
    const rows = this.#rows;
    const statistics = new TargetStatistics();
    rows.clear();
    for (let i = 0; i < task.images.fileNames.length; i++) {
      const image = imageOf(task.images, i);
      this.#maker.add(image, rows, statistics, this.#predictionsOf(image));
    }
    const files = formats.map((format): ShardFile => {
      const bytes = shardBytes(format, rows, { index: task.index, count: shards, dense });
      const name = shardName(task.index, format);
      writeWhole(join(out, name), bytes);
      return { name, bytes: bytes.length, sha256: sha256(bytes) };
    });
    const record: ShardRecord = {
      shard: task.index,
      images: rows.images,
      files,
      counts: statistics.counts(),
    };
    writeWhole(join(out, shardName(task.index, 'json')), `${JSON.stringify(record, null, 1)}\n`);
    return record;
  }

  #predictionsOf(image: AnnotatedImage): ImagePredictions | null {
    const { predictions } = this.#settings;
    return predictions === null ? null : readPredictions(predictions, image.fileName);
  }
}

/** Where the predictions of an image are; throws `DatasetError` where they are not. */
export function predictionsPath(folder: string, fileName: string): string {
  const stem = stemOf(fileName);
  const path = [stem, basename(stem)]
    .map((name) => join(folder, `${name}.safetensors`))
    .find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new DatasetError(
      `there are no predictions of ${fileName}: expected ${join(folder, `${stem}.safetensors`)}`,
      {
        fileName,
        folder,
      },
    );
  }
  return path;
}

/** The predictions of one image: `<folder>/<file name without extension>.safetensors` with `boxes` and `scores`. */
export function readPredictions(folder: string, fileName: string): ImagePredictions {
  const path = predictionsPath(folder, fileName);
  const { tensors } = readSafetensors(readFileSync(path));
  const float32 = (name: string): Float32Array<ArrayBuffer> => {
    const data = tensors[name]?.data;
    if (data instanceof Float32Array) return data;
    throw new DatasetError(
      `${path}: expected float32 '${name}', got ${data === undefined ? `tensors ${Object.keys(tensors).join(', ')}` : data.constructor.name}`,
      { path, name },
    );
  };
  return { boxes: float32('boxes'), scores: float32('scores') };
}
