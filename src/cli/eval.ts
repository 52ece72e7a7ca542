/** `boxops eval`: the numbers of a results file against ground truth, why they are not higher, and pictures of both. */
import { Command, Option } from 'commander';
import type { TopLevelSpec } from 'vega-lite';
import { OptionError } from '../errors.ts';
import { errorTypes } from '../evaluation/index.ts';
import { withReadOptions } from './dataset-read.ts';
import { overview } from './eval-chart-style.ts';
import { confusionChart, errorChart } from './eval-charts.ts';
import { classCurvesChart, precisionRecallChart, thresholdChart, vocCurvesChart } from './eval-curves.ts';
import { saveCharts } from './eval-draw.ts';
import { type ReadFlags, readGroundTruth, readResults } from './eval-input.ts';
import {
  type Analysis,
  type EvaluationType,
  type Protocol,
  protocols,
  type Report,
  report,
  reportJson,
} from './eval-report.ts';
import { besideJson, keepInputs, writeJson } from './files.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface EvalOptions extends ReadFlags {
  readonly groundTruth: string;
  readonly detections: string;
  readonly type: EvaluationType;
  readonly protocol: Protocol;
  readonly json?: string;
  readonly plots?: string;
  readonly perClass?: boolean;
  readonly errors?: boolean;
}

const rounded = (value: number): string => (Number.isNaN(value) || value < 0 ? '–' : value.toFixed(3));

/** Columns of classRows that are counts. */
const countColumns = new Set(['objects', 'found', 'false']);

function tableOf({ analysis, classHead, classRows, statNames, stats }: Report, options: EvalOptions): string {
  const parts = [table(statNames, [stats.map((value) => (value < 0 ? '–' : value.toFixed(3)))], 0)];
  if (options.perClass) {
    const rows = classRows.map(({ name, values }) => [
      name,
      ...values.map((value, i) => (countColumns.has(classHead[i]!) ? value : rounded(value))),
    ]);
    parts.push(table(['class', ...classHead], rows));
  }
  if (options.errors && analysis !== undefined) parts.push(analysisTables(analysis));
  return parts.join('\n\n');
}

function analysisTables({ confidence, errors, lrp }: Analysis): string {
  const rows: (string | number)[][] = errorTypes.map((type) => [
    type,
    errors.counts[type],
    errors.deltaAp[type].toFixed(3),
  ]);
  rows.push(
    ['all false positives', '', errors.falsePositives.toFixed(3)],
    ['all false negatives', '', errors.falseNegatives.toFixed(3)],
  );
  const { f1, precision, recall, score } = confidence.operatingPoint;
  const point = [score, f1, precision, recall];
  const parts = [lrp.olrp, lrp.localization, lrp.falsePositive, lrp.falseNegative];
  return [
    table(['error', 'count', 'AP50 gained by repair'], rows),
    table(['best score threshold', 'F1', 'precision', 'recall'], [point.map(rounded)], 0),
    table(['oLRP', 'localisation', 'false positives', 'false negatives'], [parts.map(rounded)], 0),
  ].join('\n\n');
}

/** A matrix of more classes would fill the picture of all pictures. */
const mostOverviewClasses = 16;

function chartsOf({ analysis, curves, vocCurves }: Report): Record<string, TopLevelSpec> {
  const charts: Record<string, TopLevelSpec> = {};
  if (curves !== undefined) {
    charts['precision-recall'] = precisionRecallChart(curves);
    charts['precision-recall-classes'] = classCurvesChart(curves);
  }
  if (vocCurves !== undefined) charts['precision-recall-classes'] = vocCurvesChart(vocCurves);
  if (analysis !== undefined) {
    charts.thresholds = thresholdChart(analysis.confidence);
    charts.confusion = confusionChart(analysis.confusion);
    charts.errors = errorChart(analysis.errors);
  }
  const parts = ['precision-recall', 'thresholds', 'confusion', 'errors'].filter((name) => name in charts);
  if (analysis !== undefined && analysis.confusion.size > mostOverviewClasses) {
    parts[parts.indexOf('confusion')] = 'precision-recall-classes';
  }
  return parts.length < 2 ? charts : { overview: overview(parts.map((name) => charts[name]!)), ...charts };
}

export function evalCommand(terminal: Terminal): Command {
  return withReadOptions(new Command('eval'))
    .description('average precision and recall of detections, where it is lost, and pictures of both')
    .requiredOption('--ground-truth <file>', 'COCO .json, YOLO data.yaml or Pascal VOC folder')
    .requiredOption('--detections <file>', 'COCO results: an array of rows')
    .addOption(
      new Option('--type <type>', 'what to compare').choices(['bbox', 'segm', 'keypoints']).default('bbox'),
    )
    .addOption(new Option('--protocol <name>', 'whose rules').choices([...protocols]).default('coco'))
    .option('--per-class', 'also a row a class')
    .option('--errors', 'also what costs average precision, the best score threshold and oLRP')
    .option('--json <file>', 'write all numbers and curves as JSON (-: standard output)')
    .option('--plots <folder>', 'draw curves, confusion matrix and errors as SVG, PNG and Vega-Lite JSON')
    .action(async (options: EvalOptions) => {
      const { json, plots, protocol, type } = options;
      if (protocol !== 'coco' && type !== 'bbox' && !(protocol === 'lvis' && type === 'segm')) {
        throw new OptionError(`--protocol ${protocol} does not evaluate --type ${type}`, { protocol, type });
      }
      keepInputs('--json', json, [options.groundTruth, options.detections]);
      const groundTruth = readGroundTruth(options.groundTruth, options, terminal);
      const made = report(groundTruth, readResults(options.detections, groundTruth), {
        protocol,
        type,
        analyse: json !== undefined || plots !== undefined || options.errors === true,
      });
      besideJson(terminal, json).out(tableOf(made, options));
      if (json !== undefined) writeJson(terminal, json, JSON.stringify(reportJson(made), null, 2));
      if (plots !== undefined) {
        for (const path of await saveCharts(plots, chartsOf(made))) terminal.err(`wrote ${path}`);
      }
    });
}
