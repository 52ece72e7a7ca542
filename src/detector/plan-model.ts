/**
 * Model bytes + options → the plan of a detector: which head, which pre-processing, which inputs.
 *
 * What the options say wins, then what the model's bytes say, then the conventions of the head's family.
 */
import { AmbiguousModelError, LayoutError, ModelError, OptionError } from '../errors.ts';
import {
  type HeadCandidate,
  heads,
  inspectModel,
  type ModelInspection,
  type TensorInfo,
} from '../heads/index.ts';
import { checkCount, checkNumber, choiceOption } from '../options.ts';
import type { DetectorPlan, ImageTensorType } from './plan.ts';
import { sideInputs } from './side-inputs.ts';
import type { DetectorOptions, Preprocessing } from './types.ts';

type PlanOptions = Pick<DetectorOptions, 'head' | 'preprocessing' | 'classNames'>;

/** What a head's candidate adds to the plan; a head that inspection did not name brings its family's habits. */
type Choice = Pick<
  HeadCandidate,
  'head' | 'family' | 'headOptions' | 'classCount' | 'preprocessing' | 'reasons'
>;

/** Side of the input where neither the options nor the model say: the field's usual one. */
const defaultSide = 640;

const imageTypes: readonly string[] = ['float32', 'float16', 'uint8'] satisfies ImageTensorType[];

/**
 * The plan for a model.
 *
 * Throws {@link ModelError} for what is not ONNX or takes no picture, {@link LayoutError} where no head fits, and
 * {@link AmbiguousModelError} where several do and `head` is not given.
 */
export function planDetector(bytes: Uint8Array<ArrayBuffer>, options: PlanOptions): DetectorPlan {
  const inspection = inspectModel(bytes);
  const choice = chooseHead(inspection, options.head);
  const image = findImageInput(inspection);
  const preprocessing = choosePreprocessing(image, choice, options.preprocessing ?? {});
  const batch = image.dims[0];
  const classNames = options.classNames ?? inspection.classNames;
  return {
    head: choice.head,
    family: choice.family,
    reasons: choice.reasons,
    classNames,
    decoding: {
      ...choice.headOptions,
      ...(choice.classCount === null ? {} : { classCount: choice.classCount }),
    },
    preprocessing,
    image: {
      name: image.name,
      type: image.type as ImageTensorType,
      batch: typeof batch === 'number' ? batch : undefined,
    },
    sides: sideInputs(inspection, image, preprocessing.size),
  };
}

function chooseHead(inspection: ModelInspection, wanted: DetectorOptions['head']): Choice {
  const { candidates, ambiguous, reasons } = inspection;
  if (wanted !== undefined) {
    if (!Object.hasOwn(heads, wanted)) {
      const names = Object.keys(heads).join(', ');
      throw new OptionError(`head: expected one of ${names}, got ${String(wanted)}`, { head: wanted });
    }
    const known = candidates.find(({ head }) => head === wanted);
    if (known !== undefined) return known;
    const { family, preprocessing } = heads[wanted];
    const chosen = [`the head ${wanted} was asked for; the model's bytes do not suggest it`];
    return { head: wanted, family, preprocessing, headOptions: {}, classCount: null, reasons: chosen };
  }
  const best = candidates[0];
  if (ambiguous && best !== undefined) {
    const names = [...new Set(candidates.map(({ head }) => head))];
    throw new AmbiguousModelError(
      `The model's bytes do not tell its head: it may be ${names.join(' or ')}. ` +
        `Say which with the option head, e.g. { head: '${names[0]}' }.`,
      { candidates, reasons },
    );
  }
  const found = candidates.find(({ head }) => head === inspection.head);
  if (found !== undefined) return found;
  const outputs = inspection.outputs.map(({ name, dims }) => `${name} [${dims.join(', ')}]`).join(', ');
  throw new LayoutError(
    `The model is not a detector boxops can decode: no head fits its outputs ${outputs}.`,
    {
      outputs: inspection.outputs,
      reasons,
    },
  );
}

/** The input of rank 4 with three channels. */
function findImageInput({ inputs }: ModelInspection): TensorInfo {
  const image = inputs.find(({ dims }) => dims.length === 4 && (dims[1] === 3 || dims[3] === 3));
  if (image !== undefined && imageTypes.includes(image.type)) return image;
  const list = inputs.map(({ name, type, dims }) => `${name} ${type} [${dims.join(', ')}]`).join(', ');
  throw new ModelError(
    `The model takes no picture: expected an input [N, 3, H, W] or [N, H, W, 3] of ${imageTypes.join(', ')}; got ${list}.`,
    { inputs },
  );
}

function choosePreprocessing(
  image: TensorInfo,
  choice: Choice,
  wanted: Preprocessing,
): Required<Preprocessing> {
  const layout = image.dims[1] === 3 ? 'nchw' : 'nhwc';
  const [height, width] = layout === 'nchw' ? image.dims.slice(2) : image.dims.slice(1, 3);
  checkPreprocessing(wanted);
  const size = {
    width: chooseSide('width', width, wanted.size?.width, choice.preprocessing.size?.width),
    height: chooseSide('height', height, wanted.size?.height, choice.preprocessing.size?.height),
  };
  // float32 of three channels; a wasm runtime addresses 4 GB
  if (12 * size.width * size.height > 2 ** 32) {
    throw new OptionError(
      `preprocessing.size: an input of ${size.width}×${size.height} is more than the 4 GB a runtime can address.`,
      { size },
    );
  }
  const result = { ...choice.preprocessing, ...withoutUndefined(wanted), size, layout } as const;
  if (wanted.layout !== undefined && wanted.layout !== layout) {
    throw new OptionError(`preprocessing.layout: the model's input is ${layout}, got ${wanted.layout}.`, {
      layout,
    });
  }
  return result;
}

/** What the types say, for callers without them: a misspelt fit or a missing number would move every box in silence. */
function checkPreprocessing(options: Preprocessing): void {
  const { size, fit, padValue, antialias, channelOrder, mean, std } = options;
  choiceOption('preprocessing.fit', fit, ['stretch', 'letterbox', 'letterbox-top-left']);
  choiceOption('preprocessing.channelOrder', channelOrder, ['rgb', 'bgr']);
  checkNumber('preprocessing.padValue', padValue ?? 0, 0, 255);
  if (typeof (antialias ?? false) !== 'boolean') {
    throw new OptionError(`preprocessing.antialias: expected true or false, got ${String(antialias)}`, {
      antialias,
    });
  }
  if (size !== undefined) {
    checkCount('preprocessing.size.width', size.width);
    checkCount('preprocessing.size.height', size.height);
  }
  if (!isTriple(mean ?? [0, 0, 0]) || !isTriple(std ?? [1, 1, 1]) || std?.some((value) => value === 0)) {
    throw new OptionError('preprocessing: mean must be three finite numbers, std three that are not 0.', {
      mean,
      std,
    });
  }
}

function isTriple(values: unknown): boolean {
  return Array.isArray(values) && values.length === 3 && values.every(Number.isFinite);
}

function chooseSide(
  name: 'width' | 'height',
  fixed: number | string | undefined,
  wanted: number | undefined,
  suggested: number | undefined,
): number {
  if (typeof fixed !== 'number') return wanted ?? suggested ?? defaultSide;
  if (wanted === undefined || wanted === fixed) return fixed;
  throw new OptionError(
    `preprocessing.size.${name}: the model's input is fixed to ${fixed}, got ${wanted}.`,
    {
      fixed,
      wanted,
    },
  );
}

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
