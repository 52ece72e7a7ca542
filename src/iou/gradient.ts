/**
 * Similarity and its analytic gradient for aligned pairs: what box regression losses stand on.
 *
 * Named variants run generated loops; combinations, callers' metrics and undetached weights run the evaluator on the
 * derived formula. All is computed in float64 and rounded to the arrays' precision at the end.
 */
import { expectLength } from '../boxes/check.ts';
import type { BoxArray, BoxFormat, Preset } from '../boxes/types.ts';
import { useSimd } from '../kernels/backend.ts';
import { pairGradientKernel } from '../kernels/pair-gradient.ts';
import { guardsFor, pixelOffsetOf } from './conventions.ts';
import { differentiate } from './formula/differentiate.ts';
import { buildGraph } from './formula/graph.ts';
import { defaultGuards } from './formula/guards.ts';
import { Program, programTile } from './formula/program.ts';
import { instantiate } from './formula-metric.ts';
import { formulaOf } from './formula-of.ts';
import { generatedGradients } from './generated/gradients.ts';
import { scalars } from './generated-metric.ts';
import type { Column, GeneratedGradient } from './loops.ts';
import { CornerStore, countBoxes, isNonFinite, withRoom } from './pack.ts';
import type { Metric, MetricConventions } from './types.ts';

export interface IouGradientOut<T extends BoxArray = BoxArray> {
  /** N similarities. */
  readonly values: T;
  /** 4·N: derivative of similarity i with respect to the four numbers of prediction i, in their format. */
  readonly gradient: T;
  /** 4·N: the same with respect to the target. Given only when asked for. */
  readonly targetGradient?: T;
}

export interface IouGradientOptions<T extends BoxArray = BoxArray> {
  /** How boxes are compared. Default `'iou'`. */
  readonly metric?: Metric;
  /** Library whose eps, floors and gates are followed. Default: torchvision. */
  readonly preset?: Preset;
  /** The library's losses or its matrix functions, which differ in their eps. Default `'loss'`. */
  readonly usage?: 'loss' | 'matrix';
  /** Replaces the preset's eps. */
  readonly eps?: number;
  /** Format of both arrays, and of the gradients. Default `'xyxy'`. */
  readonly format?: BoxFormat;
  /** 1 counts a box's last pixel. Default 0. */
  readonly pixelOffset?: 0 | 1;
  /** Also the gradient with respect to the target. Default: when `out` has room for it. */
  readonly withTarget?: boolean;
  /** Receives the results. */
  readonly out?: IouGradientOut<T> | undefined;
}

/**
 * Similarity of prediction i and target i, and its gradient.
 *
 * `prediction` and `target` 4·N → `values` N, `gradient` 4·N (and `targetGradient` 4·N). These are similarities: the loss
 * 1 − S has the negated gradient. float32 in, float32 out; float64 when either array is.
 *
 * Where the paper detaches a weight (CIoU's α) nothing flows through it. Kinks follow torch: ½ to each of two boxes whose
 * edges coincide; at a touching edge the intersection's clamp passes the gradient (mmdetection, Ultralytics; torchvision's
 * losses let none through there). Two boxes without area have IoU 0, with no gradient unless an eps divides. A pair
 * with a coordinate that is not finite has value NaN and gradient 0.
 *
 * @example
 * iouGradient(new Float64Array([0, 0, 2, 2]), new Float64Array([1, 0, 3, 2]), { usage: 'matrix' });
 * // values [0.3333], gradient [0.1111, 0.0556 …]
 */
export function iouGradient<T extends BoxArray>(
  prediction: T,
  target: T,
  options: IouGradientOptions<T> = {},
): IouGradientOut<T> {
  const count = countBoxes(prediction, 'prediction');
  countBoxes(target, 'target');
  expectLength('target', target.length, prediction.length);
  const { metric = 'iou', format = 'xyxy', out } = options;
  const pixelOffset = pixelOffsetOf(options);
  const conventions: MetricConventions = { ...options, usage: options.usage ?? 'loss' };
  const double = prediction instanceof Float64Array || target instanceof Float64Array;
  const create = (length: number, out: T | undefined): T => {
    if (out) return withRoom(out, length);
    return (double ? new Float64Array(length) : new Float32Array(length)) as T;
  };
  const values = create(count, out?.values);
  const gradient = create(4 * count, out?.gradient);
  const withTarget = options.withTarget ?? out?.targetGradient !== undefined;
  const targetGradient = withTarget ? create(4 * count, out?.targetGradient) : null;

  const a = predictions.read(prediction, format, pixelOffset);
  const b = targets.read(target, format, pixelOffset);
  gradientOf(metric, conventions)(a, b, count, values, gradient, targetGradient);
  for (let i = allFinite(a) && allFinite(b) ? count : 0; i < count; i++) {
    if (!isNonFinite(a, 4 * i) && !isNonFinite(b, 4 * i)) continue;
    values[i] = Number.NaN;
    gradient.fill(0, 4 * i, 4 * i + 4);
    targetGradient?.fill(0, 4 * i, 4 * i + 4);
  }
  toFormat(gradient, count, format);
  if (targetGradient === null) return { values, gradient };
  toFormat(targetGradient, count, format);
  return { values, gradient, targetGradient };
}

function allFinite(boxes: BoxArray): boolean {
  let sum = 0;
  for (let i = 0; i < boxes.length; i++) sum += boxes[i]! * 0;
  return sum === 0;
}

const predictions = new CornerStore();
const targets = new CornerStore();

type Loop = (
  a: BoxArray,
  b: BoxArray,
  count: number,
  values: BoxArray,
  gradient: BoxArray,
  targetGradient: BoxArray | null,
) => void;

const cached = new WeakMap<object, Map<string, Loop>>();
const cachedNames = new Map<string, Map<string, Loop>>();

/** The loop of a metric under conventions, made once. */
function gradientOf(metric: Metric, conventions: MetricConventions): Loop {
  const key = `${conventions.preset}|${conventions.usage}|${conventions.eps}`;
  let loops = typeof metric === 'string' ? cachedNames.get(metric) : cached.get(metric);
  let loop = loops?.get(key);
  if (loop === undefined) {
    loop = makeLoop(metric, conventions);
    loops ??= new Map();
    if (loops.size > 64) loops.clear();
    loops.set(key, loop);
    if (typeof metric === 'string') cachedNames.set(metric, loops);
    else cached.set(metric, loops);
  }
  return loop;
}

function makeLoop(metric: Metric, conventions: MetricConventions): Loop {
  const { variant, parameters } = formulaOf(metric);
  const generated: GeneratedGradient | undefined = Object.hasOwn(generatedGradients, variant.name)
    ? generatedGradients[variant.name as keyof typeof generatedGradients]
    : undefined;
  if (generated !== undefined && (typeof metric === 'string' || typeof metric.variant === 'string')) {
    const p = scalars(generated.parameters, {
      ...defaultGuards,
      ...generated.defaults,
      ...guardsFor(variant.name, conventions),
      ...parameters,
    });
    const { name } = variant;
    const kernel: 'giou' | 'ciou' | null = name === 'giou' || name === 'ciou' ? name : null;
    return (a, b, count, values, gradient, targetGradient) => {
      if (
        kernel !== null &&
        count >= 16 &&
        targetGradient === null &&
        a instanceof Float32Array &&
        b instanceof Float32Array &&
        values instanceof Float32Array &&
        gradient instanceof Float32Array &&
        useSimd()
      ) {
        const otherwise = (from: number, to: number): number => {
          const part = [a, b, gradient].map((column) => column.subarray(4 * from, 4 * to)) as [
            Column,
            Column,
            Column,
          ];
          generated.gradient(part[0], part[1], to - from, p, values.subarray(from, to), part[2], null);
          return 0;
        };
        const input = { metric: kernel, count, a, b, guards: p, scale: 1, values, gradient, otherwise };
        if (pairGradientKernel(input) !== null) return;
      }
      generated.gradient(a, b, count, p, values, gradient, targetGradient);
    };
  }
  const formula = instantiate(variant, parameters, conventions);
  return evaluatedGradient([formula, ...differentiate(formula, inputNames)]);
}

const inputNames = ['ax1', 'ay1', 'ax2', 'ay2', 'bx1', 'by1', 'bx2', 'by2'];

/** Runs a value and its eight derivatives through the evaluator. */
function evaluatedGradient(results: Parameters<typeof buildGraph>[0]): Loop {
  const graph = buildGraph(results);
  const program = new Program(graph, graph.outputs, new Set(inputNames));
  const inputs = inputNames.map((name) => program.input(name));
  return (a, b, count, values, gradient, targetGradient) => {
    program.prepare();
    for (let start = 0; start < count; start += programTile) {
      const size = Math.min(programTile, count - start);
      inputs.forEach((memory, k) => {
        if (memory === null) return;
        const boxes = k < 4 ? a : b;
        for (let i = 0; i < size; i++) memory[i] = boxes[4 * (start + i) + (k & 3)]!;
      });
      program.run(size);
      program.copyResult(0, size, values, start);
      for (let k = 0; k < 4; k++) {
        program.copyResult(1 + k, size, gradient, 4 * start + k, 4);
        if (targetGradient !== null) program.copyResult(5 + k, size, targetGradient, 4 * start + k, 4);
      }
    }
  };
}

/** From derivatives by corners to derivatives by the numbers of the format, in place. */
function toFormat(gradient: BoxArray, count: number, format: BoxFormat): void {
  const layout = format.endsWith('n') ? format.slice(0, -1) : format;
  if (layout === 'xyxy') return;
  for (let i = 0; i < 4 * count; i += 4) {
    const x1 = gradient[i]!;
    const y1 = gradient[i + 1]!;
    const x2 = gradient[i + 2]!;
    const y2 = gradient[i + 3]!;
    if (layout === 'yxyx') {
      gradient[i] = y1;
      gradient[i + 1] = x1;
      gradient[i + 2] = y2;
      gradient[i + 3] = x2;
    } else {
      gradient[i] = x1 + x2;
      gradient[i + 1] = y1 + y2;
      gradient[i + 2] = layout === 'xywh' ? x2 : (x2 - x1) / 2;
      gradient[i + 3] = layout === 'xywh' ? y2 : (y2 - y1) / 2;
    }
  }
}
