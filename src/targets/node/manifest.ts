/** `manifest.json`: everything the shards depend on, so that nothing else is mistaken for them. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Size } from '../../boxes/types.ts';
import type { Dataset } from '../../datasets/index.ts';
import { OptionError } from '../../errors.ts';
import type { TargetConfig } from '../config.ts';
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
  /** Of the names and lengths of the predictions, or null. */
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
  readonly dataset: Dataset;
  readonly config: TargetConfig;
  readonly dense: boolean;
  readonly formats: readonly ShardFormat[];
  readonly imagesPerShard: number;
  readonly priors: readonly Size[] | null;
  readonly predictions: string | null;
  readonly version: string;
}

export function makeManifest(input: ManifestInput): TargetManifest {
  const { dataset, config, dense, formats, imagesPerShard } = input;
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
    imagesPerShard,
    shards: Math.ceil(dataset.images.count / imagesPerShard),
    images: dataset.images.count,
    annotations: dataset.annotations.count,
    categories: dataset.categories.map(({ name }) => name),
    unlisted: dense ? 'none' : config.sampler.kind === 'none' ? 'background' : 'unused',
    priors:
      input.priors?.map((size) => ({
        input: [size.width, size.height] as const,
        file: priorsFile(config, size).name,
      })) ?? null,
  };
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

/** Of everything targets are made from. */
function datasetHash({ images, annotations, categories }: Dataset): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([categories.map(({ name }) => name), images.fileNames]));
  const { offsets, ids, labels, boxes, flags } = annotations;
  for (const column of [images.ids, images.widths, images.heights, offsets, ids, labels, boxes, flags]) {
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  return hash.digest('hex');
}

function predictionsHash(folder: string): string {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.safetensors'))
    .sort();
  return sha256(JSON.stringify(names.map((name) => [name, statSync(join(folder, name)).size])));
}
