/** The targets of a shard's images as columns, filled image by image; the memory is used again for the next shard. */
import { float32Column, float64Column, int32Column } from '../datasets/columns.ts';
import type { NamedTensor, Tensors } from './formats/tensors.ts';

/** Columns of targets; see `docs/targets.md` for what each holds. */
export class TargetRows {
  /** One entry an image. */
  readonly imageIds = float64Column();
  readonly fileNames: string[] = [];
  readonly imageSizes = int32Column();
  readonly inputSizes = int32Column();
  readonly transforms = float32Column();
  /** Images + 1. */
  readonly rowOffsets = int32Column();
  readonly gtOffsets = int32Column();
  readonly ignoreOffsets = int32Column();
  /** One entry an object. */
  readonly gtIds = float64Column();
  readonly gtLabels = int32Column();
  readonly gtBoxes = float32Column();
  readonly ignoreBoxes = float32Column();
  /** One entry a row: a prior that is listed. */
  readonly anchors = int32Column();
  readonly labels = int32Column();
  readonly gtIndices = int32Column();
  readonly overlaps = float32Column();
  readonly weights = float32Column();
  readonly boxTargets = float32Column();

  constructor() {
    this.clear();
  }

  clear(): void {
    for (const value of Object.values(this)) {
      if (Array.isArray(value)) value.length = 0;
      else value.clear();
    }
    for (const offsets of [this.rowOffsets, this.gtOffsets, this.ignoreOffsets]) offsets.push(0);
  }

  get images(): number {
    return this.fileNames.length;
  }

  /** Everything as named tensors, in memory of their own. */
  tensors(): Tensors {
    const vector = (data: NamedTensor['data']): NamedTensor => ({ shape: [data.length], data });
    const matrix = (data: NamedTensor['data'], width: number): NamedTensor => ({
      shape: [data.length / width, width],
      data,
    });
    const ids = (column: { take(): Float64Array }): BigInt64Array<ArrayBuffer> =>
      BigInt64Array.from(column.take(), (id) => BigInt(Math.trunc(id)));
    return {
      image_ids: vector(ids(this.imageIds)),
      image_sizes: matrix(this.imageSizes.take(), 2),
      input_sizes: matrix(this.inputSizes.take(), 2),
      transforms: matrix(this.transforms.take(), 4),
      row_offsets: vector(this.rowOffsets.take()),
      gt_offsets: vector(this.gtOffsets.take()),
      ignore_offsets: vector(this.ignoreOffsets.take()),
      gt_ids: vector(ids(this.gtIds)),
      gt_labels: vector(this.gtLabels.take()),
      gt_boxes: matrix(this.gtBoxes.take(), 4),
      ignore_boxes: matrix(this.ignoreBoxes.take(), 4),
      anchors: vector(this.anchors.take()),
      labels: vector(this.labels.take()),
      gt_indices: vector(this.gtIndices.take()),
      overlaps: vector(this.overlaps.take()),
      weights: vector(this.weights.take()),
      box_targets: matrix(this.boxTargets.take(), 4),
    };
  }
}
