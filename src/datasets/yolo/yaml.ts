/** YOLO's data.yaml: where the images are, the classes' names, the shape of keypoints. */
import { isMap, isScalar, LineCounter, parseDocument, stringify } from 'yaml';
import { type Place, ProblemReport } from '../problems.ts';
import type { Category } from '../types.ts';

export interface YoloData {
  /** Folder the others are relative to. */
  readonly path?: string;
  /** Folders or lists (.txt) of images a split: `train`, `val`, `test`. */
  readonly splits: Readonly<Record<string, readonly string[]>>;
  readonly categories: readonly Category[];
  readonly keypointShape?: readonly [number, number];
}

const splitNames = ['train', 'val', 'test'];

/** Reads data.yaml; what is wrong goes into the report with its line. */
export function parseYoloYaml(text: string, file?: string, report = new ProblemReport()): YoloData {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const place = (offset: number | undefined, path?: string): Place => {
    const at = offset === undefined ? undefined : counter.linePos(offset);
    return {
      ...(file === undefined ? {} : { file }),
      ...(at === undefined ? {} : { line: at.line, column: at.col }),
      ...(path === undefined ? {} : { path }),
    };
  };
  for (const error of document.errors) {
    report.add('malformed-yaml', error.message.split('\n')[0]!, place(error.pos[0]));
  }
  if (!isMap(document.contents)) {
    if (document.errors.length === 0) {
      report.add('wrong-type', 'expected a map of train, val, names, …', place(0));
    }
    return { splits: {}, categories: [] };
  }
  const value = document.toJS() as Record<string, unknown>;
  const keyPlace = (key: string): Place => {
    const pair = isMap(document.contents)
      ? document.contents.items.find((item) => isScalar(item.key) && item.key.value === key)
      : undefined;
    return place(isScalar(pair?.key) ? pair.key.range?.[0] : undefined, key);
  };
  const categories = categoriesOf(value, report, keyPlace('names'));
  if (typeof value.nc === 'number' && categories.length > 0 && value.nc !== categories.length) {
    report.add('wrong-type', `nc is ${value.nc}, but there are ${categories.length} names`, keyPlace('nc'));
  }
  const splits: Record<string, string[]> = {};
  for (const name of splitNames) {
    // Ultralytics takes either name
    const entry = value[name] ?? (name === 'val' ? value.validation : undefined);
    if (entry === undefined || entry === null || entry === '') continue;
    const entries = Array.isArray(entry) ? entry : [entry];
    if (entries.every((item) => typeof item === 'string')) splits[name] = entries;
    else report.add('wrong-type', `expected a path or a list of paths`, keyPlace(name));
  }
  const shape = value.kpt_shape;
  const hasShape =
    Array.isArray(shape) &&
    shape.length === 2 &&
    Number.isSafeInteger(shape[0]) &&
    shape[0] > 0 &&
    (shape[1] === 2 || shape[1] === 3);
  if (shape !== undefined && !hasShape) {
    report.add(
      'wrong-type',
      `expected [keypoints, 2 or 3], got ${JSON.stringify(shape)}`,
      keyPlace('kpt_shape'),
    );
  }
  return {
    splits,
    categories,
    ...(typeof value.path === 'string' ? { path: value.path } : {}),
    ...(hasShape ? { keypointShape: [shape[0] as number, shape[1] as number] as const } : {}),
  };
}

/** Classes that may be given by their number alone. */
const mostUnnamed = 100_000;

/** Names as a list, or as a map from class number to name; `class_0`, `class_1` … where only their number is given. */
function categoriesOf(
  { names, nc }: Readonly<Record<string, unknown>>,
  report: ProblemReport,
  place: Place,
): Category[] {
  if (names === undefined || names === null) {
    if (Number.isSafeInteger(nc) && (nc as number) > 0 && (nc as number) <= mostUnnamed) {
      return Array.from({ length: nc as number }, (_, id) => ({ id, name: `class_${id}` }));
    }
    const got = nc === undefined || nc === null ? '' : ` from 1 to ${mostUnnamed}, got ${String(nc)}`;
    report.add('missing-key', `expected 'names' or 'nc'${got}`, { ...place, path: 'names' });
    return [];
  }
  if (typeof names !== 'object') {
    report.add('wrong-type', `expected a list or a map of names, got ${JSON.stringify(names)}`, place);
    return [];
  }
  const categories: Category[] = [];
  for (const [key, name] of Object.entries(names)) {
    const id = Number(key);
    if (!Number.isSafeInteger(id) || id < 0) {
      report.add('wrong-type', `expected class numbers, got '${key}'`, place);
      continue;
    }
    categories.push({ id, name: String(name) });
  }
  categories.sort((a, b) => a.id - b.id);
  const known = new Set<string>();
  for (const { name } of categories) {
    if (known.has(name)) report.add('duplicate-category-name', `class name ${name} is used twice`, place);
    known.add(name);
  }
  for (const [i, { id }] of categories.entries()) {
    if (id !== i) {
      report.add('wrong-type', `expected classes 0 to ${categories.length - 1}, ${i} is missing`, place);
      break;
    }
  }
  return categories;
}

/** The text of data.yaml for one or more splits in this folder. */
export function writeYoloYaml(
  categories: readonly Category[],
  splits: Readonly<Record<string, string>>,
  keypointCount = 0,
): string {
  return stringify({
    ...splits,
    nc: categories.length,
    names: new Map(categories.map(({ name }, label) => [label, name])),
    ...(keypointCount > 0 ? { kpt_shape: [keypointCount, 3] } : {}),
  });
}
