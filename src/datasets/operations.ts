/** Datasets from datasets: a choice of images, a split, several as one, other classes. */
import { seededRandom, shuffleFront } from '../anchors/random.ts';
import { DatasetError, OptionError } from '../errors.ts';
import { selectRows } from './builder.ts';
import type { AnnotationColumns, Category, Dataset, Ragged } from './types.ts';

/** The dataset of these images, in this order. */
export function selectImages(dataset: Dataset, order: ArrayLike<number>): Dataset {
  const { images, annotations } = dataset;
  const offsets = new Int32Array(order.length + 1);
  for (let i = 0; i < order.length; i++) {
    const image = order[i]!;
    if (!(image >= 0 && image < images.count)) {
      throw new OptionError(`expected image indices from 0 to ${images.count - 1}, got ${image}`, { image });
    }
    offsets[i + 1] = offsets[i]! + annotations.offsets[image + 1]! - annotations.offsets[image]!;
  }
  const rows = new Int32Array(offsets[order.length]!);
  for (let i = 0; i < order.length; i++) {
    const start = annotations.offsets[order[i]!]!;
    for (let k = 0; k < offsets[i + 1]! - offsets[i]!; k++) rows[offsets[i]! + k] = start + k;
  }
  const chosen = Array.from({ length: order.length }, (_, i) => order[i]!);
  return {
    categories: dataset.categories,
    images: {
      count: chosen.length,
      ids: Float64Array.from(chosen, (i) => images.ids[i]!),
      fileNames: chosen.map((i) => images.fileNames[i]!),
      widths: Int32Array.from(chosen, (i) => images.widths[i]!),
      heights: Int32Array.from(chosen, (i) => images.heights[i]!),
    },
    annotations: selectRows(annotations, rows, offsets),
  };
}

/**
 * Parts of a dataset by random choice of images: `splitDataset(dataset, [0.8, 0.1, 0.1], { seed: 1 })`.
 *
 * Fractions must add up to 1; sizes are rounded so that they add up to all images. The source keeps its order, and so do
 * the images inside a part. The same seed gives the same parts on every machine.
 */
export function splitDataset(
  dataset: Dataset,
  fractions: readonly number[],
  options: { readonly seed?: number } = {},
): Dataset[] {
  const { seed = 0 } = options;
  const total = fractions.reduce((sum, fraction) => sum + fraction, 0);
  if (
    fractions.length === 0 ||
    fractions.some((fraction) => !(fraction >= 0)) ||
    Math.abs(total - 1) > 1e-9
  ) {
    throw new OptionError(`expected fractions that add up to 1, got ${fractions.join(', ')}`, { fractions });
  }
  const count = dataset.images.count;
  const order = Int32Array.from({ length: count }, (_, i) => i);
  shuffleFront(order, count, count, seededRandom(seed));
  let sum = 0;
  let start = 0;
  return fractions.map((fraction) => {
    sum += fraction;
    const end = Math.round(sum * count);
    const part = order.slice(start, end).sort();
    start = end;
    return selectImages(dataset, part);
  });
}

/**
 * Several datasets as one: categories are united by name (in the order they first appear), images and annotations get
 * ids of their own from 1 on where ids meet. Throws {@link DatasetError} where a file name appears twice.
 */
export function mergeDatasets(datasets: readonly Dataset[]): Dataset {
  const categories: Category[] = [];
  const labelOf = new Map<string, number>();
  const fileNames: string[] = [];
  const known = new Set<string>();
  const relabelled: Dataset[] = [];
  for (const dataset of datasets) {
    const labels = dataset.categories.map((category) => {
      const label = labelOf.get(category.name) ?? categories.length;
      if (label === categories.length) categories.push(category);
      labelOf.set(category.name, label);
      return label;
    });
    for (const name of dataset.images.fileNames) {
      if (known.has(name)) {
        throw new DatasetError(`the file name ${name} is in two of the datasets`, { fileName: name });
      }
      known.add(name);
      fileNames.push(name);
    }
    const { annotations } = dataset;
    relabelled.push({
      ...dataset,
      annotations: { ...annotations, labels: annotations.labels.map((label) => labels[label]!) },
    });
  }
  const ids = new Set(categories.map(({ id }) => id));
  return {
    categories: ids.size === categories.length ? categories : categories.map((c, i) => ({ ...c, id: i })),
    images: {
      count: fileNames.length,
      ids: unique(concat(relabelled.map(({ images }) => images.ids))),
      fileNames,
      widths: concat(relabelled.map(({ images }) => images.widths)),
      heights: concat(relabelled.map(({ images }) => images.heights)),
    },
    annotations: concatAnnotations(relabelled.map(({ annotations }) => annotations)),
  };
}

/** The ids themselves, or 1, 2, 3, … where one appears twice. */
function unique(ids: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  return new Set(ids).size === ids.length ? ids : ids.map((_, i) => i + 1);
}

function concat<T extends Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  parts: readonly T[],
): T {
  const Kind = (parts[0]?.constructor ?? Float64Array) as new (length: number) => T;
  const out = new Kind(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Offsets of rows put one after another. */
function concatOffsets(parts: readonly Int32Array[]): Int32Array<ArrayBuffer> {
  const out = new Int32Array(parts.reduce((sum, part) => sum + part.length - 1, 1));
  let at = 0;
  for (const part of parts) {
    const base = out[at]!;
    for (let i = 1; i < part.length; i++) out[at + i] = base + part[i]!;
    at += part.length - 1;
  }
  return out;
}

const concatRagged = (parts: readonly Ragged[]): Ragged => ({
  values: concat(parts.map(({ values }) => values)),
  offsets: concatOffsets(parts.map(({ offsets }) => offsets)),
});

function concatAnnotations(parts: readonly AnnotationColumns[]): AnnotationColumns {
  const masks = new Map<number, NonNullable<ReturnType<AnnotationColumns['masks']['get']>>>();
  let base = 0;
  for (const part of parts) {
    for (const [row, mask] of part.masks) masks.set(base + row, mask);
    base += part.count;
  }
  return {
    count: base,
    offsets: concatOffsets(parts.map(({ offsets }) => offsets)),
    ids: unique(concat(parts.map(({ ids }) => ids))),
    labels: concat(parts.map(({ labels }) => labels)),
    boxes: concat(parts.map(({ boxes }) => boxes)),
    areas: concat(parts.map(({ areas }) => areas)),
    flags: concat(parts.map(({ flags }) => flags)),
    polygons: {
      ...concatRagged(parts.map(({ polygons }) => polygons)),
      rings: concatOffsets(parts.map(({ polygons }) => polygons.rings)),
    },
    masks,
    keypoints: concatRagged(parts.map(({ keypoints }) => keypoints)),
  };
}

/**
 * Other classes: each category's new name, or null to leave its objects out; a name given to several unites them.
 * Categories that are not named stay. Throws {@link OptionError} on a name that is no category.
 *
 * @example
 * remapCategories(dataset, { car: 'vehicle', truck: 'vehicle', person: null });
 */
export function remapCategories(dataset: Dataset, names: Readonly<Record<string, string | null>>): Dataset {
  const known = new Set(dataset.categories.map(({ name }) => name));
  for (const name of Object.keys(names)) {
    if (known.has(name)) continue;
    throw new OptionError(`no category is called '${name}'; there are ${[...known].join(', ')}`, { name });
  }
  const categories: Category[] = [];
  const labels = dataset.categories.map((category) => {
    const name = Object.hasOwn(names, category.name) ? names[category.name]! : category.name;
    if (name === null) return -1;
    const label = categories.findIndex((other) => other.name === name);
    if (label >= 0) return label;
    categories.push({ ...category, name });
    return categories.length - 1;
  });
  const { annotations, images } = dataset;
  const kept = Int32Array.from({ length: annotations.count }, (_, row) => row).filter(
    (row) => labels[annotations.labels[row]!]! >= 0,
  );
  const offsets = new Int32Array(images.count + 1);
  let at = 0;
  for (let image = 0; image < images.count; image++) {
    while (at < kept.length && kept[at]! < annotations.offsets[image + 1]!) at++;
    offsets[image + 1] = at;
  }
  const rows = selectRows(annotations, kept, offsets);
  return {
    categories,
    images,
    annotations: { ...rows, labels: rows.labels.map((label) => labels[label]!) },
  };
}
