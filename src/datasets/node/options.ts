/** What reading from disk can be told. */
import type { ProblemReport } from '../problems.ts';
import type { DatasetFormat, YoloTask } from '../types.ts';
import type { VocOrigin } from '../voc/parse.ts';

export interface ReadDatasetOptions {
  /** Default: told from the path. */
  readonly format?: DatasetFormat;
  /** Folder of the images; with it every image must be there with the size the annotations say. */
  readonly images?: string;
  /** Which part of a YOLO or VOC dataset. Default `'train'`, or the only one there is. */
  readonly split?: string;
  /** What YOLO lines of more than five numbers are. Default `'segment'`, with `kpt_shape` in data.yaml `'pose'`. */
  readonly task?: YoloTask;
  /** How VOC files count pixels. Default `'inclusive'`. */
  readonly origin?: VocOrigin;
  /** Class names in order, for a VOC folder without `classes.txt`. Default: sorted by name. */
  readonly classes?: readonly string[];
  /** Pixels a box may reach beyond its image. Default 1. */
  readonly tolerance?: number;
  /** Whether outlines and keypoints are kept. Default true. */
  readonly shapes?: boolean;
  /** Receives findings; with it errors do not throw. */
  readonly report?: ProblemReport;
}
