/** `boxops eval`: the numbers of a results file against ground truth. */
import { Command, Option } from 'commander';
import { DatasetError } from '../errors.ts';
import { type CocoDataset, type CocoEvaluation, type CocoResult, evaluateCoco } from '../evaluation/index.ts';
import { readJson, write } from './files.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface EvalOptions {
  readonly groundTruth: string;
  readonly detections: string;
  readonly type: 'bbox' | 'segm' | 'keypoints';
  readonly json?: string;
  readonly perClass?: boolean;
}

function dataset(path: string): CocoDataset {
  const value = readJson(path) as Partial<CocoDataset>;
  for (const key of ['images', 'annotations', 'categories'] as const) {
    if (!Array.isArray(value[key])) {
      throw new DatasetError(`${path} is not COCO ground truth: '${key}' must be an array`, { path, key });
    }
  }
  return value as CocoDataset;
}

function results(path: string): CocoResult[] {
  const value = readJson(path);
  if (!Array.isArray(value)) {
    throw new DatasetError(`${path} is not a COCO results file: expected an array`, { path });
  }
  return value;
}

const rounded = (value: number): string => (value < 0 ? '–' : value.toFixed(3));

function tableOf(evaluation: CocoEvaluation, perClass: boolean): string {
  const stats = table(evaluation.statNames, [evaluation.stats.map(rounded)], 0);
  if (!perClass) return stats;
  const rows = evaluation.perClass.map((row) => [
    row.name,
    row.objects,
    ...[row.ap, row.ap50, row.ap75, row.ar].map(rounded),
  ]);
  return `${stats}\n\n${table(['class', 'objects', 'AP', 'AP50', 'AP75', 'AR'], rows)}`;
}

export function evalCommand(terminal: Terminal): Command {
  return new Command('eval')
    .description('average precision and recall of a COCO results file, the numbers of pycocotools')
    .requiredOption('--ground-truth <file>', 'COCO annotations (instances_*.json)')
    .requiredOption('--detections <file>', 'COCO results (an array of rows)')
    .addOption(
      new Option('--type <type>', 'what to compare').choices(['bbox', 'segm', 'keypoints']).default('bbox'),
    )
    .option('--per-class', 'also a row a class')
    .option('--json <file>', 'write stats and per-class numbers as JSON')
    .action((options: EvalOptions) => {
      const evaluation = evaluateCoco(dataset(options.groundTruth), results(options.detections), {
        type: options.type,
      });
      terminal.out(tableOf(evaluation, options.perClass === true));
      if (options.json !== undefined) {
        const { stats, statNames, perClass } = evaluation;
        write(options.json, `${JSON.stringify({ stats, statNames, perClass }, null, 2)}\n`);
      }
    });
}
