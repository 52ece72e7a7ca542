/**
 * IoU variants as ONNX graphs of ordinary operators, coordinate by coordinate with broadcasting: the form that keeps
 * the fewest and smallest intermediates, and what someone with onnxruntime at hand would write.
 */
import { constant, FLOAT, INT64, integer, integers, model, name, node, value } from '../nms/onnx-model.ts';
import type { BenchKind, BenchMetric } from './peer.ts';

type Bytes = readonly number[];

/** `a` [N, 4] and `b` [M, 4] to `similarity` [N, M], or to `best` [N] and `index` [N]. */
export function iouModel(kind: BenchKind, metric: BenchMetric): Uint8Array {
  const nodes: Bytes[] = [];
  const one = (
    operator: string,
    inputs: readonly string[],
    output: string,
    attributes: readonly Bytes[] = [],
  ): string => {
    nodes.push(node(operator, inputs, output, attributes));
    return output;
  };
  nodes.push(node('Split', ['a'], ['ax1', 'ay1', 'ax2', 'ay2'], [integer('axis', 1)]));
  one('Transpose', ['b'], 'bt', [integers('perm', [1, 0])]);
  nodes.push(node('Split', ['bt'], ['bx1', 'by1', 'bx2', 'by2'], [integer('axis', 0)]));
  for (const side of ['a', 'b']) {
    one('Sub', [`${side}x2`, `${side}x1`], `${side}w`);
    one('Sub', [`${side}y2`, `${side}y1`], `${side}h`);
    one('Mul', [`${side}w`, `${side}h`], `${side}Area`);
  }
  for (const axis of ['x', 'y']) {
    one('Min', [`a${axis}2`, `b${axis}2`], `low${axis}`);
    one('Max', [`a${axis}1`, `b${axis}1`], `high${axis}`);
    one('Relu', [one('Sub', [`low${axis}`, `high${axis}`], `overlap${axis}`)], `side${axis}`);
  }
  one('Mul', ['sidex', 'sidey'], 'intersection');
  one('Sub', [one('Add', ['aArea', 'bArea'], 'areas'), 'intersection'], 'union');
  let result = one('Div', ['intersection', 'union'], 'iou');
  if (metric !== 'iou') {
    for (const axis of ['x', 'y']) {
      one('Max', [`a${axis}2`, `b${axis}2`], `far${axis}`);
      one('Min', [`a${axis}1`, `b${axis}1`], `near${axis}`);
      one('Sub', [`far${axis}`, `near${axis}`], `enclosing${axis}`);
    }
    if (metric === 'giou') {
      one('Mul', ['enclosingx', 'enclosingy'], 'enclosing');
      one('Div', [one('Sub', ['enclosing', 'union'], 'empty'), 'enclosing'], 'emptyShare');
      result = one('Sub', ['iou', 'emptyShare'], 'giou');
    } else {
      for (const axis of ['x', 'y']) {
        for (const side of ['a', 'b'])
          one('Add', [`${side}${axis}1`, `${side}${axis}2`], `${side}Twice${axis}`);
        one('Mul', [one('Sub', [`aTwice${axis}`, `bTwice${axis}`], `apart${axis}`), 'half'], `delta${axis}`);
        one('Mul', [`delta${axis}`, `delta${axis}`], `deltaSquared${axis}`);
        one('Mul', [`enclosing${axis}`, `enclosing${axis}`], `enclosingSquared${axis}`);
      }
      one('Add', ['deltaSquaredx', 'deltaSquaredy'], 'distance');
      one('Add', [one('Add', ['enclosingSquaredx', 'enclosingSquaredy'], 'diagonal'), 'eps'], 'diagonalEps');
      result = one('Sub', ['iou', one('Div', ['distance', 'diagonalEps'], 'share')], 'diou');
    }
    if (metric === 'ciou') {
      // The arctangents are those of one box each, as anyone would write them.
      for (const side of ['a', 'b'])
        one('Atan', [one('Div', [`${side}w`, `${side}h`], `${side}Ratio`)], `${side}Angle`);
      one('Sub', ['bAngle', 'aAngle'], 'turn');
      one('Mul', [one('Mul', ['turn', 'turn'], 'turnSquared'), 'aspectScale'], 'v');
      one('Add', [one('Add', [one('Sub', ['one', 'iou'], 'left'), 'v'], 'leftV'), 'eps'], 'divisor');
      one('Mul', [one('Div', ['v', 'divisor'], 'alpha'), 'v'], 'aspect');
      result = one('Sub', ['diou', 'aspect'], 'ciou');
    }
  }
  const outputs: Bytes[] = [];
  if (kind === 'pairwise') {
    outputs.push(value(12, result, FLOAT, ['n', 'm']));
  } else {
    one('ReduceMax', [result], 'best', [integers('axes', [1]), integer('keepdims', 0)]);
    one('ArgMax', [result], 'index', [integer('axis', 1), integer('keepdims', 0)]);
    outputs.push(value(12, 'best', FLOAT, ['n']), value(12, 'index', INT64, ['n']));
  }
  return model([
    ...nodes.flat(),
    ...name(2, metric),
    ...constant('half', FLOAT, [0.5]),
    ...constant('one', FLOAT, [1]),
    ...constant('eps', FLOAT, [1e-7]),
    ...constant('aspectScale', FLOAT, [4 / Math.PI ** 2]),
    ...value(11, 'a', FLOAT, ['n', 4]),
    ...value(11, 'b', FLOAT, ['m', 4]),
    ...outputs.flat(),
  ]);
}
