/** What `inspectModel` says about a model. */
import type { PreprocessingChoice } from '../preprocessing.ts';
import type { HeadName, HeadOptions } from '../types.ts';

/** An input or output of the model; a dim that is not fixed is its symbol, or `'?'`. */
export interface TensorInfo {
  readonly name: string;
  /** onnxruntime's name of the element type. */
  readonly type: string;
  readonly dims: readonly (number | string)[];
}

/** Where a piece of the pre-processing comes from: read from the file, or the habit of the model's family. */
export type Source = 'bytes' | 'metadata' | 'convention';

/** The source of every part of the pre-processing. `scale` covers mean and std. */
export interface PreprocessingSources {
  readonly size: Source;
  readonly fit: Source;
  readonly antialias: Source;
  readonly channelOrder: Source;
  readonly scale: Source;
  readonly layout: Source;
}

/** A head that could read this model. */
export interface HeadCandidate {
  readonly head: HeadName;
  /** The models that look like this. */
  readonly family: string;
  /** 0–1: above 0.9 the graph or the metadata decide, about 0.5 only dims fit. */
  readonly score: number;
  readonly reasons: readonly string[];
  /** Options the head needs for this model. */
  readonly headOptions: HeadOptions;
  /** Number of classes, where it is known. */
  readonly classCount: number | null;
  readonly preprocessing: PreprocessingChoice;
  readonly preprocessingSources: PreprocessingSources;
}

/** What a model is, as far as its bytes tell. */
export interface ModelInspection {
  /** The head that fits; null where none does, or where the bytes fit several (`ambiguous`). */
  readonly head: HeadName | null;
  /** The models with this head; '' where there is none. */
  readonly family: string;
  /** True where the bytes fit several heads or pre-processings equally: choose one of `candidates`. */
  readonly ambiguous: boolean;
  /** Every head that fits, best first. */
  readonly candidates: readonly HeadCandidate[];
  /** Why, in sentences. */
  readonly reasons: readonly string[];
  /** Names by class id; empty where neither the file nor the number of classes tells. */
  readonly classNames: readonly string[];
  /** `'assumed'`: 80 classes are taken to be COCO's. */
  readonly classNamesSource: 'metadata' | 'assumed' | 'none';
  readonly classCount: number | null;
  /** How a picture is prepared; null where no head fits or several do. */
  readonly preprocessing: PreprocessingChoice | null;
  /** Which parts of the pre-processing were read and which are conventions. */
  readonly preprocessingSources: PreprocessingSources | null;
  /** Options for the head, to be passed to `decode`. */
  readonly headOptions: HeadOptions;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** Program that wrote the file, with its version. */
  readonly producer: string;
  readonly opset: number;
  readonly metadata: Readonly<Record<string, string>>;
}
