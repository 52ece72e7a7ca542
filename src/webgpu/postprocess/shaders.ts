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
import type { MetricWgsl } from '../../iou/wgsl.ts';
import { type Family, snippets } from './heads.ts';

/** Candidates that may pass the threshold; above, the CPU takes over. */
export const candidateLimit = 4096;
/** Rows that may be kept; above, the CPU takes over. */
export const recordLimit = 1024;
/** Words of a record before its extra columns: row, class, score, aux, box. */
export const recordWords = 8;
/** Words before the records: candidates, broken rows, listed. */
export const resultHeader = 4;

const words = candidateLimit / 32;

/** Fields of `job` in order; all are 4 bytes. `strides` are 4. */
export const jobFields = [
  ['rows', 'u32'],
  ['classes', 'u32'],
  ['scoreBase', 'u32'],
  ['scoreRow', 'u32'],
  ['scoreColumn', 'u32'],
  ['firstClass', 'u32'],
  ['aux', 'u32'],
  ['boxBase', 'u32'],
  ['boxRow', 'u32'],
  ['boxColumn', 'u32'],
  ['extraFrom', 'u32'],
  ['extraCount', 'u32'],
  ['floor', 'i32'],
  ['everyClass', 'u32'],
  ['filtered', 'u32'],
  ['suppress', 'u32'],
  ['maxCandidates', 'u32'],
  ['maxDetections', 'u32'],
  ['maxRecords', 'u32'],
  ['classAware', 'u32'],
  ['threshold', 'f32'],
  ['slack', 'f32'],
  ['pixelOffset', 'f32'],
  ['width', 'u32'],
  ['height', 'u32'],
  ['levels', 'u32'],
] as const;

/** Most words of metric parameters and of the bit set of allowed classes. */
export const metricSlots = 16;

const common = `
struct Job {
  ${jobFields.map(([name, type]) => `${name}: ${type},`).join('\n  ')}
  strides: array<u32, 4>,
  metric: array<f32, ${metricSlots}>,
  allowed: array<u32>,
}
const lowest = i32(-0x7fffffff - 1);
`;

const bind = (at: number, access: 'read' | 'read_write', name: string, type: string): string =>
  `@group(0) @binding(${at}) var<storage, ${access}> ${name}: ${type};`;

const loader = (name: string, half: boolean): string =>
  half
    ? `fn ${name}At(i: u32) -> u32 { return bitcast<u32>(unpack2x16float(${name}[i / 2u])[i % 2u]); }`
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

const rank = `
${bind(0, 'read', 'state', 'array<u32>')}
${bind(1, 'read', 'found', 'array<vec4u>')}
${bind(2, 'read', 'foundBoxes', 'array<vec4f>')}
${bind(3, 'read_write', 'sorted', 'array<vec4u>')}
${bind(4, 'read_write', 'sortedBoxes', 'array<vec4f>')}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let count = state[0];
  if (id.x >= count) { return; }
  let own = found[id.x];
  let score = bitcast<i32>(own.x);
  var place = 0u;
  for (var i = 0u; i < count; i++) {
    let other = found[i];
    let value = bitcast<i32>(other.x);
    let before = other.y < own.y || (other.y == own.y && other.z < own.z);
    place += select(0u, 1u, value > score || (value == score && before));
  }
  if (place >= state[2]) { return; }
  sorted[place] = own;
  sortedBoxes[place] = foundBoxes[id.x];
}`;

function compare({ source, parameters, aTermCount, bTermCount }: MetricWgsl): string {
  const struct =
    parameters.length === 0
      ? ''
      : `struct MetricParameters { ${parameters.map((name) => `${name}: f32`).join(', ')} }`;
  const values =
    parameters.length === 0
      ? ''
      : `, MetricParameters(${parameters.map((_, k) => `job.metric[${k}]`).join(', ')})`;
  const terms = (count: number, box: string): string => (count === 0 ? 'vec2f()' : `vec2f(aspect(${box}))`);
  return `${common}${struct}
${source}
${bind(0, 'read', 'state', 'array<u32>')}
${bind(1, 'read', 'job', 'Job')}
${bind(2, 'read', 'sorted', 'array<vec4u>')}
${bind(3, 'read', 'sortedBoxes', 'array<vec4f>')}
${bind(4, 'read_write', 'sure', 'array<u32>')}
${bind(5, 'read_write', 'maybe', 'array<u32>')}
fn aspect(box: vec4f) -> f32 { return atan((box.z - box.x) / max(box.w - box.y, 1e-20)); }
fn reachOf(box: vec4f) -> f32 { let far = max(abs(box.xy), abs(box.zw)); return max(far.x, far.y); }
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let count = state[2];
  let across = (count + 31u) / 32u;
  if (id.x >= count * across) { return; }
  let i = id.x / across;
  let word = id.x % across;
  let offset = vec4f(0.0, 0.0, job.pixelOffset, job.pixelOffset);
  let kept = sortedBoxes[i] + offset;
  let keptSide = min(kept.z - kept.x, kept.w - kept.y);
  let keptClass = sorted[i].z;
  var surely = 0u;
  var perhaps = 0u;
  for (var j = max(32u * word, i + 1u); j < min(32u * word + 32u, count); j++) {
    if (job.classAware != 0u && sorted[j].z != keptClass) { continue; }
    let box = sortedBoxes[j] + offset;
    let side = min(keptSide, min(box.z - box.x, box.w - box.y));
    let far = max(reachOf(kept), reachOf(box));
    let bit = 1u << (j - 32u * word);
    // Rounding of coordinates counts more the smaller a box is; without area, or so far out that products overflow,
    // nothing is sure.
    if (!(side > 1e-15) || !(far < 1e15)) { perhaps |= bit; continue; }
    let slack = job.slack + 1e-5 * far / side;
    let value = similarity(box, kept, ${terms(aTermCount, 'box')}, ${terms(bTermCount, 'kept')}${values});
    if (!(value < job.threshold - slack)) {
      perhaps |= bit;
      if (value > job.threshold + slack) { surely |= bit; }
    }
  }
  sure[id.x] = surely;
  maybe[id.x] = perhaps;
}`;
}

const scan = `${common}
${bind(0, 'read_write', 'state', 'array<u32>')}
${bind(1, 'read', 'job', 'Job')}
${bind(2, 'read', 'sure', 'array<u32>')}
${bind(3, 'read', 'maybe', 'array<u32>')}
${bind(4, 'read_write', 'list', 'array<u32>')}
var<workgroup> dropped: array<u32, ${words}>;
var<workgroup> doubtful: array<u32, ${words}>;
var<workgroup> count: u32;
var<workgroup> alive: u32;
var<workgroup> certain: u32;
var<workgroup> ended: u32;
@compute @workgroup_size(${words}) fn main(@builtin(local_invocation_index) id: u32) {
  dropped[id] = 0u;
  doubtful[id] = 0u;
  if (id == 0u) { count = state[2]; ended = 0u; }
  let size = workgroupUniformLoad(&count);
  let across = (size + 31u) / 32u;
  var listed = 0u;
  var kept = 0u;
  for (var word = 0u; word < across; word++) {
    if (id == 0u) {
      var gone = dropped[word];
      var doubt = doubtful[word];
      alive = 0u;
      certain = 0u;
      for (var b = 0u; b < min(32u, size - 32u * word); b++) {
        let bit = 1u << b;
        if ((gone & bit) != 0u) { continue; }
        let i = 32u * word + b;
        if (listed == job.maxRecords) { listed = 0xffffffffu; ended = 1u; break; }
        list[listed] = i;
        listed++;
        alive |= bit;
        if ((doubt & bit) == 0u) {
          certain |= bit;
          gone |= sure[i * across + word];
          kept++;
          if (kept == job.maxDetections) { ended = 1u; break; }
        }
        doubt |= maybe[i * across + word];
      }
    }
    if (workgroupUniformLoad(&ended) != 0u) { break; }
    let living = workgroupUniformLoad(&alive);
    let surely = workgroupUniformLoad(&certain);
    if (id > word && id < across) {
      var gone = dropped[id];
      var doubt = doubtful[id];
      var rest = living;
      while (rest != 0u) {
        let b = firstTrailingBit(rest);
        rest &= rest - 1u;
        let at = (32u * word + b) * across + id;
        doubt |= maybe[at];
        if (((surely >> b) & 1u) != 0u) { gone |= sure[at]; }
      }
      dropped[id] = gone;
      doubtful[id] = doubt;
    }
    workgroupBarrier();
  }
  if (id == 0u) { state[3] = listed; }
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
