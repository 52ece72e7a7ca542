/**
 * The table of heads: name → decoder and what belongs to it.
 *
 * Import a `decodeX` function instead where the model is known: a bundler then leaves the other heads out.
 */
import { OptionError } from '../errors.ts';
import { decodeDetr, decodeDetrSoftmax } from './detr.ts';
import { decodeDetrDecoded } from './detr-decoded.ts';
import { decodeEndToEnd } from './end-to-end.ts';
import { type PreprocessingChoice, preprocessingPresets as presets } from './preprocessing.ts';
import type { Candidates, Decode, DecodeOptions, HeadName, HeadOptions, ModelOutputs } from './types.ts';
import { decodeYolov5 } from './yolov5.ts';
import { decodeYolov8 } from './yolov8.ts';
import { decodeYolox } from './yolox.ts';

/** What boxops knows of one head. */
export interface Head {
  readonly name: HeadName;
  /** The models that use it. */
  readonly family: string;
  readonly decode: Decode;
  /** Dims it reads, in words. */
  readonly layout: string;
  /** True where the head needs no NMS. */
  readonly nmsFree: boolean;
  /** How its family prepares a picture; see `preprocessingPresets`. */
  readonly preprocessing: PreprocessingChoice;
}

function head(
  name: HeadName,
  family: string,
  layout: string,
  decode: Decode,
  preprocessing: PreprocessingChoice,
  nmsFree = false,
): Head {
  return { name, family, layout, decode, preprocessing, nmsFree };
}

/** Every head by name. */
export const heads: Readonly<Record<HeadName, Head>> = {
  yolov8: head('yolov8', 'YOLOv8/9/11/12', '[N, 4 + C, A]', decodeYolov8, presets.ultralytics),
  yolov5: head('yolov5', 'YOLOv5/6/7', '[N, A, 5 + C]', decodeYolov5, presets.ultralytics),
  yolox: head('yolox', 'YOLOX', '[N, A, 5 + C] raw offsets', decodeYolox, presets.yolox),
  'end-to-end': head('end-to-end', 'YOLOv10/26', '[N, rows, 6]', decodeEndToEnd, presets.ultralytics, true),
  detr: head(
    'detr',
    'DETR family (sigmoid)',
    'logits [N, Q, C], boxes [N, Q, 4]',
    decodeDetr,
    presets.detr,
    true,
  ),
  'detr-softmax': head(
    'detr-softmax',
    'DETR (softmax)',
    'logits [N, Q, C + 1], boxes [N, Q, 4]',
    decodeDetrSoftmax,
    presets.imagenet,
    true,
  ),
  'detr-decoded': head(
    'detr-decoded',
    'DETR family (decoded)',
    'labels [N, Q], boxes [N, Q, 4], scores [N, Q]',
    decodeDetrDecoded,
    presets.detr,
    true,
  ),
};

/** Names of all heads. */
export const headNames = /* @__PURE__ */ Object.keys(heads) as readonly HeadName[];

/** Decodes with the head of that name; an unknown name is an `OptionError` listing the names. */
export function decode(
  name: HeadName,
  outputs: ModelOutputs,
  options: DecodeOptions & HeadOptions,
): Candidates {
  if (!Object.hasOwn(heads, name)) {
    throw new OptionError(`head: expected one of ${headNames.join(', ')}, got ${String(name)}`, {
      name,
    });
  }
  return heads[name].decode(outputs, options);
}
