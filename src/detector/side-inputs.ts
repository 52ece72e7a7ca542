/** The inputs of a model besides the picture, and what they are given. */
import type { Size } from '../boxes/types.ts';
import { ModelError } from '../errors.ts';
import type { ModelInspection, TensorInfo } from '../heads/index.ts';
import type { SideInput } from './plan.ts';

const types: readonly string[] = ['int64', 'int32', 'float32'] satisfies SideInput['type'][];

/** Side of a mask whose graph takes any: DETR's graph resizes it to its feature map. */
const maskSide = 64;

/**
 * Sizes `[N, 2]` for models with their own post-processing: `orig_target_sizes` (RT-DETR, D-FINE, DEIM: width, height) and
 * PaddleDetection's `im_shape` (height, width) with `scale_factor`. The model input's size is given, so boxes come out
 * in its frame. And Hugging Face's `pixel_mask` `[N, H, W]` (DETR, Table Transformer): ones, as nothing is padding.
 *
 * Throws {@link ModelError} for any other.
 */
export function sideInputs(inspection: ModelInspection, image: TensorInfo, size: Size): SideInput[] {
  return inspection.inputs
    .filter((input) => input !== image)
    .map(({ name, type, dims }) => {
      const given = types.includes(type) ? (maskOf(name, dims) ?? sizesOf(name, dims, size)) : null;
      if (given === null) {
        throw new ModelError(
          `The model needs an input boxops cannot give: ${name} ${type} [${dims.join(', ')}]; besides the picture only sizes [N, 2] and pixel_mask [N, H, W] are known.`,
          { name, type, dims },
        );
      }
      return { name, type: type as SideInput['type'], ...given };
    });
}

type Given = Pick<SideInput, 'dims' | 'values'>;

function sizesOf(name: string, dims: TensorInfo['dims'], { width, height }: Size): Given | null {
  if (dims.length !== 2 || (typeof dims[1] === 'number' && dims[1] !== 2)) return null;
  if (/scale/i.test(name)) return { dims: [2], values: [1, 1] };
  return { dims: [2], values: /im_shape/i.test(name) ? [height, width] : [width, height] };
}

function maskOf(name: string, dims: TensorInfo['dims']): Given | null {
  if (dims.length !== 3 || !/mask/i.test(name)) return null;
  const sides = dims.slice(1).map((dim) => (typeof dim === 'number' ? dim : maskSide));
  return { dims: sides, values: new Array<number>(sides[0]! * sides[1]!).fill(1) };
}
