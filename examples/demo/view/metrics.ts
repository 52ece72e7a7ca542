/** The measurements strip: rate, compute and queue times with their history, dropped frames, live precision. */
import type { LivePrecision } from '../score/precision.ts';
import { Rolling } from '../state/rolling.ts';
import { element, setText } from './dom.ts';
import { Sparkline } from './sparkline.ts';

export interface FrameTimes {
  readonly queueMs: number;
  readonly computeMs: number;
  /** When the result arrived, `performance.now()`. */
  readonly arrived: number;
}

const history = 120;

export class MetricsView {
  readonly #compute = new Rolling(history);
  readonly #queue = new Rolling(history);
  readonly #fps = new Rolling(history);
  /** Arrival times of the last results, for the rate. */
  readonly #arrivals = new Rolling(90);
  readonly #plots = [
    new Sparkline('p-fps', this.#fps, 10),
    new Sparkline('p-compute', this.#compute, 5),
    new Sparkline('p-queue', this.#queue, 5),
  ];
  readonly #text = {
    fps: element('m-fps', HTMLElement),
    compute: element('m-compute', HTMLElement),
    queue: element('m-queue', HTMLElement),
    dropped: element('m-dropped', HTMLElement),
    droppedNote: element('m-dropped-note', HTMLElement),
    precision: element('m-precision', HTMLElement),
    precisionUnit: element('m-precision-unit', HTMLElement),
    precisionNote: element('m-precision-note', HTMLElement),
  };

  add(times: FrameTimes): void {
    this.#compute.push(times.computeMs);
    this.#queue.push(times.queueMs);
    this.#arrivals.push(times.arrived);
    this.#fps.push(this.rate(times.arrived));
  }

  clear(): void {
    for (const values of [this.#compute, this.#queue, this.#fps, this.#arrivals]) values.clear();
  }

  /** Results a second over the last two seconds. */
  rate(now: number): number {
    const times = this.#arrivals;
    let first = times.count;
    while (first > 0 && now - times.at(first - 1) <= 2000) first--;
    const recent = times.count - first;
    if (recent < 2) return 0;
    return ((recent - 1) * 1000) / Math.max(1, times.at(times.count - 1) - times.at(first));
  }

  draw(
    now: number,
    frames: { produced: number; dropped: number },
    precision: LivePrecision,
    known: boolean,
  ): void {
    const text = this.#text;
    const some = this.#compute.count > 0;
    const rate = this.rate(now);
    setText(text.fps, rate > 0 ? rate.toFixed(1) : '–');
    setText(text.compute, some ? this.#compute.mean(30).toFixed(1) : '–');
    setText(text.queue, some ? this.#queue.mean(30).toFixed(1) : '–');
    setText(text.dropped, String(frames.dropped));
    setText(text.droppedNote, `of ${frames.produced} frame${frames.produced === 1 ? '' : 's'}`);
    const share = precision.precision();
    const scored = known && Number.isFinite(share);
    setText(text.precision, scored ? (share * 100).toFixed(1) : '–');
    setText(text.precisionUnit, scored ? '%' : '');
    setText(
      text.precisionNote,
      scored
        ? `recall ${(precision.recall() * 100).toFixed(1)} %`
        : known
          ? 'waiting'
          : 'for the clip’s digits',
    );
    for (const plot of this.#plots) plot.draw();
  }
}
