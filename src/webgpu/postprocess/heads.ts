/**
 * Which heads can be post-processed where their tensors lie, and how: where scores and boxes are, and the few lines of
 * WGSL that read a score and a box.
 *
 * Scores come out as integers in the order of the floats, so that no shader compiler's view of NaN matters. Boxes need
 * only be close: the CPU decodes the kept rows again.
 */
import { detrNames } from '../../heads/detr.ts';
import type { HeadName, HeadOptions } from '../../heads/types.ts';
import { gpuHeads } from './names.ts';

/** A tensor that lies on the GPU: row-major, float16 packed by two. */
export interface GpuTensor {
  readonly buffer: GPUBuffer;
  readonly dims: readonly number[];
  readonly type: string;
}

export type GpuOutputs = Readonly<Record<string, Pick<GpuTensor, 'dims' | 'type'>>>;

/** Where column 0 of a row lies: `image · imageStep + row · rowStep`, columns `columnStep` apart. */
export interface Table {
  readonly name: string;
  readonly imageStep: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

export interface HeadPlan {
  readonly family: Family;
  readonly rows: number;
  readonly classes: number;
  readonly scores: Table;
  /** Column of class 0 in {@link scores}. */
  readonly firstClass: number;
  /** A column of {@link scores} that a row's candidate needs as well: objectness, or the class of an end-to-end row. */
  readonly aux: number | null;
  readonly boxes: Table;
  /** Columns of {@link scores} that come along: mask coefficients, keypoints. */
  readonly extra: { readonly from: number; readonly count: number };
  readonly strides: readonly number[];
  readonly nmsFree: boolean;
  /** A score that is no candidate, for the rows not read back. */
  readonly blank: number;
}

/** One way to read a row. */
export type Family = 'classes' | 'objectness' | 'yolox' | 'rows' | 'logits';

interface Snippet {
  /** `fn scoreOf(row, c) -> i32`: the order of the score of a class, `lowest` where it is NaN. */
  readonly score: string;
  /** `fn boxOf(row) -> vec4f`: corners in pixels, or any four numbers where nothing is suppressed. */
  readonly box: string;
  /** Index of the element whose NaN says that the row is broken. */
  readonly probe: string;
}

const plainScore =
  'fn scoreOf(row: u32, c: u32) -> i32 { return ordered(scoreBits(row, job.firstClass + c)); }';
const productScore = `fn scoreOf(row: u32, c: u32) -> i32 {
  let objectness = scoreBits(row, job.aux);
  if (ordered(objectness) <= job.floor) { return lowest; }
  let score = scoreBits(row, job.firstClass + c);
  if (isNan(score)) { return lowest; }
  return ordered(bitcast<u32>(bitcast<f32>(objectness) * bitcast<f32>(score)));
}`;
const rawBox = 'fn boxOf(row: u32) -> vec4f { return rawBox(row); }';
const centredBox = `fn boxOf(row: u32) -> vec4f {
  let box = rawBox(row);
  return vec4f(box.xy - 0.5 * box.zw, box.xy + 0.5 * box.zw);
}`;
const gridBox = `fn boxOf(row: u32) -> vec4f {
  let box = rawBox(row);
  var cell = row;
  var level = 0u;
  while (level + 1u < job.levels && cell >= cellsOf(level)) { cell -= cellsOf(level); level++; }
  let stride = job.strides[level];
  let across = (job.width + stride - 1u) / stride;
  let centre = (box.xy + vec2f(f32(cell % across), f32(cell / across))) * f32(stride);
  let size = exp(box.zw) * f32(stride);
  return vec4f(centre - 0.5 * size, centre + 0.5 * size);
}
fn cellsOf(level: u32) -> u32 {
  let stride = job.strides[level];
  return ((job.width + stride - 1u) / stride) * ((job.height + stride - 1u) / stride);
}`;

export const snippets: Readonly<Record<Family, Snippet>> = {
  classes: { score: plainScore, box: centredBox, probe: 'job.firstClass' },
  objectness: { score: productScore, box: centredBox, probe: 'job.aux' },
  yolox: { score: productScore, box: gridBox, probe: 'job.aux' },
  rows: { score: plainScore, box: rawBox, probe: 'job.firstClass' },
  logits: { score: plainScore, box: rawBox, probe: 'job.firstClass' },
};

const rowMajor = (name: string, rows: number, columns: number): Table => ({
  name,
  imageStep: rows * columns,
  rowStep: columns,
  columnStep: 1,
});

/** How the outputs of a head are read, or why the CPU has to do it. */
export function planHead(head: HeadName, outputs: GpuOutputs, options: HeadOptions): HeadPlan | string {
  if (!gpuHeads.includes(head)) return `the head ${head} has no WGSL decoder`;
  const plan = head === 'detr' ? planDetr(outputs) : planTable(head, outputs, options);
  if (typeof plan === 'string') return plan;
  const types = [plan.scores, plan.boxes].map(({ name }) => outputs[name]!.type);
  const known = types.every((type) => type === 'float32' || type === 'float16');
  return known ? plan : `expected float32 or float16, got ${types.join(' and ')}`;
}

/** Heads whose scores and boxes are one output. */
function planTable(head: HeadName, outputs: GpuOutputs, options: HeadOptions): HeadPlan | string {
  const tables = Object.entries(outputs).filter(([, { dims }]) => dims.length === 3);
  if (tables.length !== 1) return `expected one output of rank 3, got ${tables.length}`;
  const [name, { dims }] = tables[0]!;
  const [, first, second] = dims as [number, number, number];
  const prototypes = Object.values(outputs).find((tensor) => tensor.dims.length === 4);
  const masks = head.endsWith('-seg') ? prototypes?.dims[1] : 0;
  if (masks === undefined) return 'no output of rank 4 holds the mask prototypes';
  const common = { scores: rowMajor(name, first, second), boxes: rowMajor(name, first, second) };
  const rest = { strides: [], blank: 0, nmsFree: false, rows: first };
  if (head.startsWith('end-to-end')) {
    if (second < 6) return `expected rows of at least 6 numbers, got ${second}`;
    const extra = { from: 6, count: second - 6 };
    return { ...rest, ...common, family: 'rows', classes: 1, firstClass: 4, aux: 5, extra, nmsFree: true };
  }
  if (head === 'yolov8-rows') {
    if ((options.activation ?? 'none') !== 'none') return 'the scores still need an activation';
    const classes = options.classCount ?? second - 4;
    return { ...rest, ...common, family: 'classes', classes, firstClass: 4, aux: null, extra: none };
  }
  if (head.startsWith('yolov8')) {
    const table: Table = { name, imageStep: first * second, rowStep: 1, columnStep: second };
    const classes = options.classCount ?? (head === 'yolov8-pose' ? 1 : first - 4 - masks);
    const count = head === 'yolov8' ? 0 : first - 4 - classes;
    if (classes < 1 || count < 0) return `expected 4 + classes rows, got ${first}`;
    const extra = { from: 4 + classes, count };
    const at = { scores: table, boxes: table, firstClass: 4, aux: null };
    return { ...rest, ...at, family: 'classes', rows: second, classes, extra };
  }
  const classes = options.classCount ?? second - 5 - masks;
  const count = head === 'yolov5-seg' ? masks : 0;
  if (classes < 1 || 5 + classes + count > second) return `expected 5 + classes columns, got ${second}`;
  const strides = options.strides ?? [8, 16, 32];
  const grid = head === 'yolox' && options.decoded !== true;
  if (grid && strides.length > 4) return `at most 4 strides, got ${strides.length}`;
  return {
    ...rest,
    ...common,
    family: grid ? 'yolox' : 'objectness',
    classes,
    firstClass: 5,
    aux: 4,
    extra: { from: second - count, count },
    strides: grid ? strides : [],
  };
}

const none = { from: 0, count: 0 };

/** Class logits [N, Q, C] and boxes [N, Q, 4]; every pair above the threshold is a candidate. */
function planDetr(outputs: GpuOutputs): HeadPlan | string {
  const names = detrNames(outputs);
  if (names === undefined) return 'expected class logits [N, Q, C] and boxes [N, Q, 4]';
  const [, rows, classes] = outputs[names.logits]!.dims as [number, number, number];
  return {
    family: 'logits',
    rows,
    classes,
    scores: rowMajor(names.logits, rows, classes),
    firstClass: 0,
    aux: null,
    boxes: rowMajor(names.boxes, rows, 4),
    extra: none,
    strides: [],
    nmsFree: true,
    blank: Number.NEGATIVE_INFINITY,
  };
}
