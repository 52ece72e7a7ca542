/** How far a command is: a bar in a terminal, a line now and then in a log. */
import { SingleBar } from 'cli-progress';
import type { Terminal } from './terminal.ts';

/** A line of a log at most this often, in milliseconds. */
const interval = 10_000;

export interface Progress {
  /** `done` of the total are ready. */
  update(done: number): void;
  stop(): void;
}

/**
 * Progress over `total` things, of which `resumed` were there at the start and do not count for the rate.
 *
 * Short work stays silent in a log: its first line comes after ten seconds.
 */
export function startProgress(terminal: Terminal, unit: string, total: number, resumed = 0): Progress {
  const begin = performance.now();
  const rateOf = (done: number) =>
    Math.round((1000 * (done - resumed)) / Math.max(1, performance.now() - begin));
  if (!terminal.interactive) {
    let spoken = begin;
    return {
      update(done) {
        if (performance.now() - spoken < interval) return;
        spoken = performance.now();
        const rate = rateOf(done);
        const left = rate > 0 ? ` · ${Math.ceil((total - done) / rate)} s left` : '';
        terminal.err(`${done}/${total} ${unit} · ${rate} a second${left}`);
      },
      stop: () => {},
    };
  }
  const bar = new SingleBar({
    format: `{bar} {value}/{total} ${unit} · {rate} a second · {eta_formatted} left`,
    stream: process.stderr,
    etaBuffer: 50,
  });
  bar.start(total, resumed, { rate: 0 });
  return {
    update: (done) => bar.update(done, { rate: rateOf(done) }),
    stop: () => bar.stop(),
  };
}
