/**
 * The command line: commander parses, the commands work, errors become one readable line. Exit code 2 says that the
 * command line is wrong (what commander refuses, and every {@link OptionError}), 1 that the work failed.
 */
import { Command, CommanderError } from 'commander';
import { OptionError } from '../errors.ts';
import { version } from '../version.ts';
import { benchCommand } from './bench.ts';
import { datasetCommand } from './dataset.ts';
import { detectCommand } from './detect.ts';
import { evalCommand } from './eval.ts';
import { inspectCommand } from './inspect.ts';
import { targetsCommand } from './targets.ts';
import { describeError, processTerminal, type Terminal } from './terminal.ts';

/** Runs one command line (without the program's name) and gives the exit code. */
export async function run(
  parameters: readonly string[],
  terminal: Terminal = processTerminal,
): Promise<number> {
  let exitCode = 0;
  const program = new Command('boxops')
    .description(
      'Object detection in the terminal: run, inspect and score ONNX detectors; check datasets, make training targets.',
    )
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
    return error instanceof OptionError ? 2 : 1;
  }
}
