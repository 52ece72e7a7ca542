/**
 * The same experiment on WebGPU, float32: a thread a case, several iterations a dispatch.
 *
 * Similarity and gradient are the library's own WGSL, derived from the formula that the CPU runs. A workgroup adds the
 * errors of its cases; the page adds those of the workgroups.
 */
import { gradientWgsl } from '../../../src/iou/gradient-wgsl.ts';
import type { Metric } from '../../../src/iou/types.ts';
import { areas, aspectRatios, casesOf, casesPerPoint, type Parametrisation } from './cases.ts';

/** `GPUBufferUsage`, which Node has no global of. */
const usage = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;

type Four = [number, number, number, number];

const workgroup = 256;
/** Cases that share a target. */
const perTarget = areas.length * aspectRatios.length;

function shaderOf(metric: Metric, parametrisation: Parametrisation): string {
  const corners = parametrisation === 'corners';
  return `${gradientWgsl(metric)}
struct Job { cases: u32, iterations: u32 }
@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read> rates: array<f32>;
@group(0) @binding(2) var<storage, read> goals: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> boxes: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> errors: array<f32>;
var<workgroup> sums: array<f32, ${workgroup}>;

fn cornersOf(box: vec4f) -> vec4f {
  return ${corners ? 'box' : 'vec4f(box.xy - 0.5 * box.zw, box.xy + 0.5 * box.zw)'};
}
fn slopesOf(corners: vec4f) -> vec4f {
  return ${corners ? 'corners' : 'vec4f(corners.xy + corners.zw, 0.5 * (corners.zw - corners.xy))'};
}
fn overlapOf(a: vec4f, b: vec4f) -> f32 {
  let sides = max(min(a.zw, b.zw) - max(a.xy, b.xy), vec2f());
  let overlap = sides.x * sides.y;
  let sizeA = a.zw - a.xy;
  let sizeB = b.zw - b.xy;
  return overlap / (sizeA.x * sizeA.y + sizeB.x * sizeB.y - overlap + 1e-7);
}
@compute @workgroup_size(${workgroup}) fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) group: vec3u,
) {
  let live = id.x < job.cases;
  let index = min(id.x, job.cases - 1u);
  let goal = goals[(index / ${perTarget}u) % ${aspectRatios.length}u];
  var box = boxes[index];
  for (var t = 0u; t < job.iterations; t++) {
    let before = cornersOf(box);
    let step = similarityGradient(before, goal);
    // the loss is 1 − similarity: down its gradient is up the similarity's
    box += rates[t] * (2.0 - overlapOf(before, goal)) * slopesOf(step.slopes);
    let off = cornersOf(box) - goal;
    let distance = abs(vec4f(0.5 * (off.xy + off.zw), off.zw - off.xy));
    sums[local] = select(0.0, distance.x + distance.y + distance.z + distance.w, live);
    workgroupBarrier();
    for (var half = ${workgroup / 2}u; half > 0u; half /= 2u) {
      if (local < half) { sums[local] += sums[local + half]; }
      workgroupBarrier();
    }
    if (local == 0u) { errors[group.x * job.iterations + t] = sums[0]; }
    workgroupBarrier();
  }
  if (live) { boxes[index] = box; }
}
`;
}

export class GpuRegression {
  readonly #device: GPUDevice;
  readonly #pipeline: GPUComputePipeline;
  readonly #boxes: GPUBuffer;
  readonly #goals: GPUBuffer;
  readonly #cases: number;
  readonly #parametrisation: Parametrisation;
  readonly #targets: Float32Array;

  private constructor(
    device: GPUDevice,
    pipeline: GPUComputePipeline,
    points: Float64Array,
    parametrisation: Parametrisation,
  ) {
    const count = points.length / 2;
    const boxes = Float32Array.from(casesOf(points, 0, count, parametrisation).boxes);
    // the shader's targets are corners whatever is updated; the errors' are what is updated
    const goalsOf = (as: Parametrisation): Float32Array<ArrayBuffer> => {
      const { targets } = casesOf(points, 0, 1, as);
      return Float32Array.from({ length: 4 * aspectRatios.length }, (_, i) => {
        return targets[4 * perTarget * Math.floor(i / 4) + (i % 4)]!;
      });
    };
    this.#device = device;
    this.#pipeline = pipeline;
    this.#parametrisation = parametrisation;
    this.#cases = boxes.length / 4;
    this.#targets = goalsOf(parametrisation);
    this.#boxes = filled(device, boxes, usage.storage | usage.copySource);
    this.#goals = filled(device, goalsOf('corners'), usage.storage);
  }

  static async create(
    device: GPUDevice,
    points: Float64Array,
    metric: Metric,
    parametrisation: Parametrisation,
  ): Promise<GpuRegression> {
    const module = device.createShaderModule({ code: shaderOf(metric, parametrisation) });
    const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
    return new GpuRegression(device, pipeline, points, parametrisation);
  }

  /** An iteration a rate; gives the summed L1 error after each. */
  async advance(rates: readonly number[]): Promise<number[]> {
    const device = this.#device;
    const groups = Math.ceil(this.#cases / workgroup);
    const size = 4 * groups * rates.length;
    const job = filled(device, Uint32Array.of(this.#cases, rates.length), usage.uniform);
    const steps = filled(device, Float32Array.from(rates), usage.storage);
    const errors = device.createBuffer({ size, usage: usage.storage | usage.copySource });
    const group = device.createBindGroup({
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: [job, steps, this.#goals, this.#boxes, errors].map((buffer, binding) => ({
        binding,
        resource: { buffer },
      })),
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(groups);
    pass.end();
    const partial = await read(device, encoder, errors, size);
    for (const buffer of [job, steps, errors]) buffer.destroy();
    const sums = rates.map(() => 0);
    for (let i = 0; i < partial.length; i++) sums[i % rates.length]! += partial[i]!;
    return sums;
  }

  /** L1 error of each point now, summed over its cases. */
  async errors(): Promise<Float64Array> {
    const boxes = await read(
      this.#device,
      this.#device.createCommandEncoder(),
      this.#boxes,
      16 * this.#cases,
    );
    const out = new Float64Array(this.#cases / casesPerPoint);
    const goals = this.#targets;
    for (let i = 0; i < this.#cases; i++) {
      const at = 4 * (Math.floor(i / perTarget) % aspectRatios.length);
      const [a, b, c, d] = [0, 1, 2, 3].map((k) => boxes[4 * i + k]! - goals[at + k]!) as Four;
      out[Math.floor(i / casesPerPoint)]! +=
        this.#parametrisation === 'corners'
          ? Math.abs(a + c) / 2 + Math.abs(b + d) / 2 + Math.abs(c - a) + Math.abs(d - b)
          : Math.abs(a) + Math.abs(b) + Math.abs(c) + Math.abs(d);
    }
    return out;
  }

  destroy(): void {
    this.#boxes.destroy();
    this.#goals.destroy();
  }
}

function filled(device: GPUDevice, data: Float32Array | Uint32Array, use: number): GPUBuffer {
  const buffer = device.createBuffer({ size: data.byteLength, usage: use, mappedAtCreation: true });
  new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  buffer.unmap();
  return buffer;
}

async function read(
  device: GPUDevice,
  encoder: GPUCommandEncoder,
  from: GPUBuffer,
  size: number,
): Promise<Float32Array> {
  const to = device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget });
  encoder.copyBufferToBuffer(from, 0, to, 0, size);
  device.queue.submit([encoder.finish()]);
  await to.mapAsync(usage.mapRead);
  const result = new Float32Array(to.getMappedRange().slice(0));
  to.destroy();
  return result;
}
