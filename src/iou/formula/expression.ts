/**
 * The expressions an IoU variant is written in: numbers per pair of boxes, built with a dozen functions.
 *
 * An expression is a plain immutable node; nothing is computed when it is built. {@link ./graph.ts} merges equal nodes,
 * {@link ./differentiate.ts} derives it, the emitters turn it into JavaScript and WGSL, and {@link ./program.ts} runs it
 * as it is. Every division is a {@link ratio}, which says what it is worth when the divisor is 0, so no 0/0 is formed.
 */

/** What a node does with its `inputs`. `input` and `parameter` read by `name`, `constant` is `value`. */
export type Operation =
  | 'input'
  | 'parameter'
  | 'constant'
  | 'add'
  | 'sub'
  | 'mul'
  | 'min'
  | 'max'
  | 'abs'
  | 'sqrt'
  | 'exp'
  | 'log'
  | 'ratio'
  | 'select'
  | 'step'
  | 'angle'
  | 'power'
  | 'detach';

/** One node of a formula. Build with the functions below. */
export interface Expression {
  readonly operation: Operation;
  readonly inputs: readonly Expression[];
  /** Of a constant. */
  readonly value?: number;
  /** Of an input or parameter; elsewhere a label that generated code uses as the variable's name. */
  readonly name?: string;
}

/** What the building functions take: numbers become constants. */
export type Operand = Expression | number;

/** A coordinate of box a or b, e.g. `'ax1'`. */
export function input(name: string): Expression {
  return { operation: 'input', inputs: [], name };
}

/** A run-time scalar: eps, exponent, image size … */
export function parameter(name: string): Expression {
  return { operation: 'parameter', inputs: [], name };
}

export function constant(value: number): Expression {
  return { operation: 'constant', inputs: [], value };
}

function toExpression(operand: Operand): Expression {
  return typeof operand === 'number' ? constant(operand) : operand;
}

function node(operation: Operation, ...operands: Operand[]): Expression {
  return { operation, inputs: operands.map(toExpression) };
}

function isConstant(operand: Operand, value: number): boolean {
  return typeof operand === 'number'
    ? operand === value
    : operand.operation === 'constant' && operand.value === value;
}

/** The number an operand surely is, or null. */
export function constantValue(operand: Operand): number | null {
  if (typeof operand === 'number') return operand;
  return operand.operation === 'constant' ? operand.value! : null;
}

function fold(a: Operand, b: Operand, combine: (x: number, y: number) => number): Expression | null {
  const x = constantValue(a);
  const y = constantValue(b);
  return x === null || y === null ? null : constant(combine(x, y));
}

/** Sum of two or more, from the left. */
export function add(first: Operand, ...rest: Operand[]): Expression {
  return rest.reduce<Expression>((sum, term) => {
    if (isConstant(sum, 0)) return toExpression(term);
    if (isConstant(term, 0)) return sum;
    return fold(sum, term, (x, y) => x + y) ?? node('add', sum, term);
  }, toExpression(first));
}

export function sub(a: Operand, b: Operand): Expression {
  if (isConstant(b, 0)) return toExpression(a);
  return fold(a, b, (x, y) => x - y) ?? node('sub', a, b);
}

/** Product of two or more, from the left. */
export function mul(first: Operand, ...rest: Operand[]): Expression {
  return rest.reduce<Expression>((product, factor) => {
    if (isConstant(product, 0) || isConstant(factor, 0)) return constant(0);
    if (isConstant(product, 1)) return toExpression(factor);
    if (isConstant(factor, 1)) return product;
    return fold(product, factor, (x, y) => x * y) ?? node('mul', product, factor);
  }, toExpression(first));
}

export function negate(a: Operand): Expression {
  return sub(0, a);
}

export function square(a: Operand): Expression {
  return mul(a, a);
}

/** The smaller; at a tie each side gets half of the gradient, and against a constant the other side gets all, as torch. */
export function min(a: Operand, b: Operand): Expression {
  return fold(a, b, Math.min) ?? node('min', a, b);
}

/** The larger; ties as {@link min}. */
export function max(a: Operand, b: Operand): Expression {
  return fold(a, b, Math.max) ?? node('max', a, b);
}

export function clamp(a: Operand, lowest: Operand, highest: Operand): Expression {
  return min(max(a, lowest), highest);
}

/** |a|; its gradient at 0 is 0. */
export function abs(a: Operand): Expression {
  return node('abs', a);
}

/** √a of a ≥ 0; its gradient at 0 is taken as 0. */
export function sqrt(a: Operand): Expression {
  return node('sqrt', a);
}

export function exp(a: Operand): Expression {
  return node('exp', a);
}

/** Natural logarithm of a > 0. */
export function log(a: Operand): Expression {
  return node('log', a);
}

/** numerator / divisor, and `whenZero` where the divisor is exactly 0: there neither of the two has a gradient. */
export function ratio(numerator: Operand, divisor: Operand, whenZero: Operand = 0): Expression {
  const known = constantValue(divisor);
  if (known !== null && known !== 0) return mul(numerator, 1 / known);
  if (isConstant(numerator, 0) && isConstant(whenZero, 0)) return constant(0);
  return node('ratio', numerator, divisor, whenZero);
}

/** `whenGreater` where a > b, else `otherwise`; the comparison itself has no gradient. */
export function select(a: Operand, b: Operand, whenGreater: Operand, otherwise: Operand): Expression {
  const x = constantValue(a);
  const y = constantValue(b);
  if (x !== null && y !== null) return toExpression(x > y ? whenGreater : otherwise);
  return node('select', a, b, whenGreater, otherwise);
}

/** 1 where a > b, ½ where a = b, else 0: the weight of `a` in the gradient of max(a, b). No gradient. */
export function step(a: Operand, b: Operand): Expression {
  return node('step', a, b);
}

/**
 * atan(width / height) of one box, ±π/2 where only the height is 0 and 0 where both are.
 * Only for terms of a single box: they are computed once a box, on the CPU, in double precision.
 */
export function angle(width: Operand, height: Operand): Expression {
  return node('angle', width, height);
}

/** The same value, through which no gradient flows (torch's `.detach()`). */
export function detach(a: Operand): Expression {
  return node('detach', a);
}

/**
 * base^exponent of base ≥ 0: products for a small whole constant, else through exp and log. Where base is 0 (or below) it
 * is 0, or 1 for the exponent 0, and has no gradient. The exponent has none anywhere: it is a parameter.
 */
export function power(base: Operand, exponent: Operand): Expression {
  const known = constantValue(exponent);
  if (known === null || !Number.isInteger(known) || known < 1 || known > 8)
    return node('power', base, exponent);
  let product = toExpression(base);
  for (let i = 1; i < known; i++) product = mul(product, base);
  return product;
}

/** Names an intermediate result: generated code calls its variable so. */
export function label(name: string, expression: Expression): Expression {
  return expression.inputs.length === 0 || expression.name !== undefined
    ? expression
    : { ...expression, name };
}
