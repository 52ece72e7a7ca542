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

/**
 * Inputs besides the picture: sizes that decoded DETR-family models want back. All are given the size of the model
 * input, so that boxes come out in its frame, as every head's do.
 */
export interface SizeInput {
  readonly name: string;
  readonly type: 'int64' | 'int32' | 'float32';
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
  readonly sizes: readonly SizeInput[];
}
