/**
 * A dataset too big for memory, kept in a temporary file by slices: annotations may come in any order of images, and a
 * slice is read back when it is worked on. In memory stay the sizes of the images and one block a slice.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Size } from '../../boxes/types.ts';
import type { AnnotationRow, DatasetSink } from '../builder.ts';
import { int32Column } from '../columns.ts';
import type { DatasetSlice, SlicedDataset } from '../slice.ts';

/** Numbers of an annotation: image, id, label, flags, x1, y1, x2, y2. */
const width = 8;
/** Annotations a block. */
const blockRows = 32;
const blockBytes = 8 * width * blockRows;
/** Pieces of names are gathered to this many characters before they are written. */
const nameBuffer = 65_536;

/** One temporary file that only grows. */
class ScratchFile {
  readonly #folder = mkdtempSync(join(tmpdir(), `boxops-spill-${process.pid}-`));
  readonly #file = openSync(join(this.#folder, 'spill'), 'w+');
  length = 0;

  append(bytes: Uint8Array): number {
    const at = this.length;
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#file, bytes, done, bytes.length - done, at + done);
    }
    this.length += bytes.length;
    return at;
  }

  read(at: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const count = readSync(this.#file, bytes, done, length - done, at + done);
      if (count === 0) break;
      done += count;
    }
    return bytes;
  }

  dispose(): void {
    closeSync(this.#file);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The annotations of one slice: full blocks in the file, and one that is being filled. */
interface Bucket {
  readonly blocks: { push(value: number): void; at(index: number): number; readonly length: number };
  open: Float64Array<ArrayBuffer> | null;
  rows: number;
}

export class SpilledDataset implements DatasetSink, SlicedDataset {
  readonly imagesPerSlice: number;
  categories: readonly string[] = [];
  annotations = 0;
  readonly #rows = new ScratchFile();
  readonly #names = new ScratchFile();
  readonly #sizes = int32Column();
  readonly #buckets: Bucket[] = [];
  /** Images as JSON arrays, a line each; where each slice's lines begin. */
  #lines = '';
  readonly #sliceStarts: number[] = [];

  constructor(imagesPerSlice: number) {
    this.imagesPerSlice = imagesPerSlice;
  }

  get images(): number {
    return this.#sizes.length / 2;
  }

  sizeOf(image: number): Size {
    return { width: this.#sizes.at(2 * image), height: this.#sizes.at(2 * image + 1) };
  }

  addImage(id: number, fileName: string, imageWidth: number, imageHeight: number): number {
    const image = this.images;
    if (image % this.imagesPerSlice === 0) {
      this.#flushNames();
      this.#sliceStarts.push(this.#names.length);
      this.#buckets.push({ blocks: int32Column(), open: null, rows: 0 });
    }
    this.#lines += `${JSON.stringify([id, fileName])}\n`;
    if (this.#lines.length > nameBuffer) this.#flushNames();
    this.#sizes.push(imageWidth);
    this.#sizes.push(imageHeight);
    return image;
  }

  addAnnotation({ id, image, label, flags = 0, x1, y1, x2, y2 }: AnnotationRow): void {
    const bucket = this.#buckets[Math.floor(image / this.imagesPerSlice)]!;
    bucket.open ??= new Float64Array(width * blockRows);
    bucket.open.set([image, id, label, flags, x1, y1, x2, y2], width * (bucket.rows % blockRows));
    bucket.rows++;
    this.annotations++;
    if (bucket.rows % blockRows === 0) {
      bucket.blocks.push(this.#rows.append(new Uint8Array(bucket.open.buffer)) / blockBytes);
    }
  }

  slice(index: number): DatasetSlice {
    const first = index * this.imagesPerSlice;
    const count = Math.min(this.imagesPerSlice, this.images - first);
    const rows = this.#rowsOf(this.#buckets[index]!);
    const annotations = rows.length / width;
    const offsets = new Int32Array(count + 1);
    for (let row = 0; row < annotations; row++) offsets[rows[width * row]! - first + 1]!++;
    for (let i = 0; i < count; i++) offsets[i + 1]! += offsets[i]!;
    const next = offsets.slice();
    const ids = new Float64Array(annotations);
    const labels = new Int32Array(annotations);
    const flags = new Uint8Array(annotations);
    const boxes = new Float64Array(4 * annotations);
    for (let row = 0; row < annotations; row++) {
      const at = width * row;
      const to = next[rows[at]! - first]!++;
      ids[to] = rows[at + 1]!;
      labels[to] = rows[at + 2]!;
      flags[to] = rows[at + 3]!;
      boxes.set(rows.subarray(at + 4, at + 8), 4 * to);
    }
    const images = this.#imagesOf(index);
    const size = (axis: 0 | 1) =>
      Int32Array.from({ length: count }, (_, i) => this.#sizes.at(2 * (first + i) + axis));
    return {
      first,
      imageIds: Float64Array.from(images, ([id]) => id),
      fileNames: images.map(([, name]) => name),
      widths: size(0),
      heights: size(1),
      offsets,
      ids,
      labels,
      boxes,
      flags,
    };
  }

  /** Removes the temporary files. */
  dispose(): void {
    this.#rows.dispose();
    this.#names.dispose();
  }

  /** All rows of a bucket in the order they came. */
  #rowsOf({ blocks, open, rows }: Bucket): Float64Array {
    const out = new Float64Array(width * rows);
    for (let block = 0; block < blocks.length; block++) {
      const bytes = this.#rows.read(blocks.at(block) * blockBytes, blockBytes);
      out.set(new Float64Array(bytes.buffer), width * blockRows * block);
    }
    const rest = width * (rows % blockRows);
    if (rest > 0) out.set(open!.subarray(0, rest), out.length - rest);
    return out;
  }

  #imagesOf(index: number): [number, string][] {
    this.#flushNames();
    const from = this.#sliceStarts[index]!;
    const to = this.#sliceStarts[index + 1] ?? this.#names.length;
    const text = new TextDecoder().decode(this.#names.read(from, to - from));
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as [number, string]);
  }

  #flushNames(): void {
    if (this.#lines === '') return;
    this.#names.append(new TextEncoder().encode(this.#lines));
    this.#lines = '';
  }
}
