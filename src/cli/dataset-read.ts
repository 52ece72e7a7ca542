/** How the commands read annotations: their flags, and what is said about findings and about splits left out. */
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type Dataset,
  type DatasetFormat,
  formatProblem,
  ProblemReport,
  type VocOrigin,
  type YoloTask,
} from '../datasets/index.ts';
import { datasetSplits, readDataset } from '../datasets/node/index.ts';
import type { Terminal } from './terminal.ts';

export interface ReadFlags {
  readonly format?: DatasetFormat;
  readonly images?: string;
  readonly split?: string;
  readonly task?: YoloTask;
  readonly origin?: VocOrigin;
  readonly classes?: string;
  readonly tolerance?: number;
}

export const formats = ['coco', 'yolo', 'voc'];
export const tasks = ['detect', 'segment', 'obb', 'pose'];
export const origins = ['inclusive', 'shifted', 'zero'];

export function numberFrom(low: number, high: number, whole = false): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
      const kind = whole ? 'a whole number' : 'a number';
      throw new InvalidArgumentError(`expected ${kind} from ${low} to ${high}.`);
    }
    return value;
  };
}

/** The options every command that reads annotations has. */
export function withReadOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--format <format>', 'format of the annotations; told from the path').choices(formats),
    )
    .option('--images <folder>', 'check that every image is there and has the size the annotations say')
    .option('--split <name>', 'which part of a YOLO or VOC dataset: train, val, test')
    .addOption(new Option('--task <task>', 'what longer YOLO lines are').choices(tasks))
    .addOption(new Option('--origin <origin>', 'how VOC files count pixels').choices(origins))
    .option('--classes <file>', 'names of the classes in order, one a line (VOC)')
    .option('--tolerance <pixels>', 'how far a box may leave its image', numberFrom(0, 1e6));
}

/** What the flags say about reading; keys only where they were given. */
export function readOptionsOf(flags: ReadFlags) {
  const { format, images, split, task, origin, tolerance, classes } = flags;
  return {
    ...(format === undefined ? {} : { format }),
    ...(images === undefined ? {} : { images }),
    ...(split === undefined ? {} : { split }),
    ...(task === undefined ? {} : { task }),
    ...(origin === undefined ? {} : { origin }),
    ...(tolerance === undefined ? {} : { tolerance }),
    ...(classes === undefined
      ? {}
      : {
          classes: readFileSync(classes, 'utf8')
            .split(/\r?\n/)
            .filter((line) => line.trim() !== ''),
        }),
  };
}

/** Reads a dataset, one split of it; warnings go to the terminal, errors throw with every place. */
export function readChecked(
  path: string,
  flags: ReadFlags,
  terminal: Terminal,
): { dataset: Dataset; format: DatasetFormat } {
  const report = new ProblemReport();
  const { dataset, format } = readDataset(path, { ...readOptionsOf(flags), report });
  report.throwOnErrors(path);
  warn(path, report, terminal);
  const others = datasetSplits(path, flags.format).filter((name) => name !== (flags.split ?? 'train'));
  if (flags.split === undefined && others.length > 0 && (format === 'yolo' || format === 'voc')) {
    terminal.err(`${path}: one split is read; --split names another: ${others.join(', ')}`);
  }
  return { dataset, format };
}

/** Splits by name. */
export type Parts = Readonly<Record<string, Dataset>>;

/**
 * Reads the split that is asked for, else every one; findings go into the report, those that several splits share once.
 * A dataset without splits is one part, called `train`. `shapes: false` leaves outlines and keypoints out once they are
 * checked.
 */
export function readSplits(
  path: string,
  flags: ReadFlags,
  report: ProblemReport,
  more: { readonly shapes?: boolean } = {},
): { parts: Parts; format: DatasetFormat } {
  const splits = datasetSplits(path, flags.format);
  const options = { ...readOptionsOf(flags), ...more };
  if (flags.split !== undefined || splits.length < 2) {
    const { dataset, format } = readDataset(path, { ...options, report });
    return { parts: { [flags.split ?? splits[0] ?? 'train']: dataset }, format };
  }
  const known = new Set<string>();
  const read = (split: string, classes?: readonly string[]) => {
    const own = new ProblemReport();
    const named = classes === undefined ? {} : { classes };
    const { dataset, format } = readDataset(path, { ...options, ...named, split, report: own });
    for (const problem of own.problems) {
      const text = formatProblem(problem);
      if (!known.has(text)) report.add(problem.code, problem.message, problem.place);
      known.add(text);
    }
    return { split, dataset, format };
  };
  let all = splits.map((split) => read(split));
  // a VOC folder without classes.txt has the classes that are met: of all splits, not of each its own
  const names = all.map(({ dataset }) => dataset.categories.map(({ name }) => name));
  if (names.some((own) => own.join('\n') !== names[0]!.join('\n'))) {
    const union = [...new Set(names.flat())].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    all = splits.map((split) => read(split, union));
  }
  const parts = Object.fromEntries(all.map(({ split, dataset }) => [split, dataset]));
  return { parts, format: all[0]!.format };
}

/** One line that says which warnings there were. */
export function warn(path: string, report: ProblemReport, terminal: Terminal): void {
  if (report.warnings === 0) return;
  const summary = [...report.counts].map(([code, count]) => `${count} ${code}`).join(', ');
  terminal.err(`${path}: ${summary} (boxops dataset validate lists them)`);
}
