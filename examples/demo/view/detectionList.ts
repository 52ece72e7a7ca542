/** What the shown frame holds, as text. Rows are made once and reused; pointing at one stresses its box. */
import type { Detections } from '../../../src/boxes/detections.ts';
import { colorOf } from '../../../src/draw/index.ts';
import { element, setText } from './dom.ts';

const limit = 60;

interface Row {
  readonly item: HTMLLIElement;
  readonly name: Text;
  readonly box: HTMLElement;
  readonly bar: HTMLElement;
  readonly score: HTMLElement;
}

export class DetectionList {
  readonly #list = element('list', HTMLOListElement);
  readonly #count = element('count', HTMLElement);
  readonly #empty = element('list-empty', HTMLElement);
  readonly #rows: Row[] = [];
  readonly #onHighlight: (index: number) => void;
  #shown = 0;

  constructor(onHighlight: (index: number) => void) {
    this.#onHighlight = onHighlight;
  }

  draw(detections: Detections | null): void {
    const total = detections?.count ?? 0;
    setText(this.#count, total > limit ? `${limit} of ${total}` : String(total));
    const shown = Math.min(total, limit);
    this.#empty.hidden = total > 0;
    setText(this.#empty, detections === null ? 'Waiting for the first picture' : 'Nothing above this score');
    while (this.#rows.length < shown) this.#rows.push(this.#createRow(this.#rows.length));
    for (let i = this.#shown; i > shown; i--) this.#rows[i - 1]!.item.hidden = true;
    for (let i = 0; i < shown; i++) this.#fill(this.#rows[i]!, detections!, i);
    this.#shown = shown;
  }

  #fill(row: Row, detections: Detections, i: number): void {
    const { boxes } = detections;
    const score = detections.scores[i]!;
    const name = detections.classNameOf(i);
    if (row.name.data !== name) row.name.data = name;
    const x = Math.round(boxes[4 * i]!);
    const y = Math.round(boxes[4 * i + 1]!);
    const width = Math.round(boxes[4 * i + 2]! - boxes[4 * i]!);
    const height = Math.round(boxes[4 * i + 3]! - boxes[4 * i + 1]!);
    setText(row.box, `${width}×${height} at ${x}, ${y}`);
    setText(row.score, score.toFixed(2));
    row.item.style.setProperty('--swatch', colorOf(detections.classIds[i]!));
    row.item.style.setProperty('--score', `${(score * 100).toFixed(0)}%`);
    if (row.item.hidden) row.item.hidden = false;
  }

  #createRow(index: number): Row {
    const item = document.createElement('li');
    item.tabIndex = 0;
    const swatch = document.createElement('span');
    swatch.className = 'swatch';
    const label = document.createElement('span');
    label.className = 'name';
    const name = document.createTextNode('');
    const box = document.createElement('small');
    box.className = 'place';
    label.append(name, box);
    const bar = document.createElement('span');
    bar.className = 'bar';
    const score = document.createElement('span');
    score.className = 'score';
    item.append(swatch, label, bar, score);
    for (const type of ['pointerenter', 'focus']) item.addEventListener(type, () => this.#onHighlight(index));
    for (const type of ['pointerleave', 'blur']) item.addEventListener(type, () => this.#onHighlight(-1));
    this.#list.append(item);
    return { item, name, box, bar, score };
  }
}
