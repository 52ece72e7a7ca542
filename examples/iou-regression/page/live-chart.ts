/** A Vega-Lite chart in the page whose data grow. */
import { changeset, parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

export class LiveChart {
  readonly #view: View;
  readonly #name: string;
  #waiting: object[] = [];
  #drawing: Promise<unknown> = Promise.resolve();
  #scheduled = false;

  constructor(container: HTMLElement, name: string, spec: TopLevelSpec) {
    container.replaceChildren();
    this.#name = name;
    this.#view = new View(parse(compile(spec).spec), { renderer: 'canvas', container, hover: false });
    this.#drawing = this.#view.runAsync();
  }

  /** Rows are drawn together, once a frame. */
  add(rows: readonly object[]): void {
    this.#waiting.push(...rows);
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      const rowsNow = this.#waiting;
      this.#waiting = [];
      this.#drawing = this.#drawing.then(() =>
        this.#view.change(this.#name, changeset().insert(rowsNow)).resize().runAsync(),
      );
    });
  }

  dispose(): void {
    this.#view.finalize();
  }
}
