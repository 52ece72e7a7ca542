/** The recent history of one number: a line over a wash, newest at the right, scaled to the largest value seen. */
import type { Rolling } from '../state/rolling.ts';
import { element } from './dom.ts';

export class Sparkline {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #values: Rolling;
  /** The scale never sinks below this, so that noise around a small value stays small. */
  readonly #least: number;

  constructor(id: string, values: Rolling, least: number) {
    this.#canvas = element(id, HTMLCanvasElement);
    const context = this.#canvas.getContext('2d');
    if (context === null) throw new Error('this browser gives no 2D canvas');
    this.#context = context;
    this.#values = values;
    this.#least = least;
    new ResizeObserver(() => {
      this.#canvas.width = Math.max(1, Math.round(this.#canvas.clientWidth * devicePixelRatio));
      this.#canvas.height = Math.max(1, Math.round(this.#canvas.clientHeight * devicePixelRatio));
    }).observe(this.#canvas);
  }

  /** In the element's CSS colour, so that it follows the theme. */
  draw(): void {
    const { width, height } = this.#canvas;
    const context = this.#context;
    const values = this.#values;
    context.clearRect(0, 0, width, height);
    if (values.count < 2) return;
    const { color } = getComputedStyle(this.#canvas);
    const top = Math.max(values.max() * 1.15, this.#least);
    const step = width / (values.capacity - 1);
    const line = 1.5 * devicePixelRatio;
    const x = (i: number) => width - (values.count - 1 - i) * step;
    const y = (i: number) => height - line - (values.at(i) / top) * (height - 2 * line);
    context.beginPath();
    context.moveTo(x(0), y(0));
    for (let i = 1; i < values.count; i++) context.lineTo(x(i), y(i));
    context.strokeStyle = color;
    context.lineWidth = line;
    context.lineJoin = 'round';
    context.stroke();
    context.lineTo(width, height);
    context.lineTo(x(0), height);
    context.globalAlpha = 0.14;
    context.fillStyle = color;
    context.fill();
    context.globalAlpha = 1;
  }
}
