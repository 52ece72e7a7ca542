/**
 * The command line: commander parses, the commands work, typed errors become one readable line and exit code 1
 * (usage errors exit 2).
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { BoxopsError } from '../errors.ts';
import { benchCommand } from './bench.ts';
import { datasetCommand } from './dataset.ts';
import { detectCommand } from './detect.ts';
import { evalCommand } from './eval.ts';
import { inspectCommand } from './inspect.ts';
import { targetsCommand } from './targets.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** The version in package.json, which lies beside `dist` in the package; 'unknown' when run from the sources. */
export function version(): string {
  try {
    return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
  } catch {
    return 'unknown';
  }
}

/** Runs one command line (without the program's name) and gives the exit code. */
export async function run(
  parameters: readonly string[],
  terminal: Terminal = processTerminal,
): Promise<number> {
  let exitCode = 0;
  const program = new Command('boxops')
    .description('Object detection in the terminal: run, inspect and score ONNX detectors.')
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    });
  for (const command of [
    detectCommand,
    inspectCommand,
    evalCommand,
    benchCommand,
    datasetCommand,
    targetsCommand,
  ]) {
    const made = command(terminal, (code) => {
      exitCode = code;
    }).copyInheritedSettings(program);
    for (const part of made.commands) part.copyInheritedSettings(made);
    program.addCommand(made);
  }
  try {
    await program.parseAsync(parameters, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    terminal.err(`boxops: ${describeError(error)}`);
    return 1;
  }
}

/** One line for a person: the message, and a typed error's code. */
export function describeError(error: unknown): string {
  if (error instanceof BoxopsError) return `${error.message} [${error.code}]`;
  if (error instanceof Error) return error.message;
  return String(error);
}
