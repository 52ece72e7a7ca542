/** `manifest.json`: everything the shards depend on, so that nothing else is mistaken for them. */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Size } from '../../boxes/types.ts';
import type { SlicedDataset } from '../../datasets/index.ts';
import { OptionError } from '../../errors.ts';
import type { TargetConfig } from '../config.ts';
import { imageOf } from '../image.ts';
import { layoutVersion, type ShardFormat } from '../shard.ts';
import { sha256 } from './job.ts';
import { priorsFile } from './priors-file.ts';

export const manifestName = 'manifest.json';

export interface TargetManifest {
  readonly format: 'boxops-targets';
  /** Of the layout of the shards. */
  readonly layout: number;
  readonly boxops: string;
  readonly config: TargetConfig;
  readonly configHash: string;
  readonly datasetHash: string;
  /** Of the names, lengths and samples of the predictions, or null. */
  readonly predictionsHash: string | null;
  readonly seed: number;
  readonly dense: boolean;
  readonly formats: readonly ShardFormat[];
  readonly imagesPerShard: number;
  readonly shards: number;
  readonly images: number;
  readonly annotations: number;
  /** Names by label. */
  readonly categories: readonly string[];
  /** What a prior without a row is: background, or (sampled) not used. */
  readonly unlisted: 'background' | 'unused' | 'none';
  /** Files with the priors, one a size of input; null where they are predicted or of too many sizes. */
  readonly priors: readonly { readonly input: readonly [number, number]; readonly file: string }[] | null;
}

export interface ManifestInput {
  readonly dataset: SlicedDataset;
  readonly config: TargetConfig;
  readonly dense: boolean;
  readonly formats: readonly ShardFormat[];
  readonly priors: readonly Size[] | null;
  readonly predictions: string | null;
  readonly version: string;
}

export function makeManifest(input: ManifestInput): TargetManifest {
  const { dataset, config, dense, formats } = input;
  return {
    format: 'boxops-targets',
    layout: layoutVersion,
    boxops: input.version,
    config,
    configHash: sha256(stableJson(config)),
    datasetHash: datasetHash(dataset),
    predictionsHash: input.predictions === null ? null : predictionsHash(input.predictions),
    seed: config.seed,
    dense,
    formats,
    imagesPerShard: dataset.imagesPerSlice,
    shards: Math.ceil(dataset.images / dataset.imagesPerSlice),
    images: dataset.images,
    annotations: dataset.annotations,
    categories: dataset.categories,
    unlisted: dense ? 'none' : config.sampler.kind === 'none' ? 'background' : 'unused',
    priors:
      input.priors?.map((size) => ({
        input: [size.width, size.height] as const,
        file: priorsFile(config, size).name,
      })) ?? null,
  };
}

/** A folder's manifest; throws `OptionError` where it cannot be read. */
export function readManifest(path: string): Partial<TargetManifest> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Partial<TargetManifest>;
  } catch (cause) {
    const message = `${path} cannot be read as a manifest: name another folder, or remove it`;
    throw new OptionError(message, { path }, { cause });
  }
}

/** Throws `OptionError` naming what differs where the folder was begun with something else. */
export function checkManifest(found: Partial<TargetManifest>, wanted: TargetManifest, out: string): void {
  const differ = (Object.keys(wanted) as (keyof TargetManifest)[]).filter(
    (key) => stableJson(found[key]) !== stableJson(wanted[key]),
  );
  if (differ.length === 0) return;
  throw new OptionError(
    `${out} holds targets of something else (${differ.join(', ')} differ): name another folder, or remove it`,
    { out, differ },
  );
}

/** JSON with sorted keys: equal values give equal text. */
function stableJson(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? 'undefined'
  );
}

/** Of everything targets are made from, image by image, however it is cut into slices. */
function datasetHash(dataset: SlicedDataset): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(dataset.categories));
  for (let index = 0; index * dataset.imagesPerSlice < dataset.images; index++) {
    const slice = dataset.slice(index);
    for (let i = 0; i < slice.fileNames.length; i++) {
      const { id, fileName, width, height, ids, labels, boxes, flags } = imageOf(slice, i);
      hash.update(`${JSON.stringify(fileName)}${id} ${width} ${height} ${ids.length}\n`);
      for (const column of [ids, labels, boxes, flags]) {
        hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
      }
    }
  }
  return hash.digest('hex');
}

/** Bytes of a file's beginning, middle and end that are hashed. */
const sample = 4096;

/**
 * Of the names, the lengths and three samples of the content of every file: networks differ in all their numbers, and
 * reading gigabytes only to compare them would take longer than the work.
 */
function predictionsHash(folder: string): string {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.safetensors'))
    .sort();
  const hash = createHash('sha256');
  const block = Buffer.alloc(sample);
  for (const name of names) {
    const file = openSync(join(folder, name), 'r');
    try {
      const { size } = fstatSync(file);
      hash.update(`${JSON.stringify(name.replaceAll('\\', '/'))} ${size}\n`);
      for (const at of [0, Math.floor(size / 2), Math.max(0, size - sample)]) {
        hash.update(block.subarray(0, readSync(file, block, 0, sample, at)));
      }
    } finally {
      closeSync(file);
    }
  }
  return hash.digest('hex');
}
