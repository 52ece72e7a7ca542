/**
 * The kernels of post-processing on the GPU, run one after the other in one submission.
 *
 * `gather`: a thread a row finds its best class (or all classes) above the threshold and appends candidates.
 * `plan`: one thread writes how many groups the next kernels need.
 * `rank`: a thread a candidate counts the better ones, which is its place in score order, ties by row, then class.
 * `compare`: a thread a candidate and 32 worse ones: is the similarity surely above the threshold, is it maybe.
 * `scan`: one group walks the order by 32: a candidate is dropped when a box that is surely kept surely suppresses it;
 * kept, surely or maybe, it is listed.
 * `emit`: a thread a listed candidate copies its row's numbers out.
 *
 * What is listed is a superset of greedy NMS's result that lacks nothing able to change it: a dropped box is suppressed
 * by a kept one, so neither the result nor anything else depends on it. The CPU's exact NMS of the list gives the result.
 */
import { type Family, snippets } from './heads.ts';
import { bind, candidateLimit, common, recordWords, resultHeader } from './shader-layout.ts';
import { compare, rank, scan } from './suppression-shaders.ts';

/**
 * Element `i` as the bits of a float32. float16 is widened in integers: WGSL's own unpacking may take subnormals for 0 and
 * need not keep NaN (WGSL, "Differences from IEEE-754").
 */
const loader = (name: string, half: boolean): string =>
  half
    ? `fn ${name}At(i: u32) -> u32 {
  let bits = ${name}[i / 2u] >> (16u * (i % 2u));
  let sign = (bits & 0x8000u) << 16u;
  let size = bits & 0x7fffu;
  if (size >= 0x7c00u) { return sign | 0x7f800000u | ((size & 0x3ffu) << 13u); }
  if (size >= 0x400u) { return sign | ((size << 13u) + 0x38000000u); }
  return sign | bitcast<u32>(f32(size) * ${2 ** -24});
}`
    : `fn ${name}At(i: u32) -> u32 { return ${name}[i]; }`;

/** Reading the tensors: score `c` of row `r`, and the four numbers of its box. */
const tensors = (halfScores: boolean, halfBoxes: boolean): string => `
${bind(0, 'read', 'scores', 'array<u32>')}
${bind(1, 'read', 'boxes', 'array<u32>')}
${bind(2, 'read', 'job', 'Job')}
${loader('scores', halfScores)}
${loader('boxes', halfBoxes)}
fn scoreBits(row: u32, column: u32) -> u32 {
  return scoresAt(job.scoreBase + row * job.scoreRow + column * job.scoreColumn);
}
fn boxBits(row: u32, column: u32) -> u32 {
  return boxesAt(job.boxBase + row * job.boxRow + column * job.boxColumn);
}`;

const gather = (family: Family, halfScores: boolean, halfBoxes: boolean): string => `${common}
struct State { candidates: atomic<u32>, broken: atomic<u32>, ranked: u32, listed: u32 }
${tensors(halfScores, halfBoxes)}
${bind(3, 'read_write', 'state', 'State')}
${bind(4, 'read_write', 'found', 'array<vec4u>')}
${bind(5, 'read_write', 'foundBoxes', 'array<vec4f>')}
fn isNan(bits: u32) -> bool { return (bits & 0x7fffffffu) > 0x7f800000u; }
fn isFinite(bits: vec4u) -> bool { return all((bits & vec4u(0x7f800000u)) != vec4u(0x7f800000u)); }
fn ordered(bits: u32) -> i32 {
  if (isNan(bits)) { return lowest; }
  let value = bitcast<i32>(bits);
  return select(value, value ^ 0x7fffffff, value < 0);
}
fn rawBox(row: u32) -> vec4f {
  return bitcast<vec4f>(vec4u(boxBits(row, 0u), boxBits(row, 1u), boxBits(row, 2u), boxBits(row, 3u)));
}
${snippets[family].score}
${snippets[family].box}
fn append(row: u32, c: u32, score: i32) {
  if (job.filtered != 0u && ((job.allowed[c / 32u] >> (c % 32u)) & 1u) == 0u) { return; }
  let box = boxOf(row);
  if (score >= 0x7f800000 || !isFinite(bitcast<vec4u>(box))) {
    atomicAdd(&state.broken, 1u);
    return;
  }
  let slot = atomicAdd(&state.candidates, 1u);
  if (slot >= ${candidateLimit}u) { return; }
  found[slot] = vec4u(bitcast<u32>(score), row, c, 0u);
  foundBoxes[slot] = box;
}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= job.rows) { return; }
  if (isNan(scoreBits(row, ${snippets[family].probe}))) { atomicAdd(&state.broken, 1u); }
  var best = job.floor;
  var bestClass = job.classes;
  for (var c = 0u; c < job.classes; c++) {
    let score = scoreOf(row, c);
    if (score <= best) { continue; }
    if (job.everyClass != 0u) { append(row, c, score); continue; }
    best = score;
    bestClass = c;
  }
  if (bestClass < job.classes) { append(row, bestClass, best); }
}`;

const plan = `${common}
${bind(0, 'read_write', 'state', 'array<u32>')}
${bind(1, 'read_write', 'groups', 'array<u32>')}
${bind(2, 'read', 'job', 'Job')}
fn write(at: u32, x: u32) { groups[at] = x; groups[at + 1u] = 1u; groups[at + 2u] = 1u; }
@compute @workgroup_size(1) fn main() {
  let usable = state[0] <= ${candidateLimit}u && state[1] == 0u;
  let count = select(0u, state[0], usable);
  let ranked = select(count, min(count, job.maxCandidates), job.suppress != 0u);
  let across = (ranked + 31u) / 32u;
  state[2] = ranked;
  state[3] = select(0xffffffffu, count, usable && job.suppress == 0u && count <= job.maxRecords);
  let work = job.suppress != 0u;
  write(0u, select(0u, (count + 63u) / 64u, work));
  write(3u, select(0u, (ranked * across + 63u) / 64u, work));
  write(6u, select(0u, 1u, work && usable));
}`;

const emit = (halfScores: boolean, halfBoxes: boolean): string => `${common}
${tensors(halfScores, halfBoxes)}
${bind(3, 'read', 'state', 'array<u32>')}
${bind(4, 'read', 'listing', 'array<vec4u>')}
${bind(5, 'read', 'list', 'array<u32>')}
${bind(6, 'read_write', 'result', 'array<u32>')}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let k = id.x;
  if (k < ${resultHeader}u) { result[k] = state[k]; }
  if (state[3] == 0xffffffffu || k >= state[3]) { return; }
  var place = k;
  if (job.suppress != 0u) { place = list[k]; }
  let row = listing[place].y;
  let c = listing[place].z;
  let at = ${resultHeader}u + k * (${recordWords}u + job.extraCount);
  result[at] = row;
  result[at + 1u] = c;
  result[at + 2u] = scoreBits(row, job.firstClass + c);
  if (job.aux != 0xffffffffu) { result[at + 3u] = scoreBits(row, job.aux); }
  for (var side = 0u; side < 4u; side++) { result[at + 4u + side] = boxBits(row, side); }
  for (var e = 0u; e < job.extraCount; e++) {
    result[at + ${recordWords}u + e] = scoreBits(row, job.extraFrom + e);
  }
}`;

/** The source of every kernel for tensors of these types, a family of heads and a metric; entry points are `main`. */
export const kernelSources = {
  gather,
  plan: () => plan,
  rank: () => rank,
  compare,
  scan: () => scan,
  emit,
} as const;
