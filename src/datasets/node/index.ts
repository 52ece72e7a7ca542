export { writeFileWhole, writeFolderWhole } from './atomic.ts';
export { checkDuplicateAnnotations, checkImages } from './checks.ts';
export { filesBelow, imageExtensions, imageFileSize } from './images.ts';
export { type OpenedSlices, openSlices } from './open-slices.ts';
export type { ReadDatasetOptions } from './options.ts';
export { type ReadDataset, readDataset } from './read.ts';
export { datasetSplits } from './splits.ts';
export { type Losses, type WriteDatasetOptions, writeDataset } from './write.ts';
