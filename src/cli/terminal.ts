/** Where a command writes; tests hand in their own, the program the process's streams. */

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
