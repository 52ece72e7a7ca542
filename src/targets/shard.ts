/** One shard's rows as files: `.safetensors` with everything in columns, `.tar` with a few `.npy` an image. */
import { createTar } from 'nanotar';
import { writeNpy } from './formats/npy.ts';
import { writeSafetensors } from './formats/safetensors.ts';
import type { NamedTensor } from './formats/tensors.ts';
import type { TargetRows } from './rows.ts';

/** Containers shards are written in. */
export const shardFormats = ['safetensors', 'tar'] as const;
export type ShardFormat = (typeof shardFormats)[number];

/** Version of the layout; readers refuse others. */
export const layoutVersion = 1;

export interface ShardInfo {
  /** Number of the shard among all. */
  readonly index: number;
  readonly count: number;
  /** Whether every prior has a row. */
  readonly dense: boolean;
}

/** The bytes of a shard; equal rows give equal bytes. */
export function shardBytes(format: ShardFormat, rows: TargetRows, info: ShardInfo): Uint8Array {
  return format === 'safetensors' ? safetensorsShard(rows, info) : tarShard(rows);
}

function safetensorsShard(rows: TargetRows, { index, count, dense }: ShardInfo): Uint8Array {
  return writeSafetensors(rows.tensors(), {
    format: 'boxops-targets',
    version: String(layoutVersion),
    shard: `${index}/${count}`,
    dense: String(dense),
    file_names: JSON.stringify(rows.fileNames),
  });
}

/** Arrays of a row an image has in its sample. */
const perRow = ['anchors', 'labels', 'gt_indices', 'overlaps', 'weights', 'box_targets'] as const;

/** WebDataset: the files of an image follow each other and share the part of the name before the first dot. */
function tarShard(rows: TargetRows): Uint8Array {
  const tensors = rows.tensors();
  const files: { name: string; data: Uint8Array }[] = [];
  const part = (name: string, from: number, to: number): NamedTensor => {
    const { shape, data } = tensors[name]!;
    const width = shape[1] ?? 1;
    return {
      shape: [to - from, ...shape.slice(1)],
      data: data.slice(from * width, to * width) as NamedTensor['data'],
    };
  };
  for (let image = 0; image < rows.images; image++) {
    const key = String(rows.imageIds.at(image)).padStart(12, '0').replaceAll('.', '_');
    const [from, to] = [rows.rowOffsets.at(image), rows.rowOffsets.at(image + 1)];
    for (const name of perRow)
      files.push({ name: `${key}.${name}.npy`, data: writeNpy(part(name, from, to)) });
    const [first, last] = [rows.gtOffsets.at(image), rows.gtOffsets.at(image + 1)];
    for (const name of ['gt_boxes', 'gt_labels']) {
      files.push({ name: `${key}.${name}.npy`, data: writeNpy(part(name, first, last)) });
    }
    const about = {
      id: rows.imageIds.at(image),
      file_name: rows.fileNames[image],
      image_size: [rows.imageSizes.at(2 * image), rows.imageSizes.at(2 * image + 1)],
      input_size: [rows.inputSizes.at(2 * image), rows.inputSizes.at(2 * image + 1)],
      transform: [0, 1, 2, 3].map((k) => rows.transforms.at(4 * image + k)),
      gt_ids: Array.from({ length: last - first }, (_, i) => rows.gtIds.at(first + i)),
    };
    files.push({ name: `${key}.json`, data: new TextEncoder().encode(JSON.stringify(about)) });
  }
  // nothing of the machine or the moment: the same targets are the same bytes
  return createTar(files, { attrs: { mtime: 0, uid: 0, gid: 0, mode: '644' } });
}
