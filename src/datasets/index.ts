export { keypointsOf, labelledKeypoints, maskOf, ringsOf } from './access.ts';
export { type AnnotationRow, DatasetBuilder, type DatasetSink } from './builder.ts';
export { CocoParser, type CocoParserOptions } from './coco/parser.ts';
export { type CocoWriteOptions, writeCoco } from './coco/write.ts';
export { mergeDatasets, remapCategories, selectImages, splitDataset } from './operations.ts';
export { stemOf } from './paths.ts';
export {
  formatProblem,
  type Place,
  type Problem,
  type ProblemCode,
  ProblemReport,
  problemKinds,
} from './problems.ts';
export { type DatasetSlice, type SlicedDataset, slicedDataset } from './slice.ts';
export { type CategoryStats, type DatasetStats, datasetStats, type Histogram } from './stats.ts';
export {
  type AnnotationColumns,
  annotationFlag,
  type Category,
  type Dataset,
  type DatasetFormat,
  type ImageColumns,
  ignoredFlags,
  type PolygonColumns,
  type Ragged,
  type YoloTask,
} from './types.ts';
export { decodeXml } from './voc/encoding.ts';
export {
  parseVoc,
  type VocImage,
  type VocObject,
  type VocOrigin,
  type VocParseOptions,
} from './voc/parse.ts';
export { type VocLosses, type VocWriteOptions, writeVoc } from './voc/write.ts';
export { parseYoloLabels, type YoloLabelOptions, type YoloObject } from './yolo/labels.ts';
export { writeYoloLabels, type YoloLosses, type YoloWriteOptions } from './yolo/write.ts';
export { parseYoloYaml, writeYoloYaml, type YoloData } from './yolo/yaml.ts';
