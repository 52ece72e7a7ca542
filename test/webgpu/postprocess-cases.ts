/**
 * Post-processing on the GPU gives what the CPU gives: synthetic tensors of every head with a kernel, decoded and
 * suppressed whole on the CPU and after the GPU has thrown away what cannot matter.
 */
import { describe, expect, it } from 'vitest';
import { DisposedError, UnsupportedError } from '../../src/errors.ts';
import { decode } from '../../src/heads/registry.ts';
import type { Candidates, HeadName, ModelOutputs, TensorLike } from '../../src/heads/types.ts';
import { generatedMetrics } from '../../src/iou/generated/registry.ts';
import { alphaIou, distanceIou, type Metric, type MetricName, mpdiou } from '../../src/iou/index.ts';
import { nms } from '../../src/nms/index.ts';
import {
  GpuReducer,
  type GpuTensor,
  gpuHeads,
  type Reduced,
  type ReduceRequest,
} from '../../src/webgpu/postprocess/index.ts';
import { mix } from '../golden/seeded.ts';
import type { OpenGpu } from './suite.ts';
import { countedDevice, disposeOnSubmit } from './support.ts';

const needsSize: readonly string[] = ['mpdiou'];

/** Every metric by name, and one made by a factory. */
const metrics: Metric[] = [
  ...(Object.keys(generatedMetrics) as MetricName[]).filter((name) => !needsSize.includes(name)),
  mpdiou({ width: 320, height: 320 }),
  distanceIou({ exponent: 0.6 }),
];

const input = { width: 320, height: 320 };
const grid = 2100;

/** Numbers from 0 to 1. */
function seeded(seed: number): () => number {
  let at = mix(seed);
  return () => mix(at++) / 2 ** 32;
}

interface Sample {
  readonly outputs: Record<string, TensorLike>;
  readonly request: ReduceRequest;
}

type Asked = Partial<Omit<ReduceRequest, 'head' | 'input'>>;

function requestOf(head: HeadName, asked: Asked): ReduceRequest {
  return {
    head,
    input,
    decoding: {},
    scoreThreshold: 0.25,
    multiLabel: false,
    classes: undefined,
    ...asked,
    nms: asked.nms === false ? false : { metric: 'iou', iouThreshold: 0.5, maxDetections: 300, ...asked.nms },
  };
}

/** Anchors of which a seventh are jittered boxes of a few objects, with scores that tie now and then. */
function rowsOf(count: number, classes: number, seed: number): { box: number[]; scores: number[] }[] {
  const next = seeded(seed);
  const objects = Array.from({ length: 12 }, () => ({
    box: [320 * next(), 320 * next(), 12 + 90 * next(), 12 + 90 * next()],
    first: Math.floor(classes * next()),
    second: Math.floor(classes * next()),
  }));
  return Array.from({ length: count }, () => {
    const scores = Array.from({ length: classes }, () => 0.2 * next());
    const { box, first, second } = objects[Math.floor(12 * next())]!;
    if (next() > 0.15) return { box: box.map(() => 320 * next()), scores };
    scores[second] = Math.floor(16 * next()) / 16;
    scores[first] = Math.floor(16 * next()) / 16;
    return { box: box.map((value, k) => value + (k < 2 ? 8 : 5) * (next() - 0.5)), scores };
  });
}

/** float16 bits of numbers below 65504, truncated; subnormals included. */
const half = (data: Float32Array): Uint16Array => {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  return Uint16Array.from(bits, (word) => {
    const exponent = ((word >>> 23) & 255) - 112;
    const size =
      exponent > 0
        ? (exponent << 10) | ((word >>> 13) & 1023)
        : ((word & 0x7fffff) | 0x800000) >>> Math.min(31, 14 - exponent);
    return ((word >>> 16) & 0x8000) | size;
  });
};

function columns(
  head: HeadName,
  seed: number,
  asked: Asked = {},
  extra = 0,
  batch = 1,
  classes = 20,
): Sample {
  const rows = 4 + classes + extra;
  const data = new Float32Array(batch * rows * grid);
  const next = seeded(seed + 1);
  for (let image = 0; image < batch; image++) {
    rowsOf(grid, classes, seed + 100 * image).forEach(({ box, scores }, a) => {
      const tail = Array.from({ length: extra }, () => 2 * next() - 1);
      [...box, ...scores, ...tail].forEach((value, r) => {
        data[(image * rows + r) * grid + a] = value;
      });
    });
  }
  return {
    outputs: { output0: { data, dims: [batch, rows, grid], type: 'float32' } },
    request: requestOf(head, asked),
  };
}

/** The same numbers with rows and columns exchanged. */
function transposed({ outputs, request }: Sample): Sample {
  const { data, dims } = outputs.output0!;
  const [, rows = 0, columns = 0] = dims;
  const turned = Float32Array.from(
    data as Float32Array,
    (_, i) => data[(i % rows) * columns + Math.floor(i / rows)] as number,
  );
  return { outputs: { output0: { data: turned, dims: [1, columns, rows], type: 'float32' } }, request };
}

function anchorRows(head: HeadName, seed: number, asked: Asked = {}, extra = 0): Sample {
  const classes = 20;
  const rows = rowsOf(grid, classes, seed);
  const next = seeded(seed + 1);
  const data = Float32Array.from(
    rows.flatMap(({ box, scores }, row) => {
      const raw = head === 'yolox' && asked.decoding?.decoded !== true ? toGrid(box, row) : box;
      const tail = Array.from({ length: extra }, () => 2 * next() - 1);
      return [...raw, 0.5 + Math.max(...scores) / 2, ...scores, ...tail];
    }),
  );
  return {
    outputs: { output: { data, dims: [1, grid, 5 + classes + extra], type: 'float32' } },
    request: requestOf(head, asked),
  };
}

/** A box as YOLOX writes it in the cell of a row. */
function toGrid([x, y, w, h]: number[], row: number): number[] {
  const [stride, cell] = row < 1600 ? [8, row] : row < 2000 ? [16, row - 1600] : [32, row - 2000];
  const across = 320 / stride;
  return [
    x! / stride - (cell % across),
    y! / stride - Math.floor(cell / across),
    Math.log(w! / stride),
    Math.log(h! / stride),
  ];
}

function endToEnd(seed: number, asked: Asked = {}, head: HeadName = 'end-to-end', extra = 0): Sample {
  const next = seeded(seed);
  const rows = Array.from({ length: 300 }, () => {
    const [x, y] = [300 * next(), 300 * next()];
    const row = [x, y, x + 20 * next(), y + 20 * next(), next() * next(), Math.floor(20 * next())];
    return [...row, ...Array.from({ length: extra }, () => 2 * next() - 1)];
  });
  const data = Float32Array.from(rows.flat());
  return {
    outputs: { output0: { data, dims: [1, 300, 6 + extra], type: 'float32' } },
    request: requestOf(head, asked),
  };
}

function detr(seed: number, asked: Asked = {}): Sample {
  const next = seeded(seed);
  const logits = Float32Array.from({ length: 300 * 20 }, () => -6 + 6.1 * next() ** 3);
  const boxes = Float32Array.from({ length: 300 * 4 }, () => 0.1 + 0.8 * next());
  return {
    outputs: {
      logits: { data: logits, dims: [1, 300, 20], type: 'float32' },
      pred_boxes: { data: boxes, dims: [1, 300, 4], type: 'float32' },
    },
    request: requestOf('detr', asked),
  };
}

/** The CPU's answer for an image: candidates that are kept, best first. */
function detect(
  outputs: ModelOutputs,
  { head, decoding, nms: options, ...rest }: ReduceRequest,
  image: number,
) {
  const { classes, ...shared } = rest;
  const found: Candidates = decode(head, outputs, {
    ...decoding,
    ...shared,
    ...(classes && { classes }),
    image,
  });
  const { boxes, scores, classIds, maskCoefficients, keypoints, count } = found;
  const keep =
    found.nmsFree || options === false
      ? Array.from({ length: count }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b)
      : [...nms(boxes, scores, { ...options, classIds })];
  const rows = (column: Float32Array | undefined) => {
    const width = (column?.length ?? 0) / Math.max(1, count);
    return keep.map((i) => [...(column?.subarray(width * i, width * i + width) ?? [])]);
  };
  return {
    boxes: rows(boxes),
    scores: keep.map((i) => scores[i]),
    classIds: keep.map((i) => classIds[i]),
    coefficients: rows(maskCoefficients),
    keypoints: rows(keypoints),
  };
}

function upload(device: GPUDevice, outputs: ModelOutputs): Record<string, GpuTensor> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data, dims, type }]) => {
      const array = data as Float32Array<ArrayBuffer>;
      const buffer = device.createBuffer({ size: 16 * Math.ceil(array.byteLength / 16), usage: 128 | 8 });
      const padded = new Uint8Array(buffer.size);
      padded.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      device.queue.writeBuffer(buffer, 0, padded);
      return [name, { buffer, dims, type: type! }];
    }),
  );
}

export function postprocessTests(open: OpenGpu): void {
  const opened = async () => {
    const counted = await countedDevice(open());
    return { ...counted, reducer: new GpuReducer(counted.device) };
  };
  const same = async (
    reducer: GpuReducer,
    device: GPUDevice,
    sample: Sample,
    label: string,
  ): Promise<Reduced> => {
    const tensors = upload(device, sample.outputs);
    const reduced = await reducer.reduce(tensors, sample.request);
    for (const { buffer } of Object.values(tensors)) buffer.destroy();
    if (typeof reduced === 'string') throw new Error(`${label}: ${reduced}`);
    const outputs = { ...sample.outputs, ...reduced.outputs };
    const images = Object.values(sample.outputs)[0]!.dims[0]!;
    for (let image = 0; image < images; image++) {
      const expected = detect(sample.outputs, sample.request, image);
      expect(expected.scores.length, label).toBeGreaterThan(1);
      expect(detect(outputs, sample.request, image), label).toEqual(expected);
    }
    return reduced;
  };

  describe('post-processing', () => {
    it('keeps what the CPU keeps, for every head with a kernel', async () => {
      const { device, reducer } = await opened();
      const prototypes = { data: new Float32Array(8 * 16).fill(1), dims: [1, 8, 4, 4], type: 'float32' };
      const masked = ({ outputs, request }: Sample): Sample => ({
        outputs: { ...outputs, prototypes },
        request,
      });
      const samples: Record<string, Sample> = {
        yolov8: columns('yolov8', 1),
        'two images': columns('yolov8', 2, {}, 0, 2),
        seg: masked(columns('yolov8-seg', 3, {}, 8)),
        pose: columns('yolov8-pose', 4, {}, 6, 1, 1),
        rows: transposed(columns('yolov8-rows', 5)),
        yolov5: anchorRows('yolov5', 12),
        'yolov5 seg': masked(anchorRows('yolov5-seg', 13, {}, 8)),
        yolox: anchorRows('yolox', 6),
        'yolox decoded': anchorRows('yolox', 7, { decoding: { decoded: true } }),
        'end-to-end': endToEnd(8),
        'end-to-end seg': masked(endToEnd(10, {}, 'end-to-end-seg', 8)),
        'end-to-end pose': endToEnd(11, {}, 'end-to-end-pose', 6),
        detr: detr(9),
      };
      for (const [label, sample] of Object.entries(samples)) await same(reducer, device, sample, label);
      const tried = new Set(Object.values(samples).map(({ request }) => request.head));
      expect([...tried].sort()).toEqual([...gpuHeads].sort());
      device.destroy();
    });

    it('keeps what the CPU keeps, whatever the options', async () => {
      const { device, reducer } = await opened();
      const asked: Asked[] = [
        { nms: { scope: 'agnostic' } },
        { nms: { iouThreshold: 0.3, comparator: '>=' } },
        { nms: { iouThreshold: 0.9 } },
        { nms: { iouThreshold: 0 } },
        { nms: { maxDetections: 5 } },
        { nms: { maxCandidates: 40 } },
        { nms: { pixelOffset: 1 } },
        { nms: false },
        { multiLabel: true },
        { multiLabel: true, nms: { maxCandidates: 100, scope: 'agnostic' } },
        { classes: [1, 2, 5, 7, 11, 19], nms: { scope: 'agnostic' } },
        { scoreThreshold: 0.6 },
        ...metrics.map((metric) => ({ nms: { metric, iouThreshold: 0.45 } })),
      ];
      for (const [k, options] of asked.entries()) {
        await same(reducer, device, columns('yolov8', 20 + k, options), JSON.stringify(options));
      }
      device.destroy();
    });

    it('decides IoUs at the threshold as the CPU does, and reads float16', async () => {
      const { device, reducer } = await opened();
      const sample = columns('yolov8', 50);
      const data = sample.outputs.output0!.data as Float32Array;
      // 10 × 10 boxes shifted by thirds and fifths of a side: IoUs of exactly 1/2, 2/3 … and their neighbours
      for (let a = 0; a < 600; a++) {
        const shift = [0, 10 / 3, 2, 5, 2.5][a % 5]! * (1 + (a % 3) * 1e-7);
        [20 + 15 * (a % 19) + shift, 20 + 40 * Math.floor(a / 100), 10, 10].forEach((value, r) => {
          data[r * grid + a] = value;
        });
        for (let c = 0; c < 20; c++) data[(4 + c) * grid + a] = c === 3 ? 0.3 + (a % 7) / 16 : 0;
      }
      for (const iouThreshold of [0.5, 1 / 3, 2 / 3, 0.6]) {
        const request = requestOf('yolov8', { nms: { iouThreshold, maxDetections: 700 } });
        await same(reducer, device, { ...sample, request }, `IoU ${iouThreshold}`);
      }
      const halved: Sample = {
        ...sample,
        outputs: { output0: { data: half(data), dims: [1, 24, grid], type: 'float16' } },
      };
      await same(reducer, device, halved, 'float16');
      // coordinates from 2^-24, float16's least, to 2^-14, its least normal one, and -0
      const small = columns('yolov8-pose', 51, {}, 6, 1, 1);
      const pose = small.outputs.output0!.data as Float32Array;
      for (let r = 5; r < 11; r++) {
        for (let a = 0; a < grid; a++) pose[r * grid + a] = (r % 2 === 0 ? 1 : -1) * 2 ** -(13 + (a % 13));
      }
      const subnormal: Sample = {
        ...small,
        outputs: { output0: { data: half(pose), dims: [1, 11, grid], type: 'float16' } },
      };
      await same(reducer, device, subnormal, 'float16, subnormal');
      device.destroy();
    });

    it('reads back the kept rows only', async () => {
      const { device, reducer } = await opened();
      const sample = columns('yolov8', 60, { nms: { maxDetections: 20 } });
      const { bytes, rows } = await same(reducer, device, sample, 'bytes');
      expect(rows).toBeLessThan(60);
      expect(bytes).toBeLessThan((sample.outputs.output0!.data as Float32Array).byteLength / 15);
      device.destroy();
    });

    it('says why the CPU has to do it, and loses nothing', async () => {
      const { device, reducer } = await opened();
      const reasonOf = async ({ outputs, request }: Sample): Promise<string> => {
        const reduced = await reducer.reduce(upload(device, outputs), request);
        if (typeof reduced !== 'string') expect.unreachable('this is for the CPU');
        return reduced as string;
      };
      expect(await reasonOf(columns('yolov8', 70, { scoreThreshold: 0.001, multiLabel: true }))).toMatch(
        /\d+ candidates .* more than 4096/,
      );
      expect(await reasonOf(columns('yolov8', 71, { nms: false, scoreThreshold: 0.1 }))).toMatch(
        /rows would be kept/,
      );
      const broken = columns('yolov8', 72);
      (broken.outputs.output0!.data as Float32Array)[4 * grid + 7] = Number.NaN;
      expect(await reasonOf(broken)).toMatch(/NaN/);
      const infinite = columns('yolov8', 73);
      const data = infinite.outputs.output0!.data as Float32Array;
      data[9] = Number.POSITIVE_INFINITY;
      data[6 * grid + 9] = 0.99;
      expect(await reasonOf(infinite)).toMatch(/NaN or infinity/);
      const further = columns('yolov8-pose', 77, { decoding: { classCount: 20, keypointDims: 2 } }, 4);
      (further.outputs.output0!.data as Float32Array).fill(Number.NaN, 25 * grid, 26 * grid);
      expect(await reasonOf(further)).toMatch(/NaN or infinity/);
      const power = { metric: alphaIou({ base: 'diou', alpha: 0.1 }) };
      expect(await reasonOf(columns('yolov8', 76, { nms: power }))).toMatch(/magnifies the rounding/);
      const head = { ...columns('yolov8', 74), request: requestOf('nanodet', {}) };
      expect(await reasonOf(head)).toMatch(/nanodet has no WGSL decoder/);
      // and it still works
      await same(reducer, device, columns('yolov8', 75), 'after that');
      device.destroy();
    });

    it('a device without memory fails the runs of that time; dispose ends a pending one', async () => {
      const { device, memory, reducer } = await opened();
      const sample = columns('yolov8', 81);
      const tensors = upload(device, sample.outputs);
      memory.full = true;
      await expect(reducer.reduce(tensors, sample.request)).rejects.toBeInstanceOf(UnsupportedError);
      memory.full = false;
      await same(reducer, device, sample, 'with memory again');
      const others = [reducer, new GpuReducer(device)] as const;
      const pending = others.map((other) => other.reduce(tensors, sample.request));
      for (const other of others) other.dispose();
      for (const call of pending) await expect(call).rejects.toBeInstanceOf(DisposedError);
      for (const other of others) expect(other.stats().liveBuffers).toBe(0);
      device.destroy();
    });

    it('dispose after the commands were sent makes no error on the device', async () => {
      const { device, reducer } = await opened();
      const sample = columns('yolov8', 82);
      const tensors = upload(device, sample.outputs);
      const errors: string[] = [];
      device.addEventListener('uncapturederror', (event) => {
        event.preventDefault();
        errors.push((event as GPUUncapturedErrorEvent).error.message);
      });
      disposeOnSubmit(device, reducer);
      await expect(reducer.reduce(tensors, sample.request)).rejects.toBeInstanceOf(DisposedError);
      await device.queue.onSubmittedWorkDone();
      expect(errors).toEqual([]);
      expect(reducer.stats().liveBuffers).toBe(0);
      device.destroy();
    });

    it('counts its buffers, makes no more of them, and destroys them', async () => {
      const { device, counts, reducer } = await opened();
      const sample = columns('yolov8', 80);
      const tensors = upload(device, sample.outputs);
      const own = counts.created;
      for (let k = 0; k < 10; k++)
        expect(typeof (await reducer.reduce(tensors, sample.request))).toBe('object');
      const { liveBuffers, buffersCreated, bufferBytes } = reducer.stats();
      expect(buffersCreated).toBe(liveBuffers);
      expect(counts.created - own).toBe(liveBuffers);
      expect(bufferBytes).toBeLessThan(6e6);
      reducer.dispose();
      expect(reducer.stats()).toMatchObject({
        liveBuffers: 0,
        buffersDestroyed: liveBuffers,
        bufferBytes: 0,
      });
      expect(counts.destroyed).toBe(liveBuffers);
      device.destroy();
    });
  });
}
