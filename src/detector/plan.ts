/** What a detector does with every picture, settled once when the model is loaded. */
import type { HeadName, HeadOptions } from '../heads/types.ts';
import type { Preprocessing } from './types.ts';

/** Element types a picture can be fed as. */
export type ImageTensorType = 'float32' | 'float16' | 'uint8';

/** The input that takes the picture. */
export interface ImageInput {
  readonly name: string;
  readonly type: ImageTensorType;
  /** Pictures a run: a number the model fixes, or undefined where any number goes. */
  readonly batch: number | undefined;
}

/** An input besides the picture; see `side-inputs.ts`. */
export interface SideInput {
  readonly name: string;
  readonly type: 'int64' | 'int32' | 'float32';
  /** Dims after the batch's. */
  readonly dims: readonly number[];
  /** Values a picture. */
  readonly values: readonly number[];
}

export interface DetectorPlan {
  readonly head: HeadName;
  readonly family: string;
  readonly reasons: readonly string[];
  readonly classNames: readonly string[];
  /** What the head needs to know of this model besides its outputs. */
  readonly decoding: HeadOptions;
  readonly preprocessing: Required<Preprocessing>;
  readonly image: ImageInput;
  readonly sides: readonly SideInput[];
}
