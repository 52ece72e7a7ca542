/** The kernels that order candidates and tell which suppress which: `rank`, `compare`, `scan` (see `shaders.ts`). */
import type { MetricWgsl } from '../../iou/wgsl.ts';
import { bind, candidateLimit, common } from './shader-layout.ts';

const words = candidateLimit / 32;

export const rank = `
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

export function compare({ source, parameters, aTermCount, bTermCount }: MetricWgsl): string {
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

export const scan = `${common}
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
