/**
 * Every head boxops decodes is chosen by `inspectModel` for a graph of its family, or, where families write the very same
 * dims and the graph says nothing, offered as a candidate; and what is chosen reads outputs of these dims.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { headsTable } from '../../scripts/generate/heads-table.ts';
import { decode, type HeadName, headNames, inspectModel } from '../../src/heads/index.ts';
import { type TestGraph, writeOnnx } from '../support/onnx.ts';

type Dims = readonly (number | string)[];
type Spec = Omit<TestGraph, 'outputs'> & {
  readonly outputs: readonly (readonly [name: string, dims: Dims, type?: number])[];
  /** Input height and width. Default 640×640. */
  readonly size?: readonly [number, number];
  readonly layout?: 'nhwc';
  /** Heads that the bytes allow as well. */
  readonly or?: readonly HeadName[];
};

const levels = (strides: readonly number[], of: (side: number, stride: number) => Dims, name = 'o') =>
  strides.map((stride) => [`${name}${stride}`, of(640 / stride, stride)] as const);
const conv = (...layers: readonly (readonly [name: string, channels: number])[]) => ({
  initializers: layers.map(([name, channels]) => ({ name: `w_${name}`, dims: [channels, 8, 1, 1] })),
  nodes: layers.map(([name]) => ({ op: 'Conv', inputs: ['images', `w_${name}`], outputs: [name] })),
});
/** A graph of last convolutions and what follows. */
const graph = (
  layers: readonly (readonly [string, number])[],
  after: readonly (readonly [op: string, inputs: readonly string[], output: string])[],
): Pick<TestGraph, 'initializers' | 'nodes'> => {
  const { initializers, nodes } = conv(...layers);
  const rest = after.map(([op, inputs, output]) => ({ op, inputs, outputs: [output] }));
  return { initializers, nodes: [...nodes, ...rest] };
};
const pyramid = [8, 16, 32, 64, 128];

const specs: Readonly<Record<HeadName, Spec>> = {
  yolov8: { outputs: [['output0', [1, 84, 8400]]] },
  'yolov8-seg': {
    outputs: [
      ['output0', [1, 116, 8400]],
      ['output1', [1, 32, 160, 160]],
    ],
  },
  'yolov8-pose': {
    outputs: [['output0', [1, 56, 8400]]],
    ...graph(
      [
        ['box', 64],
        ['cls', 1],
        ['kpt', 51],
      ],
      [
        ['Softmax', ['box'], 's'],
        ['Sigmoid', ['cls'], 'c'],
        ['Concat', ['s', 'c', 'kpt'], 'output0'],
      ],
    ),
  },
  'yolov8-obb': {
    outputs: [['output0', [1, 20, 8400]]],
    ...graph(
      [
        ['box', 64],
        ['cls', 15],
        ['angle', 1],
      ],
      [
        ['Sigmoid', ['angle'], 'a'],
        ['Cos', ['a'], 'x'],
        ['Sin', ['a'], 'y'],
        ['Mul', ['box', 'x'], 'bx'],
        ['Mul', ['box', 'y'], 'by'],
        ['Concat', ['bx', 'by', 'cls', 'a'], 'output0'],
      ],
    ),
  },
  'yolov8-rows': {
    outputs: [['output0', [1, 8400, 84]]],
    or: ['yolox', 'yolov5'],
  },
  'yolov8-seg-rows': {
    outputs: [
      ['output0', [1, 8400, 116]],
      ['output1', [1, 32, 160, 160]],
    ],
    ...graph(
      [
        ['box', 4],
        ['cls', 80],
        ['mask', 32],
      ],
      [['Concat', ['box', 'cls', 'mask'], 'output0']],
    ),
  },
  'yolov8-raw': {
    outputs: levels([8, 16, 32], (side) => [1, 144, side, side]),
    ...graph(
      [8, 16, 32].flatMap((s) => [[`b${s}`, 64] as const, [`c${s}`, 80] as const]),
      [8, 16, 32].map((s) => ['Concat', [`b${s}`, `c${s}`], `o${s}`] as const),
    ),
  },
  yolov5: { outputs: [['output', [1, 25200, 85]]] },
  'yolov5-seg': {
    outputs: [
      ['output0', [1, 25200, 117]],
      ['output1', [1, 32, 160, 160]],
    ],
  },
  'yolov5-face': {
    outputs: [['output', [1, 25200, 16]]],
    ...graph(
      [['all', 48]],
      [['Concat', [...'abcde'].fill('all').concat('all', 'all', 'all', 'all'), 'output']],
    ),
  },
  'yolov5-raw': { outputs: levels([8, 16, 32], (side) => [1, 3, side, side, 85]) },
  yolov3: { outputs: levels([8, 16, 32], (side) => [1, 255, side, side]), or: ['yolov5-raw', 'yolov8-raw'] },
  yolov4: {
    outputs: [
      ['boxes', ['batch_size', 10647, 1, 4]],
      ['confs', ['batch_size', 10647, 80]],
    ],
    size: [416, 416],
  },
  yolox: {
    outputs: [['output', [1, 8400, 85]]],
    ...graph(
      [
        ['b', 4],
        ['p', 1],
        ['c', 80],
      ],
      [
        ['Sigmoid', ['p'], 'ps'],
        ['Sigmoid', ['c'], 'cs'],
        ['Concat', ['b', 'ps', 'cs'], 'output'],
      ],
    ),
  },
  'yolo-nas': {
    outputs: [
      ['boxes', [1, 8400, 4]],
      ['scores', [1, 8400, 80]],
    ],
  },
  'yolo-nas-flat': {
    outputs: [['rows', ['n', 7]]],
    nodes: [
      { op: 'NonMaxSuppression', inputs: ['images'], outputs: ['picked'] },
      { op: 'Cast', inputs: ['picked'], outputs: ['image'] },
      { op: 'GatherND', inputs: ['images', 'picked'], outputs: ['box'] },
      { op: 'GatherND', inputs: ['images', 'picked'], outputs: ['score'] },
      { op: 'Cast', inputs: ['picked'], outputs: ['class'] },
      { op: 'Concat', inputs: ['image', 'box', 'score', 'class'], outputs: ['rows'] },
    ],
  },
  'end-to-end': { outputs: [['output0', [1, 300, 6]]] },
  'end-to-end-seg': {
    outputs: [
      ['output0', [1, 300, 38]],
      ['output1', [1, 32, 160, 160]],
    ],
  },
  'end-to-end-pose': {
    outputs: [['output0', [1, 300, 57]]],
    metadata: { task: 'pose', kpt_shape: '[17, 3]', end2end: 'True' },
  },
  'end-to-end-obb': { outputs: [['output0', [1, 300, 7]]], metadata: { task: 'obb', end2end: 'True' } },
  'yolov7-end-to-end': { outputs: [['output', ['n', 7]]] },
  detr: {
    outputs: [
      ['pred_logits', [1, 300, 80]],
      ['pred_boxes', [1, 300, 4]],
    ],
    or: ['detr-softmax'],
  },
  'detr-seg': {
    outputs: [
      ['dets', [1, 200, 4]],
      ['labels', [1, 200, 91]],
      ['masks', [1, 200, 108, 108]],
    ],
    size: [432, 432],
  },
  'detr-softmax': {
    outputs: [
      ['logits', [1, 100, 92]],
      ['pred_boxes', [1, 100, 4]],
    ],
    or: ['detr'],
  },
  'detr-concatenated': { outputs: [['output0', [1, 300, 84]]] },
  'detr-decoded': {
    outputs: [
      ['labels', [1, 300], 7],
      ['boxes', [1, 300, 4]],
      ['scores', [1, 300]],
    ],
  },
  fastestdet: { outputs: [['output', [1, 85, 22, 22]]], size: [352, 352], or: [] },
  nanodet: {
    outputs: [
      ...levels([8, 16, 32], (side) => [1, side * side, 80], 'cls_'),
      ...levels([8, 16, 32], (side) => [1, side * side, 32], 'dis_'),
    ],
  },
  'nanodet-plus': { outputs: [['output', [1, 3598, 112]]], size: [416, 416] },
  ssd: {
    outputs: [
      ['boxes', [1, 8732, 4]],
      ['scores', [1, 8732, 91]],
    ],
    size: [300, 300],
  },
  retinanet: {
    outputs: [
      ...levels(pyramid, (side) => [1, 720, side, side], 'cls'),
      ...levels(pyramid, (side) => [1, 36, side, side], 'box'),
    ],
    or: ['efficientdet'],
  },
  efficientdet: {
    outputs: [
      ...levels(pyramid, (side) => [1, 810, side, side], 'cls'),
      ...levels(pyramid, (side) => [1, 36, side, side], 'box'),
    ],
    or: ['retinanet'],
  },
  'efficientdet-rows': {
    outputs: [['detections', [1, 100, 7]]],
    nodes: [{ op: 'NonMaxSuppression', inputs: ['images'], outputs: ['detections'] }],
    layout: 'nhwc',
  },
  fcos: {
    outputs: [
      ...levels(pyramid, (side) => [1, 80, side, side], 'cls'),
      ...levels(pyramid, (side) => [1, 4, side, side], 'box'),
      ...levels(pyramid, (side) => [1, 1, side, side], 'centerness'),
    ],
  },
  centernet: {
    outputs: [
      ['hm', [1, 80, 160, 160]],
      ['wh', [1, 2, 160, 160]],
      ['reg', [1, 2, 160, 160]],
    ],
  },
  centerface: {
    outputs: [
      ['537', [1, 1, 160, 160]],
      ['538', [1, 2, 160, 160]],
      ['539', [1, 2, 160, 160]],
      ['540', [1, 10, 160, 160]],
    ],
  },
  ultraface: {
    outputs: [
      ['scores', [1, 4420, 2]],
      ['boxes', [1, 4420, 4]],
    ],
    size: [240, 320],
    or: ['ultraface-raw'],
  },
  'ultraface-raw': {
    outputs: [
      ['scores', [1, 4420, 2]],
      ['boxes', [1, 4420, 4]],
    ],
    size: [240, 320],
    ...graph(
      [
        ['c', 6],
        ['b', 12],
      ],
      [
        ['Reshape', ['b'], 'boxes'],
        ['Softmax', ['c'], 'scores'],
      ],
    ),
  },
  retinaface: {
    outputs: [
      ['loc', [1, 16800, 4]],
      ['conf', [1, 16800, 2]],
      ['landms', [1, 16800, 10]],
    ],
  },
  scrfd: {
    outputs: [1, 4, 10].flatMap((columns) =>
      levels([8, 16, 32], (side) => [2 * side * side, columns], `c${columns}_`),
    ),
  },
  yunet: {
    outputs: ['cls_1', 'obj_1', 'bbox_4', 'kps_10'].flatMap((name) =>
      levels([8, 16, 32], (side) => [1, side * side, Number(name.split('_')[1])], name),
    ),
  },
  blazeface: {
    outputs: [
      ['regressors', [1, 896, 16]],
      ['classificators', [1, 896, 1]],
    ],
    size: [128, 128],
    layout: 'nhwc',
  },
  'tf-detections': {
    outputs: [
      ['detection_boxes', [1, 100, 4]],
      ['detection_classes', [1, 100]],
      ['detection_scores', [1, 100]],
      ['num_detections', [1]],
    ],
    layout: 'nhwc',
  },
  torchvision: {
    outputs: [
      ['boxes', ['n', 4]],
      ['labels', ['n'], 7],
      ['scores', ['n']],
    ],
  },
  'efficient-nms': {
    outputs: [
      ['num_dets', [1, 1], 6],
      ['det_boxes', [1, 100, 4]],
      ['det_scores', [1, 100]],
      ['det_classes', [1, 100], 6],
    ],
  },
  'paddle-detection': {
    outputs: [
      ['multiclass_nms3_0.tmp_0', ['n', 6]],
      ['multiclass_nms3_0.tmp_2', [1], 6],
    ],
  },
  mmdeploy: {
    outputs: [
      ['dets', ['batch', 'num_dets', 5]],
      ['labels', ['batch', 'num_dets'], 7],
    ],
  },
};

function inspect({ outputs, size = [640, 640], layout, or: _, ...rest }: Spec) {
  const [height, width] = size;
  return inspectModel(
    writeOnnx({
      ...rest,
      inputs: [{ name: 'images', dims: layout === 'nhwc' ? [1, height, width, 3] : [1, 3, height, width] }],
      outputs: outputs.map(([name, dims, type]) => ({ name, dims, ...(type === undefined ? {} : { type }) })),
    }),
  );
}

describe('every head', () => {
  test('has a graph here', () => expect(Object.keys(specs).sort()).toEqual([...headNames].sort()));

  test.each(Object.entries(specs) as [HeadName, Spec][])('%s', (head, spec) => {
    const found = inspect(spec);
    const seen = found.candidates.map(({ head: name, score }) => `${name} ${score}`).join(', ');
    if (spec.or === undefined) {
      expect(found.head, seen).toBe(head);
      expect(found.ambiguous).toBe(false);
    } else {
      expect(found.head, seen).toBeNull();
      expect(found.candidates.map((candidate) => candidate.head)).toEqual(
        expect.arrayContaining([head, ...spec.or]),
      );
    }
    // the head reads outputs of these dims with the options inspection gives
    const chosen = found.candidates.find((candidate) => candidate.head === head)!;
    const tensors = Object.fromEntries(
      spec.outputs.map(([name, dims, type]) => {
        const whole = dims.map((dim) => (typeof dim === 'number' ? dim : 5));
        const length = whole.reduce((product, dim) => product * dim, 1);
        const data =
          type === 7
            ? new BigInt64Array(length)
            : type === 6
              ? new Int32Array(length)
              : new Float32Array(length);
        return [name, { data, dims: whole }];
      }),
    );
    const [height, width] = spec.size ?? [640, 640];
    const candidates = decode(head, tensors, {
      ...chosen.headOptions,
      ...(chosen.classCount === null ? {} : { classCount: chosen.classCount }),
      input: { width, height },
      scoreThreshold: 0.9999,
    });
    expect(candidates.count).toBe(0);
    expect(chosen.reasons.length).toBeGreaterThan(0);
  });
});

describe('NanoDet in one table', () => {
  const joined = (rows: number, done: boolean, columns = 52) =>
    inspect({
      outputs: [['output', [1, rows, columns]]],
      size: [320, 320],
      ...graph(
        [['head', columns]],
        done
          ? [
              ['Sigmoid', ['head'], 's'],
              ['Concat', ['s', 'head'], 'output'],
            ]
          : [['Transpose', ['head'], 'output']],
      ),
    });
  test('four strides: NanoDet-Plus, cells from their corner', () => {
    expect(joined(2125, true)).toMatchObject({
      head: 'nanodet-plus',
      family: 'NanoDet-Plus',
      classCount: 20,
      headOptions: { strides: [8, 16, 32, 64], cellPoint: 'corner', activation: 'none' },
      preprocessing: { channelOrder: 'bgr', mean: [103.53, 116.28, 123.675] },
    });
  });
  test('three strides: the first NanoDet, cells from their first pixel', () => {
    expect(joined(2100, false)).toMatchObject({
      head: 'nanodet-plus',
      family: 'NanoDet (one table)',
      headOptions: { strides: [8, 16, 32], cellPoint: 'pixel', activation: 'sigmoid' },
    });
  });
});

test('docs/heads.md is what `npm run generate` writes', () => {
  expect(readFileSync(new URL('../../docs/heads.md', import.meta.url), 'utf8')).toBe(headsTable());
});
