/** `boxops dataset`: look at annotations, check them, and make other ones from them. */
import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { Command, Option } from 'commander';
import {
  type DatasetFormat,
  datasetStats,
  formatProblem,
  mergeDatasets,
  ProblemReport,
  remapCategories,
  splitDataset,
  type VocOrigin,
  type YoloTask,
} from '../datasets/index.ts';
import { type Losses, writeDataset } from '../datasets/node/index.ts';
import { OptionError } from '../errors.ts';
import {
  formats,
  numberFrom,
  origins,
  type Parts,
  type ReadFlags,
  readChecked,
  readSplits,
  tasks,
  warn,
  withReadOptions,
} from './dataset-read.ts';
import { statsTables } from './dataset-tables.ts';
import { besideJson, keepInputs, readJson, writeJson } from './files.ts';
import type { Terminal } from './terminal.ts';

interface WriteFlags extends ReadFlags {
  readonly to?: DatasetFormat;
  readonly toTask?: YoloTask;
  readonly toOrigin?: VocOrigin;
  readonly decimals?: number;
  readonly copyImages?: boolean;
}

function withWriteOptions(command: Command): Command {
  return command
    .requiredOption('--out <path>', 'a .json file (COCO) or a folder that is not there yet')
    .addOption(new Option('--to <format>', 'format to write; default: that of the input').choices(formats))
    .addOption(new Option('--to-task <task>', 'what YOLO lines hold (default: detect)').choices(tasks))
    .addOption(new Option('--to-origin <origin>', 'how the VOC files count pixels').choices(origins))
    .option('--decimals <n>', 'decimals of a coordinate (YOLO 8, VOC 0)', numberFrom(0, 17, true))
    .option('--copy-images', 'take the images of --images along (linked where that works)');
}

/** Refuses to write over a dataset that is read: a file, or the one .json of a folder. */
function keepDatasets(option: string, target: string | undefined, paths: readonly string[]): void {
  const files = paths.flatMap((path) => {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path];
    const inside = readdirSync(path).filter((name) => name.endsWith('.json'));
    return inside.length === 1 ? [join(path, inside[0]!)] : [];
  });
  keepInputs(option, target, files);
}

/** What goes into one file comes from one split, what goes into a folder from all. */
function readForWriting(
  path: string,
  flags: WriteFlags & { out: string },
  terminal: Terminal,
): { parts: Parts; format: DatasetFormat } {
  keepDatasets('--out', flags.out, [path]);
  // a folder of images belongs to one split of a YOLO dataset
  if (extname(flags.out) === '.json' || flags.images !== undefined) {
    const { dataset, format } = readChecked(path, flags, terminal);
    return { parts: { [partName(flags)]: dataset }, format };
  }
  const report = new ProblemReport();
  const read = readSplits(path, flags, report);
  report.throwOnErrors(path);
  warn(path, report, terminal);
  return read;
}

function save(
  parts: Parts,
  flags: WriteFlags & { out: string },
  format: DatasetFormat,
  terminal: Terminal,
): void {
  const to = flags.to ?? (extname(flags.out) === '.json' ? 'coco' : format);
  if (to !== 'coco' && extname(flags.out) === '.json') {
    throw new OptionError(`--to ${to} writes a folder, and --out ${flags.out} names a file`);
  }
  if (flags.copyImages === true && flags.images === undefined) {
    throw new OptionError('--copy-images needs --images, the folder they are in');
  }
  const losses = writeDataset(flags.out, parts, {
    format: to,
    ...(flags.toTask === undefined ? {} : { task: flags.toTask }),
    ...(flags.toOrigin === undefined ? {} : { origin: flags.toOrigin }),
    ...(flags.decimals === undefined ? {} : { decimals: flags.decimals }),
    ...(flags.copyImages === true ? { images: flags.images! } : {}),
  });
  for (const [name, { images, annotations }] of Object.entries(parts)) {
    terminal.out(`${name}: ${images.count} images, ${annotations.count} annotations`);
  }
  terminal.out(`written: ${flags.out} (${to})`);
  for (const line of lossLines(losses)) terminal.err(line);
}

const lossNames: Readonly<Record<string, string>> = {
  crowd: 'crowd regions left out, which the format cannot mark',
  joined: 'objects of several outlines joined into one',
  boxOnly: 'objects without the outline or keypoints of the task, written as their box',
  shapes: 'outlines or keypoints left out, which the format does not hold',
};

const lossLines = (losses: Losses): string[] =>
  Object.entries(losses).map(([kind, count]) => `${count} ${lossNames[kind] ?? kind}`);

/** Name of the only part: the split that was read, or `train`. */
const partName = (flags: ReadFlags): string => flags.split ?? 'train';

function validateCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return withReadOptions(new Command('validate'))
    .description('list everything that is wrong with a dataset, each with its place')
    .argument('<dataset>', 'COCO .json, YOLO data.yaml, or a folder')
    .option('--strict', 'warnings count as errors')
    .option('--json <file>', 'write the findings as JSON (-: standard output)')
    .option('--limit <n>', 'list at most this many', numberFrom(0, 1e9, true), 1000)
    .action((path: string, flags: ReadFlags & { strict?: boolean; json?: string; limit: number }) => {
      keepDatasets('--json', flags.json, [path]);
      const { out } = besideJson(terminal, flags.json);
      const report = new ProblemReport();
      // outlines are checked as they pass; kept, they would be most of the memory
      const { parts, format } = readSplits(path, flags, report, { shapes: false });
      for (const problem of report.problems.slice(0, flags.limit)) out(formatProblem(problem));
      const total = report.errors + report.warnings;
      if (total > flags.limit) out(`… and ${total - flags.limit} more`);
      const datasets = Object.values(parts);
      const sum = (of: 'images' | 'annotations'): number =>
        datasets.reduce((total, dataset) => total + dataset[of].count, 0);
      const names = datasets.length > 1 ? ` (${Object.keys(parts).join(', ')})` : '';
      out(
        `${format}${names}: ${sum('images')} images, ${sum('annotations')} annotations, ${datasets[0]!.categories.length} categories; ${report.errors} errors, ${report.warnings} warnings`,
      );
      if (flags.json !== undefined) {
        const { problems } = report;
        const counts = Object.fromEntries(report.counts);
        writeJson(terminal, flags.json, JSON.stringify({ counts, problems }, null, 2));
      }
      if (report.errors > 0 || (flags.strict === true && report.warnings > 0)) exit(1);
    });
}

function convertCommand(terminal: Terminal): Command {
  return withWriteOptions(withReadOptions(new Command('convert')))
    .description('write a dataset in another format: COCO, YOLO, Pascal VOC')
    .argument('<dataset>', 'COCO .json, YOLO data.yaml, or a folder')
    .action((path: string, flags: WriteFlags & { out: string }) => {
      const { parts, format } = readForWriting(path, flags, terminal);
      save(parts, flags, format, terminal);
    });
}

function statsCommand(terminal: Terminal): Command {
  return withReadOptions(new Command('stats'))
    .description('classes, sizes and shapes of a dataset')
    .argument('<dataset>', 'COCO .json, YOLO data.yaml, or a folder')
    .option('--json <file>', 'write the numbers as JSON (-: standard output)')
    .option('--plot <file>', 'draw them: .svg or .png')
    .action(async (path: string, flags: ReadFlags & { json?: string; plot?: string }) => {
      keepDatasets('--json', flags.json, [path]);
      const { dataset } = readChecked(path, flags, terminal);
      const stats = datasetStats(dataset);
      const { out } = besideJson(terminal, flags.json);
      out(statsTables(stats));
      if (flags.json !== undefined) writeJson(terminal, flags.json, JSON.stringify(stats, null, 2));
      if (flags.plot !== undefined) {
        const { datasetCharts, saveCharts } = await import('./dataset-charts.ts');
        await saveCharts(flags.plot, datasetCharts(stats));
        out(`plotted: ${flags.plot}`);
      }
    });
}

function splitCommand(terminal: Terminal): Command {
  return withWriteOptions(withReadOptions(new Command('split')))
    .description('parts of a dataset by seeded random choice of images')
    .argument('<dataset>', 'COCO .json, YOLO data.yaml, or a folder')
    .option('--into <parts>', 'names and fractions', 'train=0.8,val=0.1,test=0.1')
    .option('--seed <n>', 'of the random choice', numberFrom(0, 2 ** 32 - 1, true), 0)
    .action((path: string, flags: WriteFlags & { out: string; into: string; seed: number }) => {
      const wanted = flags.into.split(',').map((part) => {
        const [name = '', fraction = ''] = part.split('=').map((text) => text.trim());
        if (!/^[\w-]+$/.test(name) || fraction === '' || !(Number(fraction) >= 0)) {
          throw new OptionError(`expected --into name=fraction,…, got '${part}'`, { part });
        }
        return { name, fraction: Number(fraction) };
      });
      const twice = wanted.find(({ name }, at) => wanted.findIndex((part) => part.name === name) < at);
      if (twice !== undefined)
        throw new OptionError(`--into names '${twice.name}' twice`, { into: flags.into });
      keepDatasets('--out', flags.out, [path]);
      const { dataset, format } = readChecked(path, flags, terminal);
      const fractions = wanted.map(({ fraction }) => fraction);
      const parts = splitDataset(dataset, fractions, { seed: flags.seed });
      save(Object.fromEntries(wanted.map(({ name }, i) => [name, parts[i]!])), flags, format, terminal);
    });
}

function mergeCommand(terminal: Terminal): Command {
  return withWriteOptions(withReadOptions(new Command('merge')))
    .description('several datasets as one; classes are united by name')
    .argument('<dataset...>', 'COCO .json, YOLO data.yaml, or folders')
    .action((paths: string[], flags: WriteFlags & { out: string }) => {
      keepDatasets('--out', flags.out, paths);
      const read = paths.map((path) => readChecked(path, flags, terminal));
      const merged = mergeDatasets(read.map(({ dataset }) => dataset));
      save({ [partName(flags)]: merged }, flags, read[0]!.format, terminal);
    });
}

function remapCommand(terminal: Terminal): Command {
  return withWriteOptions(withReadOptions(new Command('remap')))
    .description('rename, unite or drop classes')
    .argument('<dataset>', 'COCO .json, YOLO data.yaml, or a folder')
    .option('--map <pairs>', 'old=new,…; an empty new name drops the class')
    .option('--map-file <file>', 'JSON: { "old": "new" or null }')
    .action((path: string, flags: WriteFlags & { out: string; map?: string; mapFile?: string }) => {
      const names: Record<string, string | null> =
        flags.mapFile === undefined ? {} : (readJson(flags.mapFile) as Record<string, string | null>);
      for (const pair of flags.map?.split(',') ?? []) {
        const at = pair.indexOf('=');
        if (at < 1) throw new OptionError(`expected --map old=new,…, got '${pair}'`, { pair });
        names[pair.slice(0, at).trim()] = pair.slice(at + 1).trim() || null;
      }
      if (Object.keys(names).length === 0) throw new OptionError('expected --map or --map-file');
      const { parts, format } = readForWriting(path, flags, terminal);
      const mapped = Object.entries(parts).map(([name, dataset]) => [name, remapCategories(dataset, names)]);
      save(Object.fromEntries(mapped), flags, format, terminal);
    });
}

export function datasetCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('dataset').description(
    'annotated images (COCO, YOLO, Pascal VOC): validate, convert, stats, split, merge, remap',
  );
  for (const made of [
    validateCommand(terminal, exit),
    convertCommand(terminal),
    statsCommand(terminal),
    splitCommand(terminal),
    mergeCommand(terminal),
    remapCommand(terminal),
  ]) {
    command.addCommand(made);
  }
  return command;
}
