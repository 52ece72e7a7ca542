/** Where a command writes; tests hand in their own, the program the process's streams. */
import { BoxopsError } from '../errors.ts';

export interface Terminal {
  /** Results. */
  readonly out: (text: string) => void;
  /** Progress, warnings, errors. */
  readonly err: (text: string) => void;
  /** Whether progress bars and colours make sense. */
  readonly interactive: boolean;
}

export const processTerminal: Terminal = {
  out: (text) => {
    process.stdout.write(`${text}\n`);
  },
  err: (text) => {
    process.stderr.write(`${text}\n`);
  },
  interactive: process.stderr.isTTY === true,
};

/** One line for a person: the message, and a typed error's code. */
export function describeError(error: unknown): string {
  if (error instanceof BoxopsError) return `${error.message} [${error.code}]`;
  if (error instanceof Error) return error.message;
  return String(error);
}
