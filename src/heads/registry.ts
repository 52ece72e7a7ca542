/**
 * The table of heads: name → decoder and what belongs to it.
 *
 * Import a `decodeX` function instead where the model is known: a bundler then leaves the other heads out.
 */
import { LayoutError, OptionError } from '../errors.ts';
import { decodeCenterFace } from './centerface.ts';
import { decodeCenterNet } from './centernet.ts';
import { decodeDetr, decodeDetrSoftmax } from './detr.ts';
import { decodeDetrDecoded } from './detr-decoded.ts';
import { decodeDetrSeg } from './detr-seg.ts';
import { decodeNanoDet, decodeNanoDetPlus, decodeYolov8Raw } from './dfl.ts';
import { decodeEndToEnd, decodeEndToEndObb, decodeEndToEndPose, decodeEndToEndSeg } from './end-to-end.ts';
import { decodeBlazeFace, decodeScrfd, decodeYuNet } from './faces.ts';
import { decodeFastestDet } from './fastestdet.ts';
import { decodeFcos } from './fcos.ts';
import { decodeEfficientDetRows, decodeYoloNasFlat } from './flat-rows.ts';
import {
  decodeEfficientNms,
  decodeMmdeploy,
  decodePaddleDetection,
  decodeTfDetections,
  decodeTorchvision,
  decodeYolov7EndToEnd,
} from './post-nms.ts';
import { type PreprocessingChoice, preprocessingPresets as presets } from './preprocessing.ts';
import { decodeEfficientDet, decodeRetinaNet } from './retinanet.ts';
import { decodeRetinaFace, decodeSsd, decodeUltraFace, decodeUltraFaceRaw } from './ssd.ts';
import { decodeDetrConcatenated, decodeYoloNas, decodeYolov8Rows, decodeYolov8SegRows } from './tables.ts';
import type { Candidates, Decode, DecodeOptions, HeadName, HeadOptions, ModelOutputs } from './types.ts';
import { decodeYolov3, decodeYolov5Raw } from './yolo-anchors.ts';
import { decodeYolov4 } from './yolov4.ts';
import { decodeYolov5, decodeYolov5Seg } from './yolov5.ts';
import { decodeYolov5Face } from './yolov5-face.ts';
import { decodeYolov8 } from './yolov8.ts';
import { decodeYolov8Obb, decodeYolov8Pose, decodeYolov8Seg } from './yolov8-tasks.ts';
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

type Row = readonly [string, string, Decode, PreprocessingChoice, 'nms-free'?];

const rows: Readonly<Record<HeadName, Row>> = {
  yolov8: ['YOLOv8/9/11/12', '[N, 4 + C, A]', decodeYolov8, presets.ultralytics],
  'yolov8-seg': ['YOLOv8/11-seg', '[N, 4 + C + M, A], [N, M, h, w]', decodeYolov8Seg, presets.ultralytics],
  'yolov8-pose': ['YOLOv8/11-pose', '[N, 4 + C + 3K, A]', decodeYolov8Pose, presets.ultralytics],
  'yolov8-obb': ['YOLOv8/11-obb', '[N, 4 + C + 1, A]', decodeYolov8Obb, presets.ultralytics],
  'yolov8-rows': ['YOLOv8 (transposed)', '[N, A, 4 + C]', decodeYolov8Rows, presets.ultralytics],
  'yolov8-seg-rows': [
    'YOLOv8-seg (transposed)',
    '[N, A, 4 + C + M], [N, M, h, w]',
    decodeYolov8SegRows,
    presets.ultralytics,
  ],
  'yolov8-raw': ['YOLOv8 (raw levels)', '[N, 64 + C, H, W] a level', decodeYolov8Raw, presets.ultralytics],
  yolov5: ['YOLOv5/6/7', '[N, A, 5 + C]', decodeYolov5, presets.ultralytics],
  'yolov5-seg': ['YOLOv5-seg', '[N, A, 5 + C + M], [N, M, h, w]', decodeYolov5Seg, presets.ultralytics],
  'yolov5-face': ['YOLOv5-face', '[N, A, 5 + 2K + C]', decodeYolov5Face, presets.ultralytics],
  'yolov5-raw': [
    'YOLOv5/7 (raw levels)',
    '[N, 3, H, W, 5 + C] a level',
    decodeYolov5Raw,
    presets.ultralytics,
  ],
  yolov3: ['YOLOv2/3/4 (raw levels)', '[N, 3·(5 + C), H, W] a level', decodeYolov3, presets.ultralytics],
  yolov4: ['YOLOv4 (pytorch-YOLOv4)', '[N, A, 1, 4], [N, A, C]', decodeYolov4, presets.torchvision],
  yolox: ['YOLOX', '[N, A, 5 + C] raw offsets', decodeYolox, presets.yolox],
  'yolo-nas': ['YOLO-NAS', '[N, A, 4], [N, A, C]', decodeYoloNas, presets.ultralytics],
  'yolo-nas-flat': ['YOLO-NAS (flat)', '[R, 7]', decodeYoloNasFlat, presets.ultralytics, 'nms-free'],
  'end-to-end': ['YOLOv10/26', '[N, rows, 6]', decodeEndToEnd, presets.ultralytics, 'nms-free'],
  'end-to-end-seg': [
    'YOLO26-seg',
    '[N, rows, 6 + M], [N, M, h, w]',
    decodeEndToEndSeg,
    presets.ultralytics,
    'nms-free',
  ],
  'end-to-end-pose': [
    'YOLO26-pose',
    '[N, rows, 6 + 3K]',
    decodeEndToEndPose,
    presets.ultralytics,
    'nms-free',
  ],
  'end-to-end-obb': ['YOLO26-obb', '[N, rows, 7]', decodeEndToEndObb, presets.ultralytics, 'nms-free'],
  'yolov7-end-to-end': [
    'YOLOv7 end-to-end',
    '[rows, 7]',
    decodeYolov7EndToEnd,
    presets.ultralytics,
    'nms-free',
  ],
  detr: ['DETR family (sigmoid)', '[N, Q, C], [N, Q, 4]', decodeDetr, presets.detr, 'nms-free'],
  'detr-seg': [
    'RF-DETR-seg/D-FINE-seg',
    '[N, Q, C], [N, Q, 4], [N, Q, h, w]',
    decodeDetrSeg,
    presets.imagenet,
    'nms-free',
  ],
  'detr-softmax': [
    'DETR (softmax)',
    '[N, Q, C + 1], [N, Q, 4]',
    decodeDetrSoftmax,
    presets.detrImagenet,
    'nms-free',
  ],
  'detr-concatenated': [
    'RT-DETR (Ultralytics)',
    '[N, Q, 4 + C]',
    decodeDetrConcatenated,
    presets.torchvision,
    'nms-free',
  ],
  'detr-decoded': [
    'DETR family (decoded)',
    '[N, Q], [N, Q, 4], [N, Q]',
    decodeDetrDecoded,
    presets.detr,
    'nms-free',
  ],
  fastestdet: ['FastestDet', '[N, 5 + C, H, W]', decodeFastestDet, presets.fastestdet],
  nanodet: [
    'NanoDet/PicoDet/GFL',
    '[N, cells, C], [N, cells, 4·bins] a level',
    decodeNanoDet,
    presets.nanodet,
  ],
  'nanodet-plus': ['NanoDet-Plus', '[N, cells, C + 4·bins]', decodeNanoDetPlus, presets.nanodet],
  ssd: ['SSD', '[N, P, 4], [N, P, C + 1]', decodeSsd, presets.ssd],
  retinanet: ['RetinaNet', '[N, 9·C, H, W], [N, 36, H, W] a level', decodeRetinaNet, presets.imagenet],
  efficientdet: [
    'EfficientDet',
    '[N, 9·C, H, W], [N, 36, H, W] a level',
    decodeEfficientDet,
    presets.imagenet,
  ],
  'efficientdet-rows': [
    'EfficientDet (AutoML)',
    '[N, R, 7]',
    decodeEfficientDetRows,
    presets.raw,
    'nms-free',
  ],
  fcos: [
    'FCOS/ATSS/RTMDet',
    '[N, C, H, W], [N, 4, H, W], [N, 1, H, W] a level',
    decodeFcos,
    presets.imagenet,
  ],
  centernet: [
    'CenterNet',
    '[N, C, H, W], [N, 2, H, W], [N, 2, H, W]',
    decodeCenterNet,
    presets.imagenet,
    'nms-free',
  ],
  centerface: [
    'CenterFace',
    '[N, 1, H, W], [N, 2, H, W], [N, 2, H, W], [N, 10, H, W]',
    decodeCenterFace,
    presets.centerface,
  ],
  ultraface: ['UltraFace', '[N, P, 2], [N, P, 4]', decodeUltraFace, presets.ultraface],
  'ultraface-raw': ['UltraFace (raw)', '[N, P, 2], [N, P, 4] deltas', decodeUltraFaceRaw, presets.ultraface],
  retinaface: ['RetinaFace', '[N, P, 16]', decodeRetinaFace, presets.retinaface],
  scrfd: ['SCRFD', '[2·cells, 1], [2·cells, 4], [2·cells, 10] a level', decodeScrfd, presets.scrfd],
  yunet: ['YuNet', '[N, cells, 1], […, 1], […, 4], […, 10] a level', decodeYuNet, presets.yunet],
  blazeface: ['BlazeFace', '[N, 896, 1], [N, 896, 16]', decodeBlazeFace, presets.blazeface],
  'tf-detections': [
    'TensorFlow detection API',
    '[N, R, 4], [N, R], [N, R], [N]',
    decodeTfDetections,
    presets.raw,
    'nms-free',
  ],
  torchvision: [
    'torchvision detection',
    '[R, 4], [R], [R]',
    decodeTorchvision,
    presets.torchvision,
    'nms-free',
  ],
  'efficient-nms': [
    'EfficientNMS',
    '[N, 1], [N, R, 4], [N, R], [N, R]',
    decodeEfficientNms,
    presets.ultralytics,
    'nms-free',
  ],
  mmdeploy: ['mmdetection (mmdeploy)', '[N, R, 5], [N, R]', decodeMmdeploy, presets.mmdetection, 'nms-free'],
  'paddle-detection': ['PaddleDetection', '[R, 6], [N]', decodePaddleDetection, presets.imagenet, 'nms-free'],
};

/** Every head by name. */
export const heads = /* @__PURE__ */ Object.fromEntries(
  /* @__PURE__ */ Object.entries(rows).map(([name, [family, layout, decode, preprocessing, nms]]) => [
    name,
    { name, family, layout, decode, preprocessing, nmsFree: nms === 'nms-free' },
  ]),
) as unknown as Readonly<Record<HeadName, Head>>;

/** Names of all heads. */
export const headNames = /* @__PURE__ */ Object.keys(heads) as readonly HeadName[];

/**
 * Decodes with the head of that name.
 *
 * An unknown name is an `OptionError` listing the names. Outputs of another layout are a `LayoutError` whose
 * `details.fits` names the heads that read them: here all heads are at hand, and each is tried.
 */
export function decode(
  name: HeadName,
  outputs: ModelOutputs,
  options: DecodeOptions & HeadOptions,
): Candidates {
  if (!Object.hasOwn(heads, name)) {
    throw new OptionError(`head: expected one of ${headNames.join(', ')}, got ${String(name)}`, { name });
  }
  checkArguments(outputs, options);
  try {
    return heads[name].decode(outputs, options);
  } catch (error) {
    const known =
      error instanceof LayoutError ? (error.details.fits as readonly string[] | undefined) : undefined;
    if (!(error instanceof LayoutError) || known === undefined || known.length > 0) throw error;
    const fits = headNames.filter((other) => other !== name && reads(other, outputs, options));
    if (fits.length === 0) throw error;
    const message = `${error.message}; these dims fit the head ${fits.join(' or ')}`;
    throw new LayoutError(message, { ...error.details, fits });
  }
}

/** What the types say, for callers without them. */
function checkArguments(outputs: ModelOutputs, options: DecodeOptions): void {
  const input = options?.input;
  if (!(input?.width > 0 && input.height > 0)) {
    throw new OptionError(`input: expected the model input's { width, height } in pixels, got ${input}`, {});
  }
  if (typeof outputs !== 'object' || outputs === null) {
    throw new LayoutError(`outputs: expected tensors { data, dims } by name, got ${outputs}`);
  }
  for (const [name, tensor] of Object.entries(outputs)) {
    if (Array.isArray(tensor?.dims) && typeof tensor.data === 'object') continue;
    throw new LayoutError(`outputs: expected tensors { data, dims } by name; ${name} is none`, { name });
  }
}

/** Whether a head takes these outputs; nothing passes the threshold, so nothing is computed in vain. */
function reads(name: HeadName, outputs: ModelOutputs, { input, image = 0 }: DecodeOptions): boolean {
  try {
    heads[name].decode(outputs, { input, image, scoreThreshold: Number.POSITIVE_INFINITY });
    return true;
  } catch {
    return false;
  }
}
