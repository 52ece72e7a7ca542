/**
 * ProbIoU as WGSL. The determinant, and what it exceeds that of two equal shapes by, are sums of squares here: single
 * precision then loses nothing where boxes are alike, at whose Hellinger distance a root looks through a lens.
 */
import type { MetricWgsl } from './wgsl.ts';

/** Terms of a box are the cosine and sine of its angle, clockwise. Boxes come as unrotated corners. */
const source = `fn similarity(a: vec4f, b: vec4f, aTerms: vec2f, bTerms: vec2f) -> f32 {
  let p = a.zw - a.xy;
  let q = b.zw - b.xy;
  let d = ((a.xy - b.xy) + (a.zw - b.zw)) * 0.5;
  let turnCos = dot(aTerms, bTerms);
  let turnSin = aTerms.y * bTerms.x - aTerms.x * bTerms.y;
  let areas = p.x * p.y - q.x * q.y;
  let alike = turnCos * (p.x * q.y - p.y * q.x);
  let crossed = turnSin * (p.x * q.x - p.y * q.y);
  let excess = (areas * areas + alike * alike + crossed * crossed) / 144.0;
  let own = (p.x * p.y) * (q.x * q.y) / 36.0;
  let u = p.yx * vec2f(dot(d, aTerms), d.y * aTerms.x - d.x * aTerms.y);
  let v = q.yx * vec2f(dot(d, bTerms), d.y * bTerms.x - d.x * bTerms.y);
  let apart = (dot(u, u) + dot(v, v)) / 48.0 / (excess + own + 1e-7);
  let beyond = (excess - 1e-7) / (own + 1e-7) + 1e-7;
  let z = beyond / (2.0 + max(beyond, -0.25));
  let near = 2.0 * z * (1.0 + z * z * (0.33333333 + z * z * (0.2 + z * z * 0.14285714)));
  let far = log((excess + own) / (own + 1e-7) + 1e-7);
  let distance = clamp(apart + 0.5 * select(far, near, abs(beyond) < 0.25), 1e-7, 100.0);
  let series = distance * (1.0 - distance * (0.5 - distance * (0.16666667 - distance * (0.041666667 - distance * (0.0083333333 - distance * 0.0013888889)))));
  let hellinger = select(1.0 - exp(-distance), series, distance < 0.25);
  return 1.0 - sqrt(hellinger + 1e-7);
}`;

export const probIouWgsl: MetricWgsl = {
  key: 'probiou',
  source,
  parameters: [],
  values: new Float32Array(0),
  aTermCount: 1,
  bTermCount: 1,
  aTerms: () => {},
  bTerms: () => {},
};

/** The terms of boxes with these angles, which `factor` turns into radians, clockwise: two numbers a box. */
export function turnTerms(angles: ArrayLike<number>, factor: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(2 * angles.length);
  for (let i = 0; i < angles.length; i++) {
    out[2 * i] = Math.cos(factor * angles[i]!);
    out[2 * i + 1] = Math.sin(factor * angles[i]!);
  }
  return out;
}
