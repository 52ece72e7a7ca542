/**
 * The run-time scalars behind {@link Guards}: generated code reads them as parameters, and a preset is a set of values.
 *
 * Two sets of guards exist. The full set costs a few operations a pair and serves every preset (float64 loops, WGSL,
 * gradients). The lean set has what torchvision's matrix functions have, and is what float32 loops and SIMD kernels use.
 */
import { parameter } from './expression.ts';
import type { Guards } from './terms.ts';

/** Largest finite float32: a bound that never binds, which WGSL can also write. */
export const unbounded = 3.4028234663852886e38;

/** Value of each guard where no preset says otherwise: torchvision's matrix functions. */
export const defaultGuards = {
  unionEps: 0,
  unionFloor: -unbounded,
  enclosingEps: 0,
  enclosingFloor: -unbounded,
  penaltyEnclosingEps: 0,
  penaltyUnionEps: 0,
  diagonalEps: 1e-7,
  heightEps: 0,
  shapeHeightEps: 0,
  centreEps: 0,
  extentFloor: -unbounded,
  alphaEps: 1e-7,
  alphaGate: -unbounded,
  lowest: -unbounded,
  highest: unbounded,
} as const;

export type GuardName = keyof typeof defaultGuards;
export type GuardValues = Readonly<Partial<Record<GuardName, number>>>;

/** Every guard as a run-time scalar. */
export const fullGuards: Guards = Object.fromEntries(
  Object.keys(defaultGuards).map((name) => [name, parameter(name)]),
);

/** The guards of the lean loops; the others must be at their defaults. */
export const leanGuards: Guards = { diagonalEps: parameter('diagonalEps'), alphaEps: parameter('alphaEps') };
