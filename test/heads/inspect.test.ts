/** `inspectModel` on real files, with and without their names and metadata, and on graphs that do not tell. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ModelError } from '../../src/errors.ts';
import {
  cocoClassNames,
  type HeadName,
  inspectModel,
  type PreprocessingChoice,
} from '../../src/heads/index.ts';
import { readClassNames } from '../../src/heads/inspect/class-names.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { stripOnnx, type TestGraph, writeOnnx } from '../support/onnx.ts';

type Picture = Partial<PreprocessingChoice>;
const ultralytics: Picture = {
  fit: 'letterbox',
  padValue: 114,
  antialias: false,
  channelOrder: 'rgb',
  mean: [0, 0, 0],
  std: [255, 255, 255],
};
const yolox: Picture = {
  fit: 'letterbox-top-left',
  padValue: 114,
  antialias: false,
  channelOrder: 'bgr',
  mean: [0, 0, 0],
  std: [1, 1, 1],
};
const stretched: Picture = { ...ultralytics, fit: 'stretch' };
const detr: Picture = { ...stretched, antialias: true };

/** File, head, classes, pre-processing, fixed input size. */
const models: readonly [string, HeadName, number, Picture, readonly [number, number] | null][] = [
  ['yolox_nano_416', 'yolox', 80, yolox, [416, 416]],
  ['yolov8n_int8_dashcam', 'yolov8', 80, ultralytics, [320, 320]],
  ['yolov5n_fp16', 'yolov5', 80, ultralytics, null],
  ['deimv2_hgnetv2_atto_coco', 'detr-decoded', 80, detr, [320, 320]],
  ['derived-deimv2_atto_rawheads', 'detr', 80, detr, [320, 320]],
  ['yolov8n-seg_int8_dashcam', 'yolov8-seg', 80, ultralytics, [320, 320]],
  [
    'nanodet_m_320',
    'nanodet',
    80,
    { fit: 'stretch', channelOrder: 'bgr', mean: [103.53, 116.28, 123.675] },
    [320, 320],
  ],
  ['fastestdet', 'fastestdet', 80, { ...stretched, channelOrder: 'bgr' }, [352, 352]],
];

/** Face detectors: file, head, pre-processing. */
const faceModels: readonly [string, HeadName, Picture][] = [
  ['ultraface-version-RFB-320', 'ultraface', { fit: 'stretch', channelOrder: 'rgb', std: [128, 128, 128] }],
  ['ultraface-version-RFB-640', 'ultraface', { fit: 'stretch', channelOrder: 'rgb', std: [128, 128, 128] }],
  [
    'ultraface-version-RFB-320_without_postprocessing',
    'ultraface-raw',
    { channelOrder: 'rgb', std: [128, 128, 128] },
  ],
  ['yunet_n_640_640', 'yunet', { fit: 'stretch', channelOrder: 'bgr', mean: [0, 0, 0], std: [1, 1, 1] }],
  ['retinaface_mnet025', 'retinaface', { channelOrder: 'bgr', mean: [104, 117, 123], std: [1, 1, 1] }],
  ['blazeface_front_128', 'blazeface', { channelOrder: 'rgb', std: [127.5, 127.5, 127.5], layout: 'nhwc' }],
  ['blazeface_back_256', 'blazeface', { channelOrder: 'rgb', std: [127.5, 127.5, 127.5], layout: 'nhwc' }],
];

describeWithData('real models', () => {
  const read = (name: string) => new Uint8Array(readFileSync(dataPath(`models/${name}.onnx`)));

  const check = (
    bytes: Uint8Array,
    [, head, classes, picture, size]: (typeof models)[number],
    named: boolean,
  ) => {
    const found = inspectModel(bytes);
    expect(found).toMatchObject({ head, ambiguous: false, preprocessing: { ...picture, layout: 'nchw' } });
    if (size !== null) expect(found.preprocessing!.size).toEqual({ width: size[0], height: size[1] });
    expect(found.classCount).toBe(classes);
    expect(found.classNames).toEqual(cocoClassNames);
    if (!named) expect(found.classNamesSource).toBe('assumed');
    expect(found.reasons.length).toBeGreaterThan(2);
    expect(found.preprocessingSources!.fit).toBe('convention');
  };

  test.each(models)('%s', (...row) => check(read(row[0]), row, true));
  test.each(models)('%s without names and metadata', (...row) => check(stripOnnx(read(row[0])), row, false));

  test.each(faceModels)('%s, with and without names', (name, head, picture) => {
    for (const bytes of [read(name), stripOnnx(read(name))]) {
      const found = inspectModel(bytes);
      expect(found).toMatchObject({ head, ambiguous: false, classNames: ['face'], preprocessing: picture });
    }
  });

  test('yolov10n_int8: 80 names from the metadata; stripped, the rows do not tell the number of classes', () => {
    const bytes = read('yolov10n_int8');
    const expected = {
      head: 'end-to-end',
      ambiguous: false,
      preprocessing: { ...ultralytics, size: { width: 640, height: 640 } },
    };
    const found = inspectModel(bytes);
    expect(found).toMatchObject({ ...expected, classCount: 80, classNamesSource: 'metadata' });
    expect(found.classNames).toEqual(cocoClassNames);
    expect(inspectModel(stripOnnx(bytes))).toMatchObject(expected);
  });

  test('names come from the metadata where they are, and are marked as assumed where not', () => {
    const bytes = read('yolov8n_int8_dashcam');
    expect(inspectModel(bytes)).toMatchObject({
      classNamesSource: 'metadata',
      metadata: { task: 'detect', stride: '32' },
    });
    const stripped = inspectModel(stripOnnx(bytes));
    expect(stripped).toMatchObject({ classNamesSource: 'assumed', metadata: {}, producer: '' });
    expect(stripped.reasons.join()).toContain('COCO');
    expect(stripped.classNames).toEqual(cocoClassNames);
  });

  test('what the file says and what is convention are told apart', () => {
    const { preprocessingSources, reasons } = inspectModel(stripOnnx(read('yolox_nano_416')));
    expect(preprocessingSources).toEqual({
      size: 'bytes',
      fit: 'convention',
      antialias: 'convention',
      channelOrder: 'bytes',
      scale: 'bytes',
      layout: 'bytes',
    });
    expect(reasons.join('\n')).toMatch(/pixels 0–255.*\n.*colour order BGR/);
  });

  test('a re-identification network is no detector, and the reasons say so', () => {
    const found = inspectModel(read('reid-person-retail-0287'));
    expect(found).toMatchObject({ head: null, ambiguous: false, candidates: [], preprocessing: null });
    expect(found.reasons.join(' ')).toContain('[1, 256]');
    expect(found.reasons.join(' ')).toContain('not a detector');
  });

  test('a real file cut anywhere is a ModelError at once', () => {
    const bytes = read('yolox_nano_416');
    for (const part of [0.001, 0.1, 0.5, 0.9, 0.999]) {
      const cut = bytes.subarray(0, Math.floor(bytes.length * part));
      expect(() => inspectModel(cut), `${part}`).toThrow(ModelError);
    }
  });
});

/** A model of which only inputs and outputs are known. */
function bare(outputs: TestGraph['outputs'], graph: Partial<TestGraph> = {}) {
  return inspectModel(writeOnnx({ outputs, ...graph }));
}

describe('dims alone', () => {
  test('one row a grid cell is YOLOX or YOLOv6: ambiguous, ranked, no head chosen', () => {
    const found = bare([{ name: 'o', dims: [1, 8400, 85] }]);
    expect(found).toMatchObject({ head: null, ambiguous: true, preprocessing: null, family: '' });
    expect(found.candidates.map(({ head, family }) => [head, family])).toEqual([
      ['yolox', 'YOLOX'],
      ['yolov5', 'YOLOv6'],
      ['yolov5', 'YOLOX (decoded)'],
    ]);
    for (const candidate of found.candidates) expect(candidate.reasons.length).toBeGreaterThan(1);
  });

  test('open dims fit YOLOv5 as well', () => {
    const found = bare([{ name: 'o', dims: ['batch', 'anchors', 85] }]);
    expect(found.ambiguous).toBe(true);
    const likely = found.candidates.filter(({ score }) => score > 0.5);
    expect(new Set(likely.map(({ family }) => family))).toEqual(
      new Set(['YOLOv5/7', 'YOLOX', 'YOLOv6', 'YOLOX (decoded)']),
    );
  });

  test.each<[string, number[], HeadName]>([
    ['three rows a cell', [1, 25200, 85], 'yolov5'],
    ['columns', [1, 84, 8400], 'yolov8'],
    ['few rows of six', [1, 300, 6], 'end-to-end'],
  ])('%s tell the head', (_, dims, head) => {
    expect(bare([{ name: 'o', dims }])).toMatchObject({ head, ambiguous: false });
  });

  test('raw DETR without a hint is sigmoid or softmax: ambiguous', () => {
    const found = bare([
      { name: 'a', dims: [1, 300, 80] },
      { name: 'b', dims: [1, 300, 4] },
    ]);
    expect(found).toMatchObject({ head: null, ambiguous: true });
    expect(found.candidates.map(({ head }) => head).sort()).toEqual(['detr', 'detr-softmax']);
  });

  test("RF-DETR's names tell its scores, its picture and COCO's category ids", () => {
    const found = bare([
      { name: 'dets', dims: [1, 300, 4] },
      { name: 'labels', dims: [1, 300, 91] },
    ]);
    expect(found).toMatchObject({
      head: 'detr',
      ambiguous: false,
      classCount: 91,
      classNamesSource: 'assumed',
    });
    expect(found.preprocessing).toMatchObject({
      mean: [123.675, 116.28, 103.53],
      fit: 'stretch',
      antialias: false,
    });
    // pycocotools: categories 1 person, 13 stop sign, 18 dog, 90 toothbrush; 12 and 91 are street sign and hair brush, unused
    const names = [0, 1, 12, 13, 18, 90].map((id) => found.classNames[id]);
    expect(names).toEqual(['N/A', 'person', 'N/A', 'stop sign', 'dog', 'toothbrush']);
  });

  test.each([[[1, 1000]], [[1, 256]], [[1, 3, 640, 640]], [[1, 21, 80, 80]], [[]]])(
    'a single output [%s] is no detector',
    (dims) => {
      expect(bare([{ name: 'o', dims }])).toMatchObject({ head: null, ambiguous: false, candidates: [] });
    },
  );

  test('rows that a softmax ends are characters, not boxes', () => {
    const outputs = [{ name: 'o', dims: [1, 40, 6625] }];
    const nodes = [{ op: 'Softmax', inputs: ['images'], outputs: ['o'] }];
    expect(bare(outputs, { nodes })).toMatchObject({ head: null, ambiguous: false, candidates: [] });
  });

  test("Ultralytics' classifier is no detector whatever its dims", () => {
    const found = bare([{ name: 'o', dims: [1, 84, 8400] }], { metadata: { task: 'classify' } });
    expect(found).toMatchObject({ head: null, ambiguous: false });
    expect(found.reasons.join()).toContain("task 'classify'");
  });
});

/** Outputs of a level named `${name}${i}` at 640×640: channels on maps of the strides. */
const maps = (channels: readonly number[], strides: readonly number[]) =>
  strides.flatMap((stride) =>
    channels.map((count, i) => ({ name: `o${stride}_${i}`, dims: [1, count, 640 / stride, 640 / stride] })),
  );
const rows = (columns: readonly number[], strides: readonly number[], perCell: number) =>
  strides.flatMap((stride) =>
    columns.map((count, i) => ({ name: `o${stride}_${i}`, dims: [1, perCell * (640 / stride) ** 2, count] })),
  );
const pyramid = [8, 16, 32, 64, 128];

describe('every other layout from dims alone', () => {
  const table: [string, TestGraph['outputs'], HeadName | readonly HeadName[]][] = [
    [
      'masks',
      [
        { name: 'a', dims: [1, 116, 8400] },
        { name: 'b', dims: [1, 32, 160, 160] },
      ],
      'yolov8-seg',
    ],
    [
      'YOLOv5 masks',
      [
        { name: 'a', dims: [1, 25200, 117] },
        { name: 'b', dims: [1, 32, 160, 160] },
      ],
      'yolov5-seg',
    ],
    [
      'end-to-end masks',
      [
        { name: 'a', dims: [1, 300, 38] },
        { name: 'b', dims: [1, 32, 160, 160] },
      ],
      'end-to-end-seg',
    ],
    [
      '56 columns: 52 classes or 17 keypoints',
      [{ name: 'a', dims: [1, 56, 8400] }],
      ['yolov8', 'yolov8-pose'],
    ],
    ['end-to-end poses', [{ name: 'a', dims: [1, 300, 57] }], 'end-to-end-pose'],
    ['RT-DETR in one table', [{ name: 'a', dims: [1, 300, 84] }], 'detr-concatenated'],
    [
      'rows of seven: turned boxes or three classes of RT-DETR',
      [{ name: 'a', dims: [1, 300, 7] }],
      ['end-to-end-obb', 'detr-concatenated'],
    ],
    ['detections of seven', [{ name: 'a', dims: ['n', 7] }], 'yolov7-end-to-end'],
    [
      'raw YOLOv5 levels',
      [8, 16, 32].map((s) => ({ name: `${s}`, dims: [1, 3, 640 / s, 640 / s, 85] })),
      'yolov5-raw',
    ],
    ['raw anchor levels', maps([255], [8, 16, 32]), ['yolov5-raw', 'yolov3', 'yolov8-raw']],
    ['raw YOLOv8 levels', maps([65], [8, 16, 32]), 'yolov8-raw'],
    [
      'YOLO-NAS',
      [
        { name: 'a', dims: [1, 8400, 4] },
        { name: 'b', dims: [1, 8400, 80] },
      ],
      'yolo-nas',
    ],
    ['NanoDet', rows([80, 32], [8, 16, 32], 1), 'nanodet'],
    [
      'SSD300',
      [
        { name: 'a', dims: [1, 8732, 4] },
        { name: 'b', dims: [1, 8732, 91] },
      ],
      'ssd',
    ],
    ['nine anchors a cell', maps([720, 36], pyramid), ['retinanet', 'efficientdet']],
    ['FCOS', maps([80, 4, 1], pyramid), 'fcos'],
    ['RTMDet', maps([80, 4], [8, 16, 32]), 'fcos'],
    ['CenterNet', maps([80, 2, 2], [4]), 'centernet'],
    ['SCRFD', rows([1, 4, 10], [8, 16, 32], 2), 'scrfd'],
    ['YuNet', rows([1, 1, 4, 10], [8, 16, 32], 1), 'yunet'],
    [
      'BlazeFace',
      [
        { name: 'a', dims: [1, 896, 16] },
        { name: 'b', dims: [1, 896, 1] },
      ],
      'blazeface',
    ],
    [
      'TensorFlow',
      [
        { name: 'a', dims: [1, 100, 4] },
        { name: 'b', dims: [1, 100] },
        { name: 'c', dims: [1, 100] },
        { name: 'd', dims: [1] },
      ],
      'tf-detections',
    ],
    [
      'EfficientNMS',
      [
        { name: 'a', dims: [1, 1], type: 6 },
        { name: 'b', dims: [1, 100, 4] },
        { name: 'c', dims: [1, 100] },
        { name: 'd', dims: [1, 100], type: 6 },
      ],
      'efficient-nms',
    ],
    [
      'torchvision',
      [
        { name: 'a', dims: ['n', 4] },
        { name: 'b', dims: ['n'], type: 7 },
        { name: 'c', dims: ['n'] },
      ],
      'torchvision',
    ],
  ];
  test.each(table)('%s', (_, outputs, expected) => {
    const found = bare(outputs);
    const heads = [...new Set(found.candidates.map(({ head }) => head))];
    if (typeof expected === 'string') {
      expect(found.head, JSON.stringify(found.candidates.map(({ head, score }) => [head, score]))).toBe(
        expected,
      );
      expect(found.ambiguous).toBe(false);
    } else {
      expect(found).toMatchObject({ head: null, ambiguous: true });
      expect(heads).toEqual(expect.arrayContaining([...expected]));
    }
  });

  test('inputs so small that rows and columns could change places are never guessed wrong', () => {
    for (const side of [32, 64, 96, 160, 320]) {
      const cells = [8, 16, 32].reduce((sum, stride) => sum + (side / stride) ** 2, 0);
      for (const classes of [1, 2, 20, 80, 200, 600]) {
        const layouts: [HeadName, number[]][] = [
          ['yolov8', [1, 4 + classes, cells]],
          ['yolov5', [1, 3 * cells, 5 + classes]],
          ['yolox', [1, cells, 5 + classes]],
        ];
        for (const [head, dims] of layouts) {
          const found = bare([{ name: 'o', dims }], { inputs: [{ name: 'i', dims: [1, 3, side, side] }] });
          const case_ = `${head} [${dims}] at ${side}`;
          if (found.head !== null) expect(found.head, case_).toBe(head);
          expect(
            found.candidates.map((candidate) => candidate.head),
            case_,
          ).toContain(head);
        }
      }
    }
  });

  test('two queries of RT-DETR are not end-to-end rows of six', () => {
    const found = bare([{ name: 'o', dims: [1, 300, 6] }], {
      initializers: [
        { name: 'box', dims: [256, 4] },
        { name: 'cls', dims: [256, 2] },
      ],
      nodes: [
        { op: 'MatMul', inputs: ['images', 'box'], outputs: ['b'] },
        { op: 'MatMul', inputs: ['images', 'cls'], outputs: ['c'] },
        { op: 'Sigmoid', inputs: ['b'], outputs: ['bs'] },
        { op: 'Sigmoid', inputs: ['c'], outputs: ['cs'] },
        { op: 'Concat', inputs: ['bs', 'cs'], outputs: ['o'] },
      ],
    });
    expect(found).toMatchObject({ head: 'detr-concatenated', classCount: 2, ambiguous: false });
  });

  test('names that do not match the classes of the output are told', () => {
    const names = (count: number) => JSON.stringify(Array.from({ length: count }, (_, id) => `c${id}`));
    const reasons = (count: number) =>
      bare([{ name: 'a', dims: [1, 20, 8400] }], { metadata: { names: names(count) } }).reasons;
    expect(reasons(15)).toContain('the metadata name 15 classes, the output has 16: check the head');
    expect(reasons(16).join()).not.toContain('check the head');
  });

  test('metadata settle what dims leave open', () => {
    const pose = bare([{ name: 'a', dims: [1, 56, 8400] }], {
      metadata: { task: 'pose', kpt_shape: '[17, 3]' },
    });
    expect(pose).toMatchObject({ head: 'yolov8-pose', headOptions: { classCount: 1, keypointDims: 3 } });
    const turned = bare([{ name: 'a', dims: [1, 20, 8400] }], { metadata: { task: 'obb' } });
    expect(turned).toMatchObject({ head: 'yolov8-obb', classCount: 15 });
  });
});

describe('the end of the graph', () => {
  /** The three last convolutions of a decoupled head at one level, and what follows. */
  const decoupled = (after: TestGraph['nodes']): Partial<TestGraph> => ({
    initializers: [
      { name: 'box', dims: [4, 8, 1, 1] },
      { name: 'obj', dims: [1, 8, 1, 1] },
      { name: 'cls', dims: [80, 8, 1, 1] },
    ],
    nodes: [
      { op: 'Conv', inputs: ['images', 'box'], outputs: ['b'] },
      { op: 'Conv', inputs: ['images', 'obj'], outputs: ['p'] },
      { op: 'Conv', inputs: ['images', 'cls'], outputs: ['c'] },
      { op: 'Sigmoid', inputs: ['p'], outputs: ['ps'] },
      { op: 'Sigmoid', inputs: ['c'], outputs: ['cs'] },
      ...after!,
    ],
  });
  const outputs = [{ name: 'o', dims: [1, 8400, 85] }];

  test('nothing after the convolutions: raw YOLOX', () => {
    const found = bare(outputs, decoupled([{ op: 'Concat', inputs: ['b', 'ps', 'cs'], outputs: ['o'] }]));
    expect(found).toMatchObject({ head: 'yolox', family: 'YOLOX', ambiguous: false });
  });

  test('Exp and Mul after them: YOLOX decoded in the graph, read like YOLOv5 with the pictures of YOLOX', () => {
    const found = bare(
      outputs,
      decoupled([
        { op: 'Exp', inputs: ['b'], outputs: ['e'] },
        { op: 'Concat', inputs: ['e', 'ps', 'cs'], outputs: ['o'] },
      ]),
    );
    expect(found).toMatchObject({ head: 'yolov5', family: 'YOLOX (decoded)', preprocessing: yolox });
  });

  test('an expectation over 16 bins and no objectness: YOLOv8 with rows and columns swapped', () => {
    const found = bare([{ name: 'o', dims: [1, 8400, 84] }], {
      initializers: [
        { name: 'box', dims: [64, 8, 1, 1] },
        { name: 'cls', dims: [80, 8, 1, 1] },
        { name: 'bins', dims: [1, 16, 1, 1], data: Float32Array.from({ length: 16 }, (_, i) => i) },
      ],
      nodes: [
        { op: 'Conv', inputs: ['images', 'box'], outputs: ['b'] },
        { op: 'Conv', inputs: ['images', 'cls'], outputs: ['c'] },
        { op: 'Softmax', inputs: ['b'], outputs: ['s'] },
        { op: 'Conv', inputs: ['s', 'bins'], outputs: ['d'] },
        { op: 'Concat', inputs: ['d', 'c'], outputs: ['o'] },
      ],
    });
    expect(found).toMatchObject({ head: 'yolov8-rows', classCount: 80, ambiguous: false });
  });

  test('no objectness convolution: YOLOv6', () => {
    const found = bare(
      outputs,
      decoupled([
        { op: 'Sub', inputs: ['b', 'b'], outputs: ['d'] },
        { op: 'Concat', inputs: ['d', 'cs'], outputs: ['o'] },
      ]),
    );
    expect(found).toMatchObject({ head: 'yolov5', family: 'YOLOv6', preprocessing: ultralytics });
  });
});

test('class names as Python literal, JSON, list and comma-separated text', () => {
  expect(readClassNames({ names: `{0: 'person', 1: "driver's seat", 2: 'it\\'s'}` })).toEqual([
    'person',
    "driver's seat",
    "it's",
  ]);
  expect(readClassNames({ names: '{"1": "b", "0": "caf\\u00e9"}' })).toEqual(['café', 'b']);
  expect(readClassNames({ classes: "['a', 'b']" })).toEqual(['a', 'b']);
  expect(readClassNames({ labels: 'cat, dog' })).toEqual(['cat', 'dog']);
  expect(readClassNames({ names: '{0: 5' })).toBeNull();
  expect(readClassNames({})).toBeNull();
  expect(readClassNames({ names: "{0: 'a', 2: 'c'}" })).toEqual(['a', 'class 1', 'c']);
});
