/** `boxops targets`: annotations in, shards of training targets out. */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { parse, YAMLParseError } from 'yaml';
import type { SlicedDataset } from '../datasets/index.ts';
import { openSlices } from '../datasets/node/index.ts';
import { OptionError } from '../errors.ts';
import {
  presetNames,
  type ShardFormat,
  shardFormats,
  type TargetConfig,
  targetConfig,
} from '../targets/index.ts';
import { defaultImagesPerShard, type TargetSummary, writeTargets } from '../targets/node/index.ts';
import { version } from '../version.ts';
import { numberFrom, readOptionsOf, warn, withReadOptions } from './dataset-read.ts';
import { type Progress, startProgress } from './progress.ts';
import { targetTables } from './targets-tables.ts';
import type { Terminal } from './terminal.ts';

interface TargetFlags {
  readonly config: string;
  readonly out: string;
  readonly write?: ShardFormat[];
  readonly dense?: boolean;
  readonly imagesPerShard?: number;
  readonly workers: number;
  readonly shard?: { readonly index: number; readonly count: number };
  readonly seed?: number;
  readonly predictions?: string;
  readonly pictures?: string;
  readonly pictureCount: number;
  readonly plot?: string;
  readonly images?: string;
}

/** The content of a configuration file (JSON or YAML), or a preset's name. */
function readConfig(path: string): unknown {
  if (!existsSync(path)) {
    if ((presetNames as readonly string[]).includes(path)) return { preset: path };
    throw new OptionError(
      `--config: there is no file ${path}, and no such preset; presets are ${presetNames.join(', ')}`,
      { path },
    );
  }
  try {
    return parse(readFileSync(path, 'utf8')) as unknown;
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    const at = error.linePos?.[0];
    const place = at === undefined ? path : `${path}:${at.line}:${at.col}`;
    throw new OptionError(`${place}: ${error.message.split('\n')[0]}`, { path }, { cause: error });
  }
}

function shardOf(text: string): { index: number; count: number } {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (index === undefined || !(Number(index) < Number(count))) {
    throw new InvalidArgumentError('expected i/n with i from 0 to n − 1.');
  }
  return { index: Number(index), count: Number(count) };
}

function formatsOf(text: string): ShardFormat[] {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!(shardFormats as readonly string[]).includes(name)) {
      throw new InvalidArgumentError(`expected a list of ${shardFormats.join(', ')}.`);
    }
  }
  return names as ShardFormat[];
}

async function targets(path: string, flags: TargetFlags, terminal: Terminal): Promise<TargetSummary> {
  const given = targetConfig(readConfig(flags.config), flags.config);
  const config = flags.seed === undefined ? given : { ...given, seed: flags.seed };
  const dense = flags.dense === true;
  const opened = openSlices(path, flags.imagesPerShard ?? defaultImagesPerShard(dense), readOptionsOf(flags));
  try {
    warn(path, opened.report, terminal);
    return await make(opened.dataset, config, flags, terminal);
  } finally {
    opened.dispose();
  }
}

async function make(
  dataset: SlicedDataset,
  config: TargetConfig,
  flags: TargetFlags,
  terminal: Terminal,
): Promise<TargetSummary> {
  let progress: Progress | undefined;
  let summary: TargetSummary;
  try {
    summary = await writeTargets({
      dataset,
      config,
      out: flags.out,
      formats: flags.write ?? ['safetensors'],
      dense: flags.dense === true,
      workers: flags.workers,
      version: version(),
      onProgress: ({ done, resumed, total }) => {
        progress ??= startProgress(terminal, 'images', total, resumed);
        progress.update(done);
      },
      ...(flags.shard === undefined ? {} : { shard: flags.shard }),
      ...(flags.predictions === undefined ? {} : { predictions: flags.predictions }),
    });
  } finally {
    progress?.stop();
  }
  terminal.out(targetTables(summary.counts, summary.manifest.categories));
  if (flags.plot !== undefined) {
    const { saveCharts } = await import('./dataset-charts.ts');
    const { targetCharts } = await import('./targets-tables.ts');
    await saveCharts(flags.plot, targetCharts(summary.counts));
    terminal.out(`plotted: ${flags.plot}`);
  }
  if (flags.pictures !== undefined) {
    const { drawTargets } = await import('./targets-pictures.ts');
    const drawn = await drawTargets(dataset, config, {
      out: flags.pictures,
      count: flags.pictureCount,
      ...(flags.images === undefined ? {} : { images: flags.images }),
      ...(flags.predictions === undefined ? {} : { predictions: flags.predictions }),
    });
    terminal.out(`drawn: ${drawn} pictures in ${flags.pictures}`);
  }
  return summary;
}

/** One line that says what is on disk now. */
function closing({ written, resumed, complete, manifest }: TargetSummary, out: string): string {
  const kept = resumed === 0 ? '' : `, ${resumed} were there already`;
  const rest = complete ? '' : '; shards of other jobs are missing, the last job writes the index';
  return `${out}: ${written} of ${manifest.shards} shards written${kept}${rest}`;
}

export function targetsCommand(terminal: Terminal): Command {
  return withReadOptions(new Command('targets'))
    .description('training targets (labels, box targets, weights) of a dataset, as shards')
    .argument('<dataset>', 'COCO .json, YOLO data.yaml, or a folder')
    .requiredOption('--config <file>', `JSON or YAML, or a preset: ${presetNames.join(', ')}`)
    .requiredOption('--out <folder>', 'where the shards go; an interrupted run goes on')
    .option('--write <formats>', 'safetensors (default), tar (WebDataset), or both', formatsOf)
    .option('--dense', 'a row for every prior, not for positive and ignored ones only')
    .option('--images-per-shard <n>', 'default 256, dense 16', numberFrom(1, 1e6, true))
    .option('--workers <n>', 'threads', numberFrom(1, 256, true), availableParallelism())
    .option('--shard <i/n>', 'make only every n-th shard, from i (0 … n − 1): jobs share the work', shardOf)
    .option('--seed <n>', 'of the sampler', numberFrom(0, 2 ** 20 - 1, true))
    .option('--predictions <folder>', 'what a network predicts, for yolov8, yolox and detr')
    .option('--pictures <folder>', 'draw which priors each object got')
    .option('--picture-count <n>', 'how many pictures', numberFrom(1, 1e6, true), 8)
    .option('--plot <file>', 'draw the statistics: .svg or .png')
    .action(async (path: string, flags: TargetFlags) => {
      const summary = await targets(path, flags, terminal);
      terminal.out(closing(summary, flags.out));
    });
}
