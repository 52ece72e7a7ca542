/**
 * `boxops detect`: images in, a table of detections out, and on request annotated pictures and JSON.
 *
 * An unreadable image is reported by name and the others go on; the exit code is then 1.
 */
import { basename, extname, join } from 'node:path';
import { SingleBar } from 'cli-progress';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Detections } from '../boxes/detections.ts';
import {
  createDetector,
  type DetectOptions,
  type Detector,
  detectTiled,
  type ExecutionProvider,
  type MergeTilesOptions,
} from '../detector/index.ts';
import { OptionError } from '../errors.ts';
import type { CocoDataset } from '../evaluation/index.ts';
import { type HeadName, headNames, type LibraryPreset, presetDefaults } from '../heads/index.ts';
import { rleArea } from '../masks/index.ts';
import { annotate } from './annotate.ts';
import { cocoRows } from './coco-rows.ts';
import { defaultModel } from './default-model.ts';
import { expandImages, readBytes, readJson, readModel, write } from './files.ts';
import { describeError } from './program.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface DetectFlags {
  readonly model?: string;
  readonly head?: HeadName;
  readonly out?: string;
  readonly json?: string;
  readonly cocoGt?: string;
  readonly score?: number;
  readonly preset?: LibraryPreset;
  readonly tile?: number;
  readonly overlap?: number;
  readonly merge?: MergeTilesOptions['merge'];
  readonly mergeMetric?: string;
  readonly mergeThreshold?: number;
  readonly iou?: number;
  readonly metric?: string;
  readonly classAgnostic?: boolean;
  readonly multiLabel?: boolean;
  readonly maxDetections?: number;
  readonly classes?: string[];
  readonly size?: number;
  readonly worker?: boolean;
  readonly threads?: number;
}

interface ImageResult {
  readonly path: string;
  readonly detections: Detections;
}

function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('expected a number from 0 to 1.');
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number of at least 1.');
  return value;
}

const list = (text: string): string[] => text.split(',').map((part) => part.trim());

function runOptions(flags: DetectFlags): DetectOptions {
  const nms = {
    ...(flags.iou === undefined ? {} : { iouThreshold: flags.iou }),
    ...(flags.metric === undefined ? {} : { metric: flags.metric as 'iou' }),
    ...(flags.maxDetections === undefined ? {} : { maxDetections: flags.maxDetections }),
    ...(flags.classAgnostic === true ? { scope: 'agnostic' as const } : {}),
  };
  return {
    ...(flags.score === undefined ? {} : { scoreThreshold: flags.score }),
    ...(flags.preset === undefined ? {} : { preset: flags.preset }),
    nms,
    ...(flags.multiLabel === true ? { multiLabel: true } : {}),
    ...(flags.classes === undefined
      ? {}
      : { classes: flags.classes.map((name) => (/^\d+$/.test(name) ? Number(name) : name)) }),
  };
}

async function open(flags: DetectFlags): Promise<Detector> {
  const executionProviders: ExecutionProvider[] = ['wasm'];
  return createDetector({
    model: flags.model === undefined ? readBytes(defaultModel()) : readModel(flags.model),
    executionProviders,
    ...(flags.worker === true ? { worker: true } : {}),
    ...(flags.threads === undefined ? {} : { threads: flags.threads }),
    ...(flags.head === undefined ? {} : { head: flags.head }),
    ...(flags.size === undefined
      ? {}
      : { preprocessing: { size: { width: flags.size, height: flags.size } } }),
  });
}

/** Columns only some models give: the angle of the box, keypoints above score 0.5, the area of the mask. */
const extras: readonly {
  readonly title: string;
  readonly present: (detections: Detections) => boolean;
  readonly cell: (detections: Detections, index: number) => string;
}[] = [
  {
    title: 'angle °',
    present: ({ angles }) => angles !== undefined,
    cell: ({ angles }, i) => ((angles![i]! * 180) / Math.PI).toFixed(1),
  },
  {
    title: 'keypoints',
    present: ({ keypoints }) => keypoints !== undefined,
    cell: ({ keypoints, keypointCount }, i) => {
      const scores = keypoints!.subarray(3 * keypointCount * i, 3 * keypointCount * (i + 1));
      return `${scores.filter((value, k) => k % 3 === 2 && value > 0.5).length} of ${keypointCount}`;
    },
  },
  {
    title: 'mask px',
    present: ({ maskSize }) => maskSize !== undefined,
    cell: (detections, i) => String(rleArea(detections.maskAt(i)!)),
  },
];

/** The table a person reads: one row a detection, best first. */
export function detectionTable(results: readonly ImageResult[]): string {
  const shown = extras.filter(({ present }) => results.some(({ detections }) => present(detections)));
  const rows = results.flatMap(({ path, detections }) =>
    detections.count === 0
      ? [[basename(path), '–', '', '', '', '', '', ...shown.map(() => '')]]
      : Array.from({ length: detections.count }, (_, i) => [
          basename(path),
          detections.classNameOf(i),
          detections.scores[i]!.toFixed(3),
          ...[...detections.boxes.subarray(4 * i, 4 * i + 4)].map((value) => value.toFixed(1)),
          ...shown.map(({ present, cell }) => (present(detections) ? cell(detections, i) : '')),
        ]),
  );
  return table(
    ['image', 'class', 'score', 'x1', 'y1', 'x2', 'y2', ...shown.map(({ title }) => title)],
    rows,
    2,
  );
}

/** One picture, whole or in tiles. */
function detectImage(
  detector: Detector,
  bytes: Uint8Array<ArrayBuffer>,
  flags: DetectFlags,
): Promise<Detections> {
  const { tile, overlap, merge, mergeMetric, mergeThreshold } = flags;
  if (tile === undefined) return detector.detect(bytes, runOptions(flags));
  return detectTiled(detector, bytes, {
    ...runOptions(flags),
    tile,
    ...(overlap === undefined ? {} : { overlap }),
    ...(merge === undefined ? {} : { merge }),
    ...(mergeMetric === undefined ? {} : { mergeMetric: mergeMetric as 'ios' }),
    ...(mergeThreshold === undefined ? {} : { mergeThreshold }),
  });
}

function jsonOf(results: readonly ImageResult[], cocoGt: string | undefined): string {
  if (cocoGt !== undefined) {
    const groundTruth = readJson(cocoGt) as CocoDataset;
    return JSON.stringify(results.flatMap(({ path, detections }) => cocoRows(path, detections, groundTruth)));
  }
  const rows = results.map(({ path, detections }) => ({
    image: path,
    width: detections.imageSize?.width,
    height: detections.imageSize?.height,
    detections: detections.toJSON(),
  }));
  return JSON.stringify(rows.length === 1 ? rows[0] : rows, null, 2);
}

/** `--out` names a file for one image, a folder for many. */
function annotatedPath(out: string, path: string, images: number): string {
  if (images === 1 && extname(out) !== '') return out;
  return join(out, `${basename(path, extname(path))}.png`);
}

async function detect(paths: readonly string[], flags: DetectFlags, terminal: Terminal): Promise<number> {
  const images = expandImages(paths);
  if (images.length === 0) throw new OptionError(`no images in ${paths.join(', ')}`, { paths });
  if (flags.out !== undefined && images.length > 1 && extname(flags.out) !== '') {
    throw new OptionError(`--out must name a folder for ${images.length} images, got the file ${flags.out}`);
  }
  const { overlap, merge, mergeMetric, mergeThreshold } = flags;
  if (flags.tile === undefined && (overlap ?? merge ?? mergeMetric ?? mergeThreshold) !== undefined) {
    throw new OptionError('--overlap and --merge… need --tile');
  }
  const detector = await open(flags);
  const results: ImageResult[] = [];
  let failures = 0;
  const bar =
    terminal.interactive && images.length > 1
      ? new SingleBar({
          format: '{bar} {value}/{total} images · {eta_formatted} left · {image}',
          stream: process.stderr,
        })
      : undefined;
  bar?.start(images.length, 0, { image: '' });
  try {
    for (const path of images) {
      try {
        const bytes = readBytes(path);
        const detections = await detectImage(detector, bytes, flags);
        results.push({ path, detections });
        if (flags.out !== undefined) {
          write(annotatedPath(flags.out, path, images.length), await annotate(bytes, detections));
        }
      } catch (error) {
        failures++;
        terminal.err(`boxops: ${path}: ${describeError(error)}`);
      }
      bar?.increment({ image: basename(path) });
    }
    bar?.stop();
    if (results.length > 0) terminal.out(detectionTable(results));
    if (flags.json !== undefined) write(flags.json, `${jsonOf(results, flags.cocoGt)}\n`);
    if (flags.out !== undefined && results.length > 0) {
      terminal.out(`annotated: ${images.length === 1 ? annotatedPath(flags.out, images[0]!, 1) : flags.out}`);
    }
    if (images.length > 1) {
      const { milliseconds } = await detector.stats();
      terminal.out(
        `${results.length} of ${images.length} images, a mean of ${(milliseconds.preprocess + milliseconds.inference + milliseconds.postprocess).toFixed(1)} ms each`,
      );
    }
  } finally {
    bar?.stop();
    detector.dispose();
  }
  return failures === 0 ? 0 : 1;
}

export function detectCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return new Command('detect')
    .description('detect objects in images; folders are read whole')
    .argument('<image...>', 'image files or folders')
    .option('--model <file>', 'an ONNX detector (default: the embedded detector of handwritten digits)')
    .addOption(new Option('--head <name>', 'the head, where the model is ambiguous').choices([...headNames]))
    .option('--out <path>', 'annotated picture (PNG); a folder for many images')
    .option('--json <file>', 'detections as JSON')
    .option('--coco-gt <file>', 'write the JSON as a COCO results array, ids taken from these annotations')
    .option('--score <threshold>', "keep scores above this (default: 0.25, or the preset's)", fraction)
    .option('--iou <threshold>', 'suppress above this similarity', fraction)
    .option('--metric <name>', 'similarity of the suppression: iou, giou, diou, ciou, …')
    .option('--class-agnostic', 'let boxes of different classes suppress each other')
    .option('--multi-label', 'every class above the threshold, not the best only')
    .option('--max-detections <n>', 'at most this many an image', count)
    .option('--classes <list>', 'only these classes, comma-separated names or ids', list)
    .addOption(
      new Option('--preset <library>', 'thresholds, labels, order and limits of a library').choices(
        Object.keys(presetDefaults),
      ),
    )
    .option('--tile <pixels>', 'detect in square tiles of this side, and merge', count)
    .option('--overlap <part>', 'part of a tile shared with its neighbour (default: 0.2)', fraction)
    .addOption(
      new Option('--merge <rule>', 'how detections of tiles merge').choices([
        'greedy-nmm',
        'nmm',
        'nms',
        'wbf',
      ]),
    )
    .option('--merge-metric <name>', 'how boxes of tiles are compared (default: ios)')
    .option('--merge-threshold <similarity>', 'merge above this (default: 0.5)', fraction)
    .option('--size <pixels>', 'square input size, where the model leaves it open', count)
    .option('--threads <n>', 'threads of the runtime', count)
    .option('--worker', 'run the model in a worker thread')
    .action(async (paths: string[], flags: DetectFlags) => exit(await detect(paths, flags, terminal)));
}
