/** How far a command is: a bar in a terminal, a line now and then in a log. */
import { SingleBar } from 'cli-progress';
import type { Terminal } from './terminal.ts';

/** A line of a log at most this often, in milliseconds. */
const interval = 10_000;

export interface Progress {
  /** `done` of the total are ready. */
  update(done: number): void;
  /** Before another line is written. */
  makeRoom(): void;
  stop(): void;
}

/**
 * Progress over `total` things, of which `resumed` were there at the start and do not count for the rate.
 *
 * Short work stays silent in a log: its first line comes after ten seconds.
 */
export function startProgress(terminal: Terminal, unit: string, total: number, resumed = 0): Progress {
  const begin = performance.now();
  const rateOf = (done: number) => (1000 * (done - resumed)) / Math.max(1, performance.now() - begin);
  if (!terminal.interactive) {
    let spoken = begin;
    return {
      update(done) {
        if (performance.now() - spoken < interval) return;
        spoken = performance.now();
        const rate = rateOf(done);
        const left = rate > 0 ? ` · ${Math.ceil((total - done) / rate)} s left` : '';
        terminal.err(`${done}/${total} ${unit} · ${spellRate(rate)}${left}`);
      },
      makeRoom: () => {},
      stop: () => {},
    };
  }
  const bar = new SingleBar({
    format: `{bar} {value}/{total} ${unit} · {rate} · {eta_formatted} left`,
    stream: process.stderr,
    etaBuffer: 50,
  });
  bar.start(total, resumed, { rate: spellRate(0) });
  return {
    update: (done) => bar.update(done, { rate: spellRate(rateOf(done)) }),
    // the line of the bar goes; its next step draws it again
    makeRoom: () => {
      process.stderr.write('\r\u001b[K');
    },
    stop: () => bar.stop(),
  };
}

/** Whole numbers where they say enough. */
function spellRate(rate: number): string {
  return `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} a second`;
}
