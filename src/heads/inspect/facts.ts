/** What the rules look at: the picture input, the outputs with dims and tails, metadata, the stem. */
import type { Graph, Stem, Tail } from '../onnx/graph.ts';
import { readGraph, readStem, readTail } from '../onnx/graph.ts';
import type { OnnxModel, ValueInfo } from '../onnx/model.ts';

/** Dims with null where the file leaves one open. */
export type Dims = readonly (number | null)[];

export interface OutputFacts {
  readonly name: string;
  readonly type: string;
  /** Empty where even the rank is not known. */
  readonly dims: Dims;
  readonly tail: Tail;
}

export interface ImageInputFacts {
  readonly name: string;
  readonly type: string;
  readonly layout: 'nchw' | 'nhwc';
  /** null where the model takes any size and the metadata name none. */
  readonly width: number | null;
  readonly height: number | null;
  readonly sizeSource: 'bytes' | 'metadata' | 'convention';
}

export interface Facts {
  readonly graph: Graph;
  readonly image: ImageInputFacts | null;
  /** Inputs besides the picture. */
  readonly otherInputs: readonly ValueInfo[];
  readonly outputs: readonly OutputFacts[];
  readonly stem: Stem | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export function collectFacts(model: OnnxModel): Facts {
  const graph = readGraph(model);
  const picture = model.inputs.find((input) => imageLayout(input) !== null);
  return {
    graph,
    image: picture === undefined ? null : imageFacts(picture, model.metadata),
    otherInputs: model.inputs.filter((input) => input !== picture),
    outputs: model.outputs.map(({ name, type }) => ({
      name,
      type,
      dims: graph.shapes.get(name) ?? [],
      tail: readTail(graph, name),
    })),
    stem: picture === undefined ? null : readStem(graph, picture.name),
    metadata: model.metadata,
  };
}

/** A rank-4 input with 3 channels (or 1) first or last. */
function imageLayout({ shape }: ValueInfo): 'nchw' | 'nhwc' | null {
  if (shape === null || shape.length !== 4) return null;
  if (shape[1] === 3) return 'nchw';
  if (shape[3] === 3) return 'nhwc';
  return shape[1] === 1 ? 'nchw' : shape[3] === 1 ? 'nhwc' : null;
}

function imageFacts(input: ValueInfo, metadata: Facts['metadata']): ImageInputFacts {
  const layout = imageLayout(input)!;
  const shape = input.shape!;
  const number = (dim: number | string | null | undefined) => (typeof dim === 'number' ? dim : null);
  const height = number(layout === 'nchw' ? shape[2] : shape[1]);
  const width = number(layout === 'nchw' ? shape[3] : shape[2]);
  const base = { name: input.name, type: input.type, layout };
  if (height !== null && width !== null) return { ...base, width, height, sizeSource: 'bytes' };
  // Ultralytics writes imgsz as [height, width]
  const named = metadata.imgsz?.match(/\d+/g)?.map(Number) ?? [];
  if (named.length > 0)
    return { ...base, height: named[0]!, width: named[1] ?? named[0]!, sizeSource: 'metadata' };
  return { ...base, width, height, sizeSource: 'convention' };
}

/** The size of the picture, where both sides are known. */
export function inputSize({ image }: Facts): { width: number; height: number } | null {
  return image === null || image.width === null || image.height === null
    ? null
    : { width: image.width, height: image.height };
}

/** Whether any of these operators is in the tail. */
export function hasOp(tail: Tail, ...ops: readonly string[]): boolean {
  return ops.some((op) => tail.ops.has(op));
}

/** Whether the tail turns boxes by an angle. */
export function turnsBoxes(tail: Tail): boolean {
  return hasOp(tail, 'Sin') && hasOp(tail, 'Cos');
}

/** Output channels of the last learned layers, each once, ascending. */
export function layerChannels(tail: Tail): number[] {
  const channels = tail.layers.map((layer) => layer.channels).filter((count) => count !== null);
  return [...new Set(channels)].sort((a, b) => a - b);
}

/** A dim for a sentence. */
export function show(dims: Dims): string {
  return `[${dims.map((dim) => dim ?? '?').join(', ')}]`;
}
