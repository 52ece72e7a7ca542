/**
 * A dataset's targets as shards on disk.
 *
 * The output depends on the dataset, the configuration and the seed alone: not on the number of workers, on how the
 * shards are divided among jobs, nor on how often the work was interrupted.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Size } from '../../boxes/types.ts';
import { type Dataset, type SlicedDataset, slicedDataset } from '../../datasets/index.ts';
import { OptionError, UnsupportedError } from '../../errors.ts';
import { version } from '../../version.ts';
import { type TargetConfig, targetConfig } from '../config.ts';
import { inputTransform } from '../input.ts';
import { TargetMaker } from '../maker.ts';
import { needsPredictions } from '../matching.ts';
import { type ShardFormat, shardFormats } from '../shard.ts';
import { type TargetCounts, TargetStatistics } from '../statistics.ts';
import { isPartial, predictionsPath, type ShardRecord, shardName, writeWhole } from './job.ts';
import { checkManifest, makeManifest, manifestName, readManifest, type TargetManifest } from './manifest.ts';
import { runShards } from './pool.ts';
import { priorsFile } from './priors-file.ts';
import { indexName, isDone, readRecord } from './records.ts';

export interface WriteTargetsOptions {
  /** In memory, or slices: one slice is a shard then, and `imagesPerShard` is the slices'. */
  readonly dataset: Dataset | SlicedDataset;
  /** A full configuration, or what a configuration file holds. */
  readonly config: unknown;
  /** Folder for the shards; one that holds an interrupted run of the same targets goes on. */
  readonly out: string;
  /** Default `['safetensors']`. */
  readonly formats?: readonly ShardFormat[];
  /** Every prior gets a row. Default false: positive and ignored ones, and sampled negatives. */
  readonly dense?: boolean;
  /** Default 256, dense 16. */
  readonly imagesPerShard?: number;
  /** Threads; default: as many as the machine runs at once. */
  readonly workers?: number;
  /** Makes only the shards whose number leaves `index` when divided by `count`: jobs of a cluster share the work. */
  readonly shard?: { readonly index: number; readonly count: number };
  /** Folder with what a network predicts: needed by matchers that depend on it (`needsPredictions`). */
  readonly predictions?: string;
  /** Written into the manifest. Default: boxops' own. */
  readonly version?: string;
  readonly workerUrl?: string | URL;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TargetProgress) => void;
}

export interface TargetProgress {
  /** Images of this job that are done, and of those that were there already. */
  readonly done: number;
  readonly resumed: number;
  readonly total: number;
}

export interface TargetSummary {
  readonly manifest: TargetManifest;
  /** Whether all shards of all jobs are there; then there is an index. */
  readonly complete: boolean;
  readonly written: number;
  readonly resumed: number;
  /** Counts of this job's shards. */
  readonly counts: TargetCounts;
}

/** Default images a shard; a dense image is a few megabytes. */
export const defaultImagesPerShard = (dense: boolean): number => (dense ? 16 : 256);

/**
 * Writes targets and says what was made.
 *
 * Throws `OptionError` on a wrong configuration or a folder with other targets, `UnsupportedError` where the matcher
 * needs predictions that are not named, and what a shard threw.
 */
export async function writeTargets(options: WriteTargetsOptions): Promise<TargetSummary> {
  const { out, dense = false, shard = { index: 0, count: 1 }, signal } = options;
  const config = targetConfig(options.config);
  checkOptions(options, config);
  const dataset =
    'slice' in options.dataset
      ? options.dataset
      : slicedDataset(options.dataset, options.imagesPerShard ?? defaultImagesPerShard(dense));
  const imagesPerShard = dataset.imagesPerSlice;
  checkSizes(dataset);
  const formats = shardFormats.filter((format) => (options.formats ?? ['safetensors']).includes(format));
  const priors = inputSizes(dataset, config);
  if (dataset.images > 0) {
    // before anything is written: a folder begun with a wrong configuration would be in the way of the right one
    new TargetMaker(config, { dense }).check(inputTransform(config.input, dataset.sizeOf(0)).target);
  }
  if (options.predictions !== undefined) checkPredictions(dataset, options.predictions);
  const manifest = makeManifest({
    dataset,
    config,
    dense,
    formats,
    priors,
    predictions: options.predictions ?? null,
    version: options.version ?? version(),
  });
  prepare(out, manifest);
  for (const size of priors ?? []) {
    const { name, bytes } = priorsFile(config, size);
    if (!existsSync(join(out, name))) writeWhole(join(out, name), bytes());
  }

  const own = Array.from({ length: manifest.shards }, (_, i) => i).filter(
    (index) => index % shard.count === shard.index,
  );
  const statistics = new TargetStatistics();
  const imagesOf = (index: number): number =>
    Math.min(imagesPerShard, dataset.images - index * imagesPerShard);
  const total = own.reduce((sum, index) => sum + imagesOf(index), 0);
  const pending: number[] = [];
  let resumed = 0;
  for (const index of own) {
    const record = readRecord(out, index);
    if (record !== null && isDone(out, record, formats)) {
      statistics.merge(record.counts);
      resumed += record.images;
    } else pending.push(index);
  }
  let done = resumed;
  const report = (): void => options.onProgress?.({ done, resumed, total });
  report();
  let at = 0;
  await runShards(
    { config, dense, formats, out, shards: manifest.shards, predictions: options.predictions ?? null },
    () => {
      const index = pending[at++];
      return index === undefined ? null : { index, images: dataset.slice(index) };
    },
    {
      workers: Math.min(options.workers ?? availableParallelism(), Math.max(1, pending.length)),
      ...(options.workerUrl === undefined ? {} : { workerUrl: options.workerUrl }),
      ...(signal === undefined ? {} : { signal }),
      onShard: (record) => {
        statistics.merge(record.counts);
        done += record.images;
        report();
      },
    },
  );
  return {
    manifest,
    complete: writeIndex(out, manifest, formats),
    written: pending.length,
    resumed: own.length - pending.length,
    counts: statistics.counts(),
  };
}

function checkOptions(options: WriteTargetsOptions, config: TargetConfig): void {
  const { dataset, shard, imagesPerShard, workers, formats } = options;
  if (typeof dataset !== 'object' || dataset === null || !('slice' in dataset || 'annotations' in dataset)) {
    throw new OptionError(
      `dataset: expected a dataset (what readDataset gives as 'dataset') or slices of one`,
    );
  }
  if (needsPredictions(config) && options.predictions === undefined) {
    throw new UnsupportedError(
      `the matcher '${config.matcher.kind}' matches by what a network predicts: name the folder of its predictions (--predictions)`,
      { matcher: config.matcher.kind },
    );
  }
  if (
    formats !== undefined &&
    !(formats.length > 0 && formats.every((name) => shardFormats.includes(name)))
  ) {
    const names = shardFormats.join(', ');
    throw new OptionError(`formats: expected a list of ${names}, got [${formats.join(', ')}]`, { formats });
  }
  const { predictions } = options;
  if (predictions !== undefined && !statSync(predictions, { throwIfNoEntry: false })?.isDirectory()) {
    throw new OptionError(`there is no folder of predictions ${predictions}`, { predictions });
  }
  for (const [name, value] of Object.entries({ imagesPerShard, workers })) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw new OptionError(`${name} must be a whole number above 0, got ${value}`, { [name]: value });
    }
  }
  const { index = 0, count = 1 } = shard ?? {};
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(count) && index >= 0 && index < count)) {
    throw new OptionError(`expected a shard 0 … count − 1 of count, got ${index} of ${count}`, {
      index,
      count,
    });
  }
}

function checkSizes(dataset: SlicedDataset): void {
  for (let image = 0; image < dataset.images; image++) {
    const { width, height } = dataset.sizeOf(image);
    if (width > 0 && height > 0) continue;
    throw new OptionError(`the size of image ${image} is not known, got ${width}×${height}`, { image });
  }
}

/** Throws where an image has no predictions: a folder begun without them would be in the way of the same call with them. */
function checkPredictions(dataset: SlicedDataset, folder: string): void {
  for (let index = 0; index * dataset.imagesPerSlice < dataset.images; index++) {
    for (const fileName of dataset.slice(index).fileNames) predictionsPath(folder, fileName);
  }
}

/** More sizes of input than this have no priors file each: a reader makes the ones it needs. */
const mostPriorFiles = 16;

/** The sizes of input that occur, or null where priors are predicted or the sizes are too many. */
function inputSizes(dataset: SlicedDataset, config: TargetConfig): Size[] | null {
  if (config.priors.kind === 'queries') return null;
  const sizes = new Map<string, Size>();
  for (let image = 0; image < dataset.images; image++) {
    const { target } = inputTransform(config.input, dataset.sizeOf(image));
    sizes.set(`${target.width}×${target.height}`, target);
    if (sizes.size > mostPriorFiles) return null;
  }
  return [...sizes.values()].sort((a, b) => a.width - b.width || a.height - b.height);
}

/** Makes the folder, or checks that it holds the same targets. */
function prepare(out: string, manifest: TargetManifest): void {
  try {
    mkdirSync(out, { recursive: true });
  } catch (cause) {
    throw new OptionError(`cannot make the folder ${out}: ${(cause as Error).message}`, { out }, { cause });
  }
  const path = join(out, manifestName);
  // listed first: another job of the same targets may begin now, and its manifest comes before all else
  const others = readdirSync(out).filter((name) => !isPartial(name));
  if (existsSync(path)) {
    checkManifest(readManifest(path), manifest, out);
    return;
  }
  if (others.length > 0) {
    throw new OptionError(
      `${out} holds something else (${others.slice(0, 3).join(', ')}): name another folder`,
    );
  }
  writeWhole(path, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Writes the index once every shard of every job is there, and removes what interrupted runs left. */
function writeIndex(out: string, manifest: TargetManifest, formats: readonly ShardFormat[]): boolean {
  const records: ShardRecord[] = [];
  const statistics = new TargetStatistics();
  for (let index = 0; index < manifest.shards; index++) {
    const record = readRecord(out, index);
    if (record === null || !formats.every((format) => existsSync(join(out, shardName(index, format))))) {
      return false;
    }
    records.push(record);
    statistics.merge(record.counts);
  }
  const shards = records.map(({ shard, images, files, counts }) => ({
    shard,
    images,
    rows: counts.rows,
    files,
  }));
  writeWhole(join(out, indexName), `${JSON.stringify({ shards, counts: statistics.counts() }, null, 1)}\n`);
  for (const name of readdirSync(out)) if (isPartial(name)) rmSync(join(out, name), { force: true });
  return true;
}
