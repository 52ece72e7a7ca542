/** `inspectModel` on exports that look like another family's: what it chose before would have read wrong rows or none. */
import { describe, expect, test } from 'vitest';
import { LayoutError } from '../../src/errors.ts';
import { decode, inspectModel } from '../../src/heads/index.ts';
import { type TestDims, type TestGraph, writeOnnx } from '../support/onnx.ts';

type Outputs = readonly (readonly [name: string, dims: TestDims, type?: number])[];

function inspect(outputs: Outputs, graph: Partial<TestGraph> = {}, picture: TestDims = [1, 3, 640, 640]) {
  return inspectModel(
    writeOnnx({
      inputs: [{ name: 'images', dims: picture }],
      ...graph,
      outputs: outputs.map(([name, dims, type = 1]) => ({ name, dims, type })),
    }),
  );
}

type Nodes = NonNullable<TestGraph['nodes']>;
const node = (op: string, inputs: readonly string[], output: string): Nodes[number] => ({
  op,
  inputs,
  outputs: [output],
});

/** Last convolutions by name, and distributions of 16 bins over what they give, each followed by `after`. */
function graphOf(
  layers: Readonly<Record<string, number>>,
  bins: readonly string[],
  after: Nodes,
): Pick<TestGraph, 'initializers' | 'nodes'> {
  const initializers = Object.entries(layers).map(([name, channels]) => ({
    name: `w_${name}`,
    dims: [channels, 8, 1, 1],
  }));
  const dfl = { name: 'w_dfl', dims: [1, 16, 1, 1], data: Float32Array.from({ length: 16 }, (_, i) => i) };
  return {
    initializers: [...initializers, dfl],
    nodes: [
      ...Object.keys(layers).map((name) => node('Conv', ['images', `w_${name}`], name)),
      ...bins.flatMap((name) => [
        node('Softmax', [name], `${name}_soft`),
        node('Conv', [`${name}_soft`, 'w_dfl'], `${name}_sides`),
      ]),
      ...after,
    ],
  };
}

describe("YOLOv9's dual exports", () => {
  const twoBranches = graphOf(
    { box: 64, cls: 80, box2: 64, cls2: 80 },
    ['box', 'box2'],
    [
      node('Sigmoid', ['cls'], 's'),
      node('Sigmoid', ['cls2'], 's2'),
      node('Concat', ['box_sides', 's'], 'output0'),
      node('Concat', ['box2_sides', 's2'], '329'),
      ...['box', 'box2'].map((name, i) => node('Concat', [name, i === 0 ? 'cls' : 'cls2'], `raw_${name}`)),
    ],
  );
  const both: Outputs = [
    ['output0', [1, 84, 8400]],
    ['329', [1, 84, 8400]],
  ];
  const found = { head: 'yolov8', family: 'YOLOv9 (dual)', classCount: 80, headOptions: { output: '329' } };

  test('the second output is the main branch', () => expect(inspect(both, twoBranches)).toMatchObject(found));

  test('with open dims, and with the raw levels of both beside them', () => {
    const open: Outputs = [
      ['output0', ['batch', 84, 'anchors']],
      ['329', ['a', 84, 'b']],
    ];
    expect(inspect(open, twoBranches, ['batch', 3, 'height', 'width'])).toMatchObject(found);
    const raw: Outputs = ['raw_box', 'raw_box2'].map((name) => [name, [1, 144, 80, 80]] as const);
    expect(inspect([...both, ...raw], twoBranches)).toMatchObject(found);
    const another: Outputs = [['raw_box', [1, 32, 160, 160]]];
    expect(inspect([...both, ...another], twoBranches).head).toBeNull();
  });

  test('two outputs without distributions are another model', () => expect(inspect(both).head).toBeNull());

  test('the head reads the named output, however an object orders its keys, and guesses none', () => {
    const tensor = (x: number) => {
      const data = new Float32Array(9 * 126);
      // one anchor of class 2 at x
      for (const [row, value] of [x, 30, 8, 8, 0, 0, 0.9].entries()) data[126 * row + 5] = value;
      return { dims: [1, 9, 126], data };
    };
    const outputs = { output0: tensor(10), 329: tensor(50) };
    expect(Object.keys(outputs)[0]).toBe('329');
    const options = { input: { width: 96, height: 64 } };
    for (const [output, x] of [
      ['329', 50],
      ['output0', 10],
    ] as const) {
      const { boxes, classIds } = decode('yolov8', outputs, { ...options, output });
      expect([...boxes]).toEqual([x - 4, 26, x + 4, 34]);
      expect([...classIds]).toEqual([2]);
    }
    expect(() => decode('yolov8', outputs, options)).toThrow(/one of 329,output0 by the option output/);
    expect(() => decode('yolov8', outputs, { ...options, output: 'none' })).toThrow(LayoutError);
  });
});

describe('rows of seven', () => {
  const joined = (order: readonly string[]): Nodes => [
    node('NonMaxSuppression', ['images'], 'picked'),
    node('Cast', ['picked'], 'image'),
    node('GatherND', ['images', 'picked'], 'box'),
    node('GatherND', ['images', 'picked'], 'scores'),
    node('Unsqueeze', ['scores'], 'score'),
    node('Gather', ['picked'], 'classes'),
    node('Cast', ['classes'], 'class'),
    node('Concat', ['image', 'box', ...order], 'output'),
  ];
  const flat: Outputs = [['output', ['n', 7]]];

  test.each([
    ['yolov7-end-to-end', ['class', 'score']],
    ['yolo-nas-flat', ['score', 'class']],
  ])('%s by the order of the columns', (head, order) => {
    const found = inspect(flat, { nodes: joined(order) });
    expect(found).toMatchObject({ head, ambiguous: false });
    expect(found.candidates.length).toBe(1);
  });

  test("YOLO-NAS's name says it where the graph does not", () => {
    expect(inspect([['graph2_flat_predictions', ['n', 7]]]).head).toBe('yolo-nas-flat');
  });

  const rows: Outputs = [['detections', [1, 100, 7]]];
  const selected = node('TopK', ['images'], 'best');
  test('boxes that the graph turns are oriented, others AutoML EfficientDet', () => {
    const turned = [
      selected,
      node('Sin', ['best'], 'sin'),
      node('Cos', ['best'], 'cos'),
      node('Concat', ['sin', 'cos'], 'detections'),
    ];
    expect(inspect(rows, { nodes: turned }).head).toBe('end-to-end-obb');
    const plain = { nodes: [selected, node('Identity', ['best'], 'detections')] };
    expect(inspect(rows, plain).head).toBe('efficientdet-rows');
    expect(inspect(rows, plain, [1, 512, 512, 3])).toMatchObject({
      head: 'efficientdet-rows',
      preprocessing: { layout: 'nhwc', mean: [0, 0, 0], std: [1, 1, 1] },
    });
    expect(inspect(rows, { ...plain, metadata: { task: 'obb' } }).head).toBe('end-to-end-obb');
  });
});

describe('a fourth dim beside queries', () => {
  const queries: Outputs = [
    ['dets', [1, 200, 4]],
    ['labels', [1, 200, 91]],
  ];
  test.each<[string, Outputs[number], string]>([
    ['masks', ['masks', [1, 200, 108, 108]], 'detr-seg'],
    ['masks of open dims', ['masks', ['a', 'b', 'c', 'd']], 'detr-seg'],
    ['keypoints are no masks', ['keypoints', [1, 200, 17, 8]], 'detr'],
    ['nor are planes of another number', ['features', [1, 64, 108, 108]], 'detr'],
  ])('%s', (_, output, head) => {
    expect(inspect([...queries, output])).toMatchObject({ head, ambiguous: false, classCount: 91 });
  });
});

describe('YOLOv8 with rows and columns swapped', () => {
  const seg: Outputs = [
    ['output0', [1, 8400, 116]],
    ['output1', [1, 32, 160, 160]],
  ];
  test('segmentation has no objectness, where boxes are distributions', () => {
    const graph = graphOf(
      { box: 64, cls: 80, mask: 32 },
      ['box'],
      [node('Concat', ['box_sides', 'cls', 'mask'], 'output0')],
    );
    expect(inspect(seg, graph)).toMatchObject({ head: 'yolov8-seg-rows', classCount: 80 });
    // three anchors of 5 + 79 + 32 columns are YOLOv5's
    const v5 = graphOf({ all: 3 * 116 }, [], [node('Sigmoid', ['all'], 'output0')]);
    expect(inspect(seg, v5)).toMatchObject({ head: 'yolov5-seg', classCount: 79 });
  });

  test('boxes of four numbers beside the classes are those of YOLO26; RT-DETR has queries', () => {
    const graph = graphOf({ box: 4, cls: 80 }, [], [node('Concat', ['box', 'cls'], 'output0')]);
    expect(inspect([['output0', [1, 8400, 84]]], graph).head).toBe('yolov8-rows');
    expect(inspect([['output0', [1, 300, 84]]], graph).head).toBe('detr-concatenated');
  });
});

describe('rows of three anchors a cell that hold landmarks', () => {
  const graph = (pieces: number) => ({
    initializers: [{ name: 'w', dims: [48, 8, 1, 1] }],
    nodes: [
      node('Conv', ['images', 'w'], 'all'),
      node('Sigmoid', ['all'], 's'),
      node('Mul', ['s', 's'], 'm'),
      node('Concat', new Array<string>(pieces).fill('m'), 'level'),
      node('Reshape', ['level', 'w'], 'rows'),
      node('Concat', ['rows', 'rows', 'rows'], 'output'),
    ],
  });
  const output: Outputs = [['output', [1, 25200, 16]]];

  test('nine pieces are a face of five landmarks, not eleven classes', () => {
    expect(inspect(output, graph(9))).toMatchObject({
      head: 'yolov5-face',
      ambiguous: false,
      classCount: 1,
      classNames: ['face'],
    });
  });

  test('eight pieces leave three classes of four landmarks', () => {
    expect(inspect(output, graph(8))).toMatchObject({ head: 'yolov5-face', classCount: 3, classNames: [] });
  });

  test("YOLOv7-pose's boxes and keypoints are no 52 classes", () => {
    const pose = graphOf(
      { box: 18, keypoints: 153 },
      [],
      [node('Sigmoid', ['box'], 'b'), node('Concat', ['b', 'keypoints'], 'output')],
    );
    const found = inspect([['output', [1, 25200, 57]]], pose);
    expect(found).toMatchObject({ head: null, ambiguous: true });
    expect(found.reasons.join()).toContain('18, 153 channels');
  });

  test("three pieces are YOLOv5's", () => {
    expect(inspect(output, graph(3))).toMatchObject({ head: 'yolov5', classCount: 11 });
  });
});

test('classes that are products with features of a text are classes, not keypoints', () => {
  const graph = graphOf(
    { box: 64, embedding: 16 },
    ['box'],
    [
      node('Einsum', ['embedding', 'w_dfl'], 'cls'),
      node('Sigmoid', ['cls'], 's'),
      node('Concat', ['box_sides', 's'], 'output0'),
    ],
  );
  const outputs: Outputs = [['output0', [1, 84, 8400]]];
  expect(inspect(outputs, graph)).toMatchObject({ head: 'yolov8', classCount: 80 });
  const named = { ...graph, metadata: { task: 'detect' } };
  expect(inspect(outputs, named)).toMatchObject({ head: 'yolov8', classCount: 80 });
});

test('dims that are numbers written as symbols are numbers', () => {
  const found = inspect([
    ['num_dets', ['1', '1'], 6],
    ['det_boxes', ['1', '100', '4']],
    ['det_scores', ['1', '100']],
    ['det_classes', ['1', '100'], 6],
  ]);
  expect(found).toMatchObject({ head: 'efficient-nms', ambiguous: false });
  expect(found.outputs[1]!.dims).toEqual([1, 100, 4]);
});

describe('faces with an open input', () => {
  const levels = (columns: readonly number[], rows: readonly (number | string)[]): Outputs =>
    columns.flatMap((count) => rows.map((row, i) => [`c${count}_${i}`, [row, count]] as const));
  const open: TestDims = [1, 3, '?', '?'];

  test.each([
    ['rows of the picture it was exported with', levels([1, 4, 10], [12800, 3200, 800])],
    ['open rows', levels([1, 4, 10], ['?', '?', '?'])],
    ['without keypoints', levels([1, 4], [12800, 3200, 800])],
  ])('SCRFD: %s', (_, outputs) => {
    expect(inspect(outputs, {}, open)).toMatchObject({
      head: 'scrfd',
      classNames: ['face'],
      preprocessing: { size: { width: 640, height: 640 }, fit: 'letterbox-top-left' },
      preprocessingSources: { size: 'convention' },
    });
  });

  test.each([
    ['rows that are no levels', levels([1, 4, 10], [100, 100, 100])],
    ['levels without boxes', levels([1, 10], [12800, 3200, 800])],
    ['two levels', levels([1, 4, 10], [12800, 3200])],
  ])('not SCRFD: %s', (_, outputs) => expect(inspect(outputs, {}, open).head).toBeNull());

  test('CenterFace', () => {
    const outputs: Outputs = [1, 2, 2, 10].map((channels, i) => [`${537 + i}`, [1, channels, 'h', 'w']]);
    expect(inspect(outputs, {}, open)).toMatchObject({
      head: 'centerface',
      preprocessing: { channelOrder: 'rgb', fit: 'stretch', std: [1, 1, 1] },
    });
    const other: Outputs = [1, 2, 2, 10].map((channels, i) => [`${i}`, [1, channels, 80, 80]]);
    expect(inspect(other).head).toBeNull();
  });
});
