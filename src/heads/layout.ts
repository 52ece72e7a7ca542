/**
 * Finding a head's tensors among the outputs, and saying what is wrong when they are not there.
 *
 * A `LayoutError` names the dims that came, the dims the head reads, and the heads whose dims would fit.
 */
import { LayoutError, OptionError } from '../errors.ts';
import type { DecodeOptions, ModelOutputs, TensorLike } from './types.ts';

/** Grid cells of an input over the strides 2^from … 2^to, each level rounded up as strided convolutions do. */
export function gridCells(input: DecodeOptions['input'], from = 3, to = 5): number {
  let cells = 0;
  for (let p = from; p <= to; p++)
    cells += Math.ceil(input.width / 2 ** p) * Math.ceil(input.height / 2 ** p);
  return cells;
}

/** Whether `anchors` is the number of grid cells of some run of strides, once or `perCell` times. */
export function fitsGrid(anchors: number, input: DecodeOptions['input'], perCell = 1): boolean {
  for (let from = 2; from <= 4; from++) {
    for (let to = from; to <= 7; to++) if (anchors === perCell * gridCells(input, from, to)) return true;
  }
  return false;
}

/** The common heads whose dims fit these outputs; several where the dims alone cannot tell. */
function headsFitting(outputs: ModelOutputs, input: DecodeOptions['input']): string[] {
  const fits = new Set<string>();
  const shapes = Object.values(outputs).map((tensor) => tensor.dims);
  const sole = shapes.filter((dims) => dims.length === 3).length === 1;
  // beside a table, rank 4 are mask prototypes
  const masks = shapes.find((dims) => dims.length === 4)?.[1] ?? 0;
  const task = masks > 0 ? '-seg' : '';
  for (const { length, 1: rows = 0, 2: columns = 0 } of shapes) {
    if (length !== 3) continue;
    const grid = fitsGrid(rows, input);
    const wide = fitsGrid(columns, input) || (columns > rows && !fitsGrid(rows, input, 3));
    if (columns === 4) {
      const same = shapes.filter((dims) => dims[1] === rows);
      if (same.some((dims) => dims.length === 2)) fits.add('detr-decoded');
      if (rows <= 1000 && same.filter((dims) => dims.length === 3).length > 1)
        fits.add('detr').add('detr-softmax');
    } else if (!sole) continue;
    else if (rows > 4 + masks && wide) fits.add(`yolov8${task}`);
    else if (columns === 6 + masks && rows <= 1000 && !grid) fits.add(`end-to-end${task}`);
    else if (columns > 5 && grid && masks === 0) fits.add('yolox').add('yolov5').add('yolov8-rows');
    else if (columns === 5 && grid)
      fits.add('yolov8-rows'); // one class
    else if (columns > 5 + masks && rows > columns) fits.add(`yolov5${task}`);
  }
  return [...fits];
}

/** The error of a head that cannot read these outputs. */
export function layoutError(
  head: string,
  expected: string,
  outputs: ModelOutputs,
  input: DecodeOptions['input'],
): LayoutError {
  const got = Object.entries(outputs).map(([name, tensor]) => `${name} [${tensor.dims}]`);
  const fits = headsFitting(outputs, input).filter((name) => name !== head);
  const hint = fits.length === 0 ? '' : `; these dims fit the head ${fits.join(' or ')}`;
  return new LayoutError(
    `head ${head} at input ${input.width}×${input.height}: expected ${expected}, got ${got.join(', ') || 'no outputs'}${hint}`,
    { head, expected, got, fits },
  );
}

/** The first output that passes, or undefined. */
export function findOutput(
  outputs: ModelOutputs,
  test: (dims: readonly number[], name: string) => boolean,
): TensorLike | undefined {
  for (const name in outputs) if (test(outputs[name]!.dims, name)) return outputs[name];
  return undefined;
}

/** Index of the image asked for, checked against the batch size of a tensor. */
export function imageIndex(tensor: TensorLike, options: DecodeOptions): number {
  const image = options.image ?? 0;
  if (!(image >= 0 && image < tensor.dims[0]!)) {
    throw new OptionError(`image: expected an index below the batch size ${tensor.dims[0]}, got ${image}`, {
      image,
    });
  }
  return image;
}
