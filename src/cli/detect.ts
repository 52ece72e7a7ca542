/**
 * `boxops detect`: images in, a table of detections out, and on request annotated pictures and JSON.
 *
 * An unreadable image is reported by name and the others go on; the exit code is then 1.
 */
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
import { AmbiguousModelError, LayoutError, ModelError, OptionError } from '../errors.ts';
import type { CocoDataset } from '../evaluation/index.ts';
import { type HeadName, headNames, type LibraryPreset, presetDefaults } from '../heads/index.ts';
import { annotate, annotatedPaths } from './annotate.ts';
import { cocoRows } from './coco-rows.ts';
import { defaultModel } from './default-model.ts';
import { detectionTable, type ImageResult } from './detect-table.ts';
import {
  besideJson,
  expandImages,
  keepInputs,
  readBytes,
  readImageFile,
  readJson,
  readModel,
  write,
  writeJson,
} from './files.ts';
import { startProgress } from './progress.ts';
import { describeError, type Terminal } from './terminal.ts';

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

/** The detector, with the run options as its defaults: a bad one is told once, not for every image. */
async function open(flags: DetectFlags): Promise<Detector> {
  const executionProviders: ExecutionProvider[] = ['wasm'];
  const model = flags.model === undefined ? readBytes(defaultModel()) : readModel(flags.model);
  const making = createDetector({
    model,
    executionProviders,
    ...runOptions(flags),
    ...(flags.worker === true ? { worker: true } : {}),
    ...(flags.threads === undefined ? {} : { threads: flags.threads }),
    ...(flags.head === undefined ? {} : { head: flags.head }),
    ...(flags.size === undefined
      ? {}
      : { preprocessing: { size: { width: flags.size, height: flags.size } } }),
  });
  return making.catch((error: unknown) => {
    if (
      !(error instanceof ModelError || error instanceof LayoutError || error instanceof AmbiguousModelError)
    )
      throw error;
    const name = flags.model ?? 'the embedded model';
    const hint = error instanceof AmbiguousModelError ? ' (on the command line: --head)' : '';
    const Same = error.constructor as typeof ModelError;
    throw new Same(`${name}: ${error.message}${hint}`, error.details, { cause: error });
  });
}

/** One picture, whole or in tiles. */
function detectImage(
  detector: Detector,
  bytes: Uint8Array<ArrayBuffer>,
  flags: DetectFlags,
): Promise<Detections> {
  const { tile, overlap, merge, mergeMetric, mergeThreshold } = flags;
  if (tile === undefined) return detector.detect(bytes);
  return detectTiled(detector, bytes, {
    ...runOptions(flags),
    tile,
    ...(overlap === undefined ? {} : { overlap }),
    ...(merge === undefined ? {} : { merge }),
    ...(mergeMetric === undefined ? {} : { mergeMetric: mergeMetric as 'ios' }),
    ...(mergeThreshold === undefined ? {} : { mergeThreshold }),
  });
}

/** What an image adds to the JSON: COCO results where there is a ground truth, else one row of its own. */
function rowMaker(cocoGt: string | undefined): (path: string, detections: Detections) => unknown[] {
  if (cocoGt !== undefined) {
    const groundTruth = readJson(cocoGt) as CocoDataset;
    return (path, detections) => cocoRows(path, detections, groundTruth);
  }
  return (path, detections) => {
    const { width, height } = detections.imageSize ?? {};
    return [{ image: path, width, height, detections: detections.toJSON() }];
  };
}

/** A COCO results array; else an array for many images, and for one its row, if it could be read. */
function rowsText(rows: readonly unknown[], images: readonly string[], cocoGt?: string): string | undefined {
  if (cocoGt !== undefined) return JSON.stringify(rows);
  return JSON.stringify(images.length > 1 ? rows : rows[0], null, 2);
}

async function detect(paths: readonly string[], flags: DetectFlags, terminal: Terminal): Promise<number> {
  const images = expandImages(paths);
  checkFlags(flags, images, paths);
  const targets = flags.out === undefined ? undefined : annotatedPaths(flags.out, images);
  const toRow = rowMaker(flags.cocoGt);
  const detector = await open(flags);
  if (flags.model === undefined) {
    terminal.err('boxops: no --model: the embedded detector of handwritten digits looks at the images');
  }
  const results: ImageResult[] = [];
  const rows: unknown[] = [];
  let failures = 0;
  const progress = images.length > 1 ? startProgress(terminal, 'images', images.length) : undefined;
  try {
    for (const [index, path] of images.entries()) {
      try {
        const bytes = readImageFile(path);
        const detections = await detectImage(detector, bytes, flags);
        results.push({ path, detections });
        if (flags.json !== undefined) rows.push(...toRow(path, detections));
        const target = targets?.[index];
        if (target !== undefined) write(target, await annotate(bytes, detections, target));
      } catch (error) {
        // an option is wrong for every image
        if (error instanceof OptionError) throw error;
        failures++;
        progress?.makeRoom();
        terminal.err(`boxops: ${path}: ${describeError(error)}`);
      }
      progress?.update(index + 1);
    }
    progress?.stop();
    const json = flags.json === undefined ? undefined : rowsText(rows, images, flags.cocoGt);
    if (flags.json !== undefined && json !== undefined) writeJson(terminal, flags.json, json);
    const { out } = besideJson(terminal, flags.json);
    if (results.length > 0) out(detectionTable(results));
    if (targets !== undefined && results.length > 0) {
      out(`annotated: ${images.length === 1 ? targets[0] : flags.out}`);
    }
    if (images.length > 1 && results.length > 0) {
      const { milliseconds } = await detector.stats();
      out(
        `${results.length} of ${images.length} images, a mean of ${(milliseconds.preprocess + milliseconds.inference + milliseconds.postprocess).toFixed(1)} ms each`,
      );
    }
  } finally {
    progress?.stop();
    detector.dispose();
  }
  return failures === 0 ? 0 : 1;
}

/** What no single option knows. Throws {@link OptionError} before anything is loaded. */
function checkFlags(flags: DetectFlags, images: readonly string[], paths: readonly string[]): void {
  if (images.length === 0) throw new OptionError(`no images in ${paths.join(', ')}`, { paths });
  const { overlap, merge, mergeMetric, mergeThreshold } = flags;
  if (flags.tile === undefined && (overlap ?? merge ?? mergeMetric ?? mergeThreshold) !== undefined) {
    throw new OptionError('--overlap and --merge… need --tile');
  }
  if (flags.cocoGt !== undefined && flags.json === undefined) {
    throw new OptionError('--coco-gt says how the JSON is written: it needs --json');
  }
  keepInputs('--json', flags.json, [flags.cocoGt, flags.model, ...images]);
}

export function detectCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return new Command('detect')
    .description('detect objects in images, or in those that lie in a folder')
    .argument('<image...>', 'image files or folders')
    .option('--model <file>', 'an ONNX detector (default: the embedded detector of handwritten digits)')
    .addOption(new Option('--head <name>', 'the head, where the model is ambiguous').choices([...headNames]))
    .option('--out <path>', 'annotated picture (.png, .jpg or .webp); a folder for many images')
    .option('--json <file>', 'detections as JSON (-: standard output)')
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
