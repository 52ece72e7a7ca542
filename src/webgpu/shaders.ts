/**
 * The kernels, written around a metric's function: matrix (one thread a pair), aligned (one thread a pair of equal
 * index), best match and best two (one thread a row, maxima and indices in registers, no matrix).
 *
 * Boxes come as integers, so that NaN and infinity are told by their bits: a shader compiler may assume that floats are
 * neither. Results leave as bits for the same reason. Images of a batch are segments of the job, found by bisection.
 */
import type { MetricWgsl } from '../iou/wgsl.ts';
import type { JobKind } from './types.ts';

export const workgroupSize = 64;

/** Words of `job` before the metric's parameters: segments, threads, threads a grid row, resume, first index of b. */
export const headerWords = 5;
/** Words a segment: first thread, first box of a, first box of b, end of b. */
export const segmentWords = 4;

/** A kernel: `'bestTwo'` is the best match that keeps the second too. */
export type Kernel = JobKind | 'bestTwo';

/** Words of one result. */
export const resultWords: Readonly<Record<Kernel, number>> = {
  pairwise: 1,
  aligned: 1,
  bestMatch: 2,
  bestTwo: 4,
};

export const binding = { a: 0, b: 1, job: 2, result: 3, aTerms: 4, bTerms: 5 } as const;

const bodies: Readonly<Record<Kernel, string>> = {
  pairwise: `
  let segment = segmentOf(item);
  let columns = job[segment + 3u] - job[segment + 2u];
  let local = item - job[segment];
  let i = job[segment + 1u] + local / columns;
  let j = job[segment + 2u] + local % columns;
  result[item] = select(0x7fc00000u, bitcast<u32>(compare(i, j)), finite(a[i]) && finite(b[j]));`,
  aligned: `
  result[item] = select(0x7fc00000u, bitcast<u32>(compare(item, item)), finite(a[item]) && finite(b[item]));`,
  bestMatch: `
  let segment = segmentOf(item);
  let i = job[segment + 1u] + item - job[segment];
  var best = 0.0;
  var index = -1;
  if (job[3] != 0u) {
    best = bitcast<f32>(select(0u, result[2u * item], result[2u * item + 1u] != 0xffffffffu));
    index = bitcast<i32>(result[2u * item + 1u]);
  }
  if (finite(a[i])) {
    let end = job[segment + 3u];
    for (var j = job[segment + 2u]; j < end; j++) {
      let value = compare(i, j);
      if (finite(b[j]) && (index < 0 || value > best)) {
        best = value;
        index = i32(j + job[4]);
      }
    }
  }
  result[2u * item] = select(bitcast<u32>(best), 0xff800000u, index < 0);
  result[2u * item + 1u] = bitcast<u32>(index);`,
  bestTwo: `
  let segment = segmentOf(item);
  let i = job[segment + 1u] + item - job[segment];
  var best = vec2f();
  var index = vec2i(-1);
  if (job[3] != 0u) {
    index = vec2i(bitcast<i32>(result[4u * item + 1u]), bitcast<i32>(result[4u * item + 3u]));
    let kept = vec2u(result[4u * item], result[4u * item + 2u]);
    best = bitcast<vec2f>(select(kept, vec2u(), index < vec2i()));
  }
  if (finite(a[i])) {
    let end = job[segment + 3u];
    for (var j = job[segment + 2u]; j < end; j++) {
      let value = compare(i, j);
      if (!finite(b[j])) { continue; }
      let column = i32(j + job[4]);
      if (index.x < 0 || value > best.x) {
        best = vec2f(value, best.x);
        index = vec2i(column, index.x);
      } else if (index.y < 0 || value > best.y) {
        best.y = value;
        index.y = column;
      }
    }
  }
  let words = select(bitcast<vec2u>(best), vec2u(0xff800000u), index < vec2i());
  result[4u * item] = words.x;
  result[4u * item + 1u] = bitcast<u32>(index.x);
  result[4u * item + 2u] = words.y;
  result[4u * item + 3u] = bitcast<u32>(index.y);`,
};

/** Formats in the order of their number in `loaderShader`. */
export const formatNumbers = { xyxy: 0, xywh: 1, cxcywh: 2, yxyx: 3 } as const;

/**
 * Reads boxes of any layout and format into rows of corners. `job`: boxes, offset, box stride, value stride, format,
 * pixel offset, threads a grid row. A box that is not finite has NaN in every place.
 */
export const loaderShader = `@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read> job: array<u32>;
@group(0) @binding(2) var<storage, read_write> boxes: array<vec4u>;
@compute @workgroup_size(${workgroupSize}) fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x + id.y * job[6];
  if (i >= job[0]) { return; }
  let at = job[1] + i * job[2];
  let step = job[3];
  let words = vec4u(source[at], source[at + step], source[at + 2u * step], source[at + 3u * step]);
  let v = bitcast<vec4f>(words);
  var box = v;
  switch (job[4]) {
    case 1u: { box = vec4f(v.xy, v.xy + v.zw); }
    case 2u: { box = vec4f(v.xy - 0.5 * v.zw, v.xy + 0.5 * v.zw); }
    case 3u: { box = v.yxwz; }
    default: {}
  }
  box += vec4f(0.0, 0.0, f32(job[5]), f32(job[5]));
  let finite = all((words & vec4u(0x7f800000u)) != vec4u(0x7f800000u));
  boxes[i] = select(vec4u(0x7fc00000u), bitcast<vec4u>(box), finite);
}
`;

/**
 * The module of a kernel for a metric; entry point `main`. `swapped`: the rows are the metric's second boxes, the
 * columns its first.
 */
export function shaderOf(kernel: Kernel, metric: MetricWgsl, swapped = false): string {
  const { parameters, source } = metric;
  const [aTermCount, bTermCount] = swapped
    ? [metric.bTermCount, metric.aTermCount]
    : [metric.aTermCount, metric.bTermCount];
  const lines = [
    `@group(0) @binding(${binding.a}) var<storage, read> a: array<vec4u>;`,
    `@group(0) @binding(${binding.b}) var<storage, read> b: array<vec4u>;`,
    `@group(0) @binding(${binding.job}) var<storage, read> job: array<u32>;`,
    `@group(0) @binding(${binding.result}) var<storage, read_write> result: array<u32>;`,
  ];
  if (aTermCount > 0) {
    lines.push(`@group(0) @binding(${binding.aTerms}) var<storage, read> termsOfA: array<vec2f>;`);
  }
  if (bTermCount > 0) {
    lines.push(`@group(0) @binding(${binding.bTerms}) var<storage, read> termsOfB: array<vec2f>;`);
  }
  const aTerms = aTermCount > 0 ? 'termsOfA[i]' : 'vec2f()';
  const bTerms = bTermCount > 0 ? 'termsOfB[j]' : 'vec2f()';
  let last = '';
  if (parameters.length > 0) {
    lines.push(`struct MetricParameters { ${parameters.map((name) => `${name}: f32`).join(', ')} }`);
    last = `, MetricParameters(${parameters.map((_, k) => `bitcast<f32>(job[${headerWords + k}])`).join(', ')})`;
  }
  const sides: readonly [string, string] = ['bitcast<vec4f>(a[i])', 'bitcast<vec4f>(b[j])'];
  const given = swapped
    ? `${sides[1]}, ${sides[0]}, ${bTerms}, ${aTerms}`
    : `${sides.join()}, ${aTerms}, ${bTerms}`;
  const segments = headerWords + parameters.length;
  return `${lines.join('\n')}
${source}
fn compare(i: u32, j: u32) -> f32 {
  return similarity(${given}${last});
}
fn finite(box: vec4u) -> bool {
  return all((box & vec4u(0x7f800000u)) != vec4u(0x7f800000u));
}
fn segmentOf(item: u32) -> u32 {
  var low = 0u;
  var high = job[0];
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (item < job[${segments}u + ${segmentWords}u * middle]) { high = middle; } else { low = middle; }
  }
  return ${segments}u + ${segmentWords}u * low;
}
@compute @workgroup_size(${workgroupSize}) fn main(@builtin(global_invocation_id) id: vec3u) {
  let item = id.x + id.y * job[2];
  if (item >= job[1]) { return; }${bodies[kernel]}
}
`;
}
