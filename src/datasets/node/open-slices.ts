/** A dataset on disk as slices: a COCO file streams through a temporary file, the others are read into columns. */

import { CocoStream } from '../coco/parser.ts';
import { ProblemReport } from '../problems.ts';
import { type SlicedDataset, slicedDataset } from '../slice.ts';
import { checkImageFolder, checkImages } from './checks.ts';
import type { ReadDatasetOptions } from './options.ts';
import { filePieces, findDataset, readDataset } from './read.ts';
import { SpilledDataset } from './spill.ts';

export interface OpenedSlices {
  readonly dataset: SlicedDataset;
  readonly report: ProblemReport;
  /** Removes what was put on disk for it. */
  dispose(): void;
}

/**
 * Opens a dataset for work slice by slice. Of a COCO file nothing is held but the sizes and ids of its images and the
 * ids of its annotations (about 100 bytes an image and 12 an annotation).
 *
 * Throws `DatasetError` with every finding where there is an error; then nothing is left on disk. Throws `OptionError`
 * where `images` names no folder.
 */
export function openSlices(
  path: string,
  imagesPerSlice: number,
  options: ReadDatasetOptions = {},
): OpenedSlices {
  const found = findDataset(path, options.format);
  checkImageFolder(options.images);
  const report = options.report ?? new ProblemReport();
  if (found.format !== 'coco') {
    const { dataset } = readDataset(path, { ...options, shapes: false, report });
    report.throwOnErrors(path);
    return { dataset: slicedDataset(dataset, imagesPerSlice), report, dispose: () => {} };
  }
  const spilled = new SpilledDataset(imagesPerSlice);
  try {
    const stream = new CocoStream(spilled, {
      file: found.path,
      report,
      ...(options.tolerance === undefined ? {} : { tolerance: options.tolerance }),
    });
    for (const piece of filePieces(found.path)) stream.push(piece);
    spilled.categories = stream.annotations().map(({ name }) => name);
    for (const piece of filePieces(found.path)) stream.push(piece);
    stream.finish();
    if (options.images !== undefined) {
      for (let index = 0; index * imagesPerSlice < spilled.images; index++) {
        checkImages(spilled.slice(index), options.images, report);
      }
    }
    report.throwOnErrors(path);
  } catch (error) {
    spilled.dispose();
    throw error;
  }
  return { dataset: spilled, report, dispose: () => spilled.dispose() };
}
