/**
 * The three kernels, written around a metric's function: matrix (one thread a pair), aligned (one thread a pair of equal
 * index), best match (one thread a row, maximum and index in registers, no matrix).
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

export const binding = { a: 0, b: 1, job: 2, result: 3, aTerms: 4, bTerms: 5 } as const;

const bodies: Readonly<Record<JobKind, string>> = {
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
};

/** The module of a kernel for a metric; entry point `main`. */
export function shaderOf(kind: JobKind, metric: MetricWgsl): string {
  const { parameters, aTermCount, bTermCount, source } = metric;
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
  const segments = headerWords + parameters.length;
  return `${lines.join('\n')}
${source}
fn compare(i: u32, j: u32) -> f32 {
  return similarity(bitcast<vec4f>(a[i]), bitcast<vec4f>(b[j]), ${aTerms}, ${bTerms}${last});
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
  if (item >= job[1]) { return; }${bodies[kind]}
}
`;
}
