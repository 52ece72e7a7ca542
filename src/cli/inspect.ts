/** `boxops inspect`: what a model is, why boxops thinks so, and the code that runs it. */
import { Command } from 'commander';
import { ModelError } from '../errors.ts';
import { inspectModel, type ModelInspection } from '../heads/index.ts';
import { besideJson, keepInputs, readModel, writeJson } from './files.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

function shape(dims: readonly (number | string)[]): string {
  return `[${dims.join(', ')}]`;
}

function tensorTable({ inputs, outputs }: ModelInspection): string {
  const rows = [
    ...inputs.map(({ name, type, dims }) => ['input', name, type, shape(dims)]),
    ...outputs.map(({ name, type, dims }) => ['output', name, type, shape(dims)]),
  ];
  return table(['', 'name', 'type', 'shape'], rows, 4);
}

/** Code a reader can paste; names a head only where the bytes do not decide it. */
function codeFor(path: string, inspection: ModelInspection): string {
  const first = inspection.candidates[0];
  const head =
    inspection.ambiguous && first !== undefined
      ? `\n  head: '${first.head}', // settle it: see the candidates above`
      : '';
  return [
    `import { createDetector } from 'boxops/detector';`,
    '',
    'const detector = await createDetector({',
    `  model: '${path}',${head}`,
    '  worker: true,',
    '});',
    'const detections = await detector.detect(image);',
    'console.log(detections.toJSON());',
    'detector.dispose();',
  ].join('\n');
}

function report(path: string, inspection: ModelInspection): string {
  const lines = [tensorTable(inspection), ''];
  if (inspection.ambiguous) {
    lines.push('head      ambiguous: the bytes fit more than one head');
  } else {
    lines.push(
      `head      ${inspection.head ?? 'none: not a detector boxops can decode'}${inspection.family ? ` (${inspection.family})` : ''}`,
    );
  }
  for (const reason of inspection.reasons) lines.push(`          · ${reason}`);
  if (inspection.ambiguous) {
    lines.push('candidates');
    for (const candidate of inspection.candidates) {
      lines.push(`  ${candidate.head}`, ...candidate.reasons.map((reason) => `          · ${reason}`));
    }
  }
  if (inspection.classNames.length > 0) {
    lines.push(`classes   ${inspection.classNames.length}: ${inspection.classNames.join(', ')}`);
  }
  if (inspection.head !== null || inspection.ambiguous) lines.push('', codeFor(path, inspection));
  return lines.join('\n');
}

function inspectFile(path: string): ModelInspection {
  const bytes = readModel(path);
  try {
    return inspectModel(bytes);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new ModelError(`${path}: ${error.message}`, error.details, { cause: error });
  }
}

export function inspectCommand(terminal: Terminal): Command {
  return new Command('inspect')
    .description('read an ONNX file: inputs, outputs, the head that fits and why, and code to run it')
    .argument('<model>', 'an ONNX file')
    .option('--json <file>', 'write the inspection as JSON (-: standard output)')
    .action((path: string, options: { readonly json?: string }) => {
      keepInputs('--json', options.json, [path]);
      const inspection = inspectFile(path);
      besideJson(terminal, options.json).out(report(path, inspection));
      if (options.json !== undefined) writeJson(terminal, options.json, JSON.stringify(inspection, null, 2));
    });
}
