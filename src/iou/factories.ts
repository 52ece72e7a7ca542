/** Metrics with parameters, and metrics built from others. */

import { OptionError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { add, clamp, type Expression, mul, power, ratio, sub } from './formula/expression.ts';
import { buildGraph, type GraphNode } from './formula/graph.ts';
import { unbounded } from './formula/guards.ts';
import { Terms } from './formula/terms.ts';
import { neverAboveIou, noBound, type Variant } from './formula/variant.ts';
import { formulaMetric } from './formula-metric.ts';
import { formulaOf } from './formula-of.ts';
import { generatedImplementation } from './generated-metric.ts';
import type { Metric, MetricObject } from './types.ts';

/** A generated variant with parameters of the caller's. */
function parameterised(variant: string, parameters: Readonly<Record<string, number>>): MetricObject {
  return {
    name: variant,
    variant,
    parameters,
    implement: (conventions) => generatedImplementation(variant, conventions, parameters),
  };
}

function checkNumber(
  name: string,
  value: number,
  isValid: (value: number) => boolean,
  expected: string,
): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || !isValid(value)) {
    throw new OptionError(`expected ${name} to be ${expected}, got ${String(value)}`, { [name]: value });
  }
  return value;
}

const positive = (value: number): boolean => value > 0;

/**
 * MPDIoU for boxes of an image of this size (Ma and Xu 2023): corner distances relative to its diagonal. For boxes in
 * grid units give the feature map's size.
 */
export function mpdiou(options: { readonly width: number; readonly height: number }): MetricObject {
  const width = checkNumber('width', options.width, positive, 'a size > 0');
  const height = checkNumber('height', options.height, positive, 'a size > 0');
  return parameterised('mpdiou', { imageDiagonalSquared: width ** 2 + height ** 2 });
}

/** NWD with the data set's mean object size in pixels (Wang et al. 2021). Default 12.8, AI-TOD's. */
export function nwd(options: { readonly constant?: number } = {}): MetricObject {
  const constant = checkNumber('constant', options.constant ?? 12.8, positive, 'a size > 0');
  return parameterised('nwd', { constant });
}

/** Shape-IoU with the data set's scale (Zhang and Zhang 2023); 0, the default, weighs both axes alike. */
export function shapeIou(options: { readonly scale?: number } = {}): MetricObject {
  const scale = checkNumber('scale', options.scale ?? 0, (value) => value >= 0, 'a number ≥ 0');
  return parameterised('shapeIou', { scale });
}

/** Powerful-IoU v2 with its attention parameter λ (Liu et al. 2024). Default 1.3. */
export function piou2(options: { readonly lambda?: number } = {}): MetricObject {
  return parameterised('piou2', {
    lambda: checkNumber('lambda', options.lambda ?? 1.3, positive, 'a number > 0'),
  });
}

const alphaFamily = { iou: 'alphaIou', giou: 'alphaGiou', diou: 'alphaDiou', ciou: 'alphaCiou' } as const;

/** The α-IoU family (He et al. 2021): powers of IoU, GIoU, DIoU or CIoU. Default `base` `'iou'`, `alpha` 3. */
export function alphaIou(
  options: { readonly base?: keyof typeof alphaFamily; readonly alpha?: number } = {},
): MetricObject {
  const variant = alphaFamily[choiceOption('base', options.base, ['iou', 'giou', 'diou', 'ciou'])];
  const alpha = checkNumber('alpha', options.alpha ?? 3, positive, 'a number > 0');
  return parameterised(variant, { alpha });
}

/** DIoU with an exponent on the distance share: 1 in the paper, 0.6 in darknet's DIoU-NMS, 0.9 in Cluster-DIoU-NMS. */
export function distanceIou(options: { readonly exponent?: number } = {}): MetricObject {
  const exponent = checkNumber('exponent', options.exponent ?? 1, positive, 'a number > 0');
  if (exponent === 1) return parameterised('diou', {});
  return formulaMetric({
    name: `diou^${exponent}`,
    symmetric: true,
    guardsOf: 'diou',
    formula: (terms) => sub(terms.iou, power(terms.centreShare, exponent)),
    minIou: neverAboveIou,
  });
}

/**
 * CIoU by how its weight α acts: `'always'` (torchvision, detectron2, Ultralytics), `'gated'` where IoU > 0.5
 * (mmdetection 3), or `'undetached'`, with gradient through α (mmdetection 2). The value differs only for `'gated'`.
 */
export function completeIou(
  options: { readonly alpha?: 'always' | 'gated' | 'undetached' } = {},
): MetricObject {
  const alpha = choiceOption('alpha', options.alpha, ['always', 'gated', 'undetached']);
  if (alpha !== 'undetached')
    return parameterised('ciou', { alphaGate: alpha === 'gated' ? 0.5 : -unbounded });
  return formulaMetric({
    name: 'ciou-undetached',
    symmetric: true,
    guardsOf: 'ciou',
    formula: (terms) => {
      const v = terms.aspectDifference;
      const weight = ratio(v, add(sub(1, terms.iou), v, terms.guards.alphaEps ?? 0), 0);
      return terms.clamped(sub(terms.iou, add(terms.centreShare, mul(weight, v))));
    },
    minIou: neverAboveIou,
  });
}

/**
 * Inner-IoU of any metric (Zhang et al. 2023): S + IoU of the boxes scaled by `ratio` about their centres − IoU.
 * A ratio above 1 suits small objects. Default base `'iou'`, ratio 0.7.
 */
export function innerIou(options: { readonly base?: Metric; readonly ratio?: number } = {}): MetricObject {
  const { base = 'iou' } = options;
  const factor = checkNumber('ratio', options.ratio ?? 0.7, positive, 'a number > 0');
  return combined('inner', base, (own, terms) => add(own, sub(terms.scaled(factor, 'inner').iou, terms.iou)));
}

/**
 * Focaler-IoU of any metric (Zhang and Zhang 2024): S + IoU stretched from [d, u] to [0, 1] − IoU.
 * Default base `'iou'`, d 0, u 0.95.
 */
export function focalerIou(
  options: { readonly base?: Metric; readonly d?: number; readonly u?: number } = {},
): MetricObject {
  const { base = 'iou' } = options;
  const d = checkNumber('d', options.d ?? 0, (value) => value >= 0 && value < 1, 'in [0, 1)');
  const u = checkNumber('u', options.u ?? 0.95, (value) => value > d && value <= 1, 'in (d, 1]');
  return combined('focaler', base, (own, terms) =>
    add(own, sub(clamp(ratio(sub(terms.iou, d), u - d, 0), 0, 1), terms.iou)),
  );
}

function combined(
  kind: string,
  base: Metric,
  combine: (own: Expression, terms: Terms) => Expression,
): MetricObject {
  const { variant, parameters } = formulaOf(base);
  return formulaMetric({
    name: `${kind}(${typeof base === 'string' ? base : base.name})`,
    symmetric: variant.symmetric,
    guardsOf: variant.guardsOf ?? variant.name,
    parameters: { ...variant.parameters, ...parameters },
    formula: (terms) => combine(variant.formula(terms), terms),
    minIou: noBound,
  });
}

/**
 * A metric of the caller's own: a formula over the terms of a pair. It works wherever a named metric does, on the CPU
 * and in WGSL; its gradient is derived.
 *
 * Build it with the functions of `boxops` named in the example; every division is a `ratio(n, d, whenZero)`. `minIou`
 * lets suppression prune: give it only if a similarity above t implies a plain IoU above `minIou(t)`. Throws
 * {@link OptionError} for a formula that gives no expression or reads a parameter, of which it has none.
 *
 * @example
 * const dice = defineMetric({
 *   name: 'dice',
 *   formula: ({ a, b, intersection }) => formula.ratio(formula.mul(2, intersection), formula.add(a.area, b.area)),
 * });
 * nms(boxes, scores, { metric: dice });
 */
export function defineMetric(definition: {
  readonly name: string;
  readonly formula: (terms: Terms) => Expression;
  readonly symmetric?: boolean;
  readonly minIou?: (threshold: number) => number | null;
}): MetricObject {
  const { name, formula, symmetric = false, minIou = noBound } = definition;
  const built: Expression | undefined = typeof formula === 'function' ? formula(new Terms()) : undefined;
  if (typeof name !== 'string' || !built?.operation) {
    throw new OptionError('defineMetric needs a name and a formula that gives an expression', { name });
  }
  const stray = buildGraph([built]).nodes.find(isStray);
  if (stray) throw new OptionError(`the formula of ${name} reads an unknown ${stray.name}`, { name });
  const variant: Variant = { name, symmetric, formula, minIou };
  return formulaMetric(variant);
}

/** Whether a node reads what no pair of boxes has. */
function isStray({ operation, name }: GraphNode): boolean {
  return operation === 'parameter' || (operation === 'input' && !/^[ab][xy][12]$/.test(name));
}
