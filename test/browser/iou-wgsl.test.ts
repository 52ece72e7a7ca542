/** The WGSL of every variant and combination compiles and gives the CPU's values, on a real adapter. */
import { describe, expect, it } from 'vitest';
import { generatedMetrics } from '../../src/iou/generated/registry.ts';
import {
  alignedIou,
  completeIou,
  distanceIou,
  focalerIou,
  innerIou,
  type Metric,
  type MetricName,
  mpdiou,
  shapeIou,
} from '../../src/iou/index.ts';
import { metricWgsl } from '../../src/iou/wgsl.ts';
import { boxesOf } from '../golden/iou/boxes.ts';

/** Every row with every column, as aligned pairs. */
function pairsOf(set: string): { a: Float32Array<ArrayBuffer>; b: Float32Array<ArrayBuffer> } {
  const rows = boxesOf(set, 0);
  const columns = boxesOf(set, 1);
  const [n, m] = [rows.length / 4, columns.length / 4];
  const a = new Float32Array(4 * n * m);
  const b = new Float32Array(4 * n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      a.set(rows.subarray(4 * i, 4 * i + 4), 4 * (i * m + j));
      b.set(columns.subarray(4 * j, 4 * j + 4), 4 * (i * m + j));
    }
  }
  return { a, b };
}

async function runOnGpu(
  device: GPUDevice,
  metric: Metric,
  a: Float32Array<ArrayBuffer>,
  b: Float32Array<ArrayBuffer>,
) {
  const { source, parameters, values, aTerms, bTerms } = metricWgsl(metric);
  const count = a.length / 4;
  const struct =
    parameters.length === 0
      ? ''
      : `struct MetricParameters { ${parameters.map((p) => `${p}: f32`).join(', ')} }`;
  const binding =
    parameters.length === 0 ? '' : '@group(0) @binding(5) var<storage, read> p: MetricParameters;';
  const module = device.createShaderModule({
    code: `${struct}
${source}
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read> aTerms: array<vec2f>;
@group(0) @binding(3) var<storage, read> bTerms: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> result: array<f32>;
${binding}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&result)) { return; }
  result[i] = similarity(a[i], b[i], aTerms[i], bTerms[i]${parameters.length === 0 ? '' : ', p'});
}`,
  });
  const messages = (await module.getCompilationInfo()).messages.filter((message) => message.type === 'error');
  expect(messages.map((message) => message.message)).toEqual([]);
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const buffer = (data: Float32Array<ArrayBuffer>): GPUBuffer => {
    const made = device.createBuffer({
      size: Math.max(16, data.byteLength),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(made, 0, data);
    return made;
  };
  const terms = [new Float32Array(2 * count), new Float32Array(2 * count)] as const;
  aTerms(a, terms[0]);
  bTerms(b, terms[1]);
  const result = device.createBuffer({
    size: 4 * count,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
  });
  const read = device.createBuffer({
    size: 4 * count,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const buffers = [buffer(a), buffer(b), buffer(terms[0]), buffer(terms[1]), result];
  if (parameters.length > 0) buffers.push(buffer(values));
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((made, binding) => ({ binding, resource: { buffer: made } })),
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(Math.ceil(count / 64));
  pass.end();
  encoder.copyBufferToBuffer(result, 0, read, 0, 4 * count);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  const out = new Float32Array(read.getMappedRange().slice(0));
  for (const made of [...buffers, read]) made.destroy();
  return out;
}

const named = Object.keys(generatedMetrics).filter((name) => name !== 'mpdiou') as MetricName[];
const metrics: Metric[] = [
  ...named,
  mpdiou({ width: 640, height: 480 }),
  shapeIou({ scale: 1.5 }),
  distanceIou({ exponent: 0.6 }),
  completeIou({ alpha: 'undetached' }),
  completeIou({ alpha: 'gated' }),
  innerIou({ base: 'ciou', ratio: 0.8 }),
  innerIou({ base: 'siou', ratio: 1.3 }),
  focalerIou({ base: 'eiou' }),
];

describe('WGSL of metrics', () => {
  it('every one compiles and equals the CPU', async () => {
    const adapter = await navigator.gpu.requestAdapter();
    expect(adapter).not.toBeNull();
    const device = await adapter!.requestDevice();
    const report: string[] = [];
    try {
      for (const metric of metrics) {
        const name = typeof metric === 'string' ? metric : metric.name;
        // exp and log in WGSL are looser.
        const transcendental = /exp\(|log\(/.test(metricWgsl(metric).source);
        for (const set of ['small', 'pixels', 'image', 'far', 'lattice']) {
          const { a, b } = pairsOf(set);
          const expected = alignedIou(Float64Array.from(a), Float64Array.from(b), { metric });
          const got = await runOnGpu(device, metric, a, b);
          let worst = 0;
          got.forEach((value, i) => {
            const error = Math.abs(value - expected[i]!) / Math.max(1, Math.abs(expected[i]!));
            worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
          });
          if (worst > (transcendental ? 1e-5 : 2e-6)) report.push(`${name} on ${set}: ${worst}`);
        }
      }
    } finally {
      device.destroy();
    }
    expect(report).toEqual([]);
  });
});
