/**
 * COCO annotation files, piece by piece: elements are parsed one at a time and only their numbers are kept, so the
 * memory is that of the numbers, not of the file.
 *
 * Sections may come in any order. Boxes become xyxy; labels are the categories' ranks by id. What is wrong goes into the
 * report, with line, column and path; the element is then left out.
 */
import { defaultTolerance } from '../box-checks.ts';
import { DatasetBuilder, type DatasetSink } from '../builder.ts';
import { float64Column, int32Column } from '../columns.ts';
import { type Place, ProblemReport } from '../problems.ts';
import type { Category, Dataset } from '../types.ts';
import { PendingAnnotations, type RawAnnotation, readAnnotation } from './annotation.ts';
import { type ElementPlace, type SectionSink, SectionSplitter } from './sections.ts';
import { CocoTables } from './tables.ts';

export interface CocoParserOptions {
  /** Named in places. */
  readonly file?: string;
  readonly report?: ProblemReport;
  /** Pixels a box may reach beyond its image before that is reported. Default 1. */
  readonly tolerance?: number;
  /** Whether outlines and keypoints are kept. Default true; false is enough for boxes and saves memory. */
  readonly shapes?: boolean;
}

const sections = ['images', 'annotations', 'categories'] as const;
type Section = (typeof sections)[number];

/** Elements of the sections that are wanted, parsed; all else is passed over. */
abstract class ElementReader implements SectionSink {
  readonly report: ProblemReport;
  protected readonly file: string | undefined;
  protected readonly seen = new Set<string>();
  /** Sections that were read to their end. */
  protected readonly complete = new Set<string>();
  protected readonly tables: CocoTables;
  protected splitter = new SectionSplitter(this);

  constructor(options: CocoParserOptions, shapes: boolean, sink: DatasetSink) {
    const { report = new ProblemReport(), file, tolerance = defaultTolerance } = options;
    this.report = report;
    this.file = file;
    this.tables = new CocoTables({ file, report, tolerance, shapes, sink });
  }

  push(chunk: Uint8Array): void {
    this.splitter.push(chunk);
  }

  /** An annotation that could be read. */
  protected abstract annotation(raw: RawAnnotation): void;

  private take(section: Section, value: Record<string, unknown>, element: number, at: Place): void {
    if (section === 'images') this.tables.addImage(value, at);
    else if (section === 'categories') this.tables.addCategory(value, at);
    else {
      const raw = readAnnotation(value, element, at, this.report);
      if (raw !== null) this.annotation(raw);
    }
  }

  wants(section: string): boolean {
    return (sections as readonly string[]).includes(section);
  }

  value(key: string, text: string, place: ElementPlace): void {
    if (!this.wants(key)) return;
    this.seen.add(key);
    this.report.add('wrong-type', `expected an array, got ${text.slice(0, 40)}`, this.at(key, place));
  }

  problem(
    kind: 'malformed-json' | 'truncated-file',
    message: string,
    place: ElementPlace,
    path: string,
  ): void {
    this.report.add(kind, message, this.at(path, place));
  }

  section(name: string): void {
    this.seen.add(name);
  }

  sectionEnd(name: string): void {
    this.complete.add(name);
  }

  element(section: string, index: number, text: string, place: ElementPlace): void {
    const at = this.at(`${section}[${index}]`, place);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      const { message } = error as Error;
      this.report.add('malformed-json', message, { ...at, ...placeInside(text, message, place) });
      const id = /"id"\s*:\s*(-?\d+)/.exec(text)?.[1];
      if (id !== undefined) this.tables.refuse(section as Section, Number(id));
      return;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.report.add('wrong-type', `expected an object, got ${text.slice(0, 40)}`, at);
      return;
    }
    this.take(section as Section, value as Record<string, unknown>, index, at);
  }

  protected at(path: string, place?: ElementPlace): Place {
    return { ...(this.file === undefined ? {} : { file: this.file }), ...place, path };
  }

  /** Ends a pass, reporting what is missing. */
  protected endPass(): void {
    this.splitter.end();
    for (const section of sections) {
      if (this.seen.has(section) || this.report.counts.has('truncated-file')) continue;
      this.report.add('missing-key', `expected the array '${section}'`, this.at(section));
    }
  }

  protected reportDuplicates(ids: Float64Array, pathOf: (row: number) => Place): void {
    const ascends = (id: number, i: number, all: Float64Array): boolean => i === 0 || all[i - 1]! < id;
    // nearly every file numbers its annotations upwards: then nothing is sorted
    if (ids.every(ascends) || ids.slice().sort().every(ascends)) return;
    const first = new Map<number, number>();
    for (const [row, id] of ids.entries()) {
      const earlier = first.get(id);
      if (earlier === undefined) first.set(id, row);
      else {
        const message = `annotation id ${id} is used by ${pathOf(earlier).path} already`;
        const place = pathOf(row);
        this.report.add('duplicate-annotation-id', message, { ...place, path: `${place.path}.id` });
      }
    }
  }
}

/** Reads a COCO file handed over in pieces: `push` them all, then `finish`. */
export class CocoParser extends ElementReader {
  readonly #builder: DatasetBuilder;
  readonly #shapes: boolean;
  readonly #pending = new PendingAnnotations();

  constructor(options: CocoParserOptions = {}) {
    const { shapes = true } = options;
    const builder = new DatasetBuilder();
    super(options, shapes, builder);
    this.#builder = builder;
    this.#shapes = shapes;
  }

  /** The dataset of what could be read; look at `report` before using it. */
  finish(): Dataset {
    this.endPass();
    this.tables.close(this.complete);
    const pending = this.#pending;
    this.reportDuplicates(pending.ids(), (row) => {
      const { element, line, column } = pending.at(row);
      return this.at(`annotations[${element}]`, { line, column });
    });
    for (let row = 0; row < pending.length; row++) this.tables.settle(pending.take(row));
    return this.#builder.finish(this.tables.categories);
  }

  protected annotation(raw: RawAnnotation): void {
    // of outlines that are not kept only masks matter, for their size and area
    const { shapes } = raw;
    const kept = this.#shapes ? shapes : shapes?.mask === undefined ? undefined : { mask: shapes.mask };
    this.#pending.push({ ...raw, shapes: kept });
  }
}

/**
 * Reads a COCO file in two passes, so that annotations need not wait in memory for their images: `push` the file,
 * `annotations()`, `push` it again, `finish`. Only boxes are handed on.
 */
export class CocoStream extends ElementReader {
  readonly #ids = float64Column();
  readonly #elements = int32Column();
  #second = false;

  constructor(sink: DatasetSink, options: CocoParserOptions = {}) {
    super(options, false, sink);
  }

  /** The images and categories have been read: the file comes again from its beginning. */
  annotations(): readonly Category[] {
    this.tables.close(this.complete);
    this.#second = true;
    this.splitter = new SectionSplitter(this);
    return this.tables.categories;
  }

  finish(): void {
    this.endPass();
    this.reportDuplicates(this.#ids.from(0), (row) => this.at(`annotations[${this.#elements.at(row)}]`));
  }

  override wants(section: string): boolean {
    return this.#second ? section === 'annotations' : section === 'images' || section === 'categories';
  }

  override problem(
    kind: 'malformed-json' | 'truncated-file',
    message: string,
    place: ElementPlace,
    path: string,
  ): void {
    // the first pass meets the same
    if (this.#second) super.problem(kind, message, place, path);
  }

  protected annotation(raw: RawAnnotation): void {
    this.#ids.push(raw.id);
    this.#elements.push(raw.element);
    this.tables.settle(raw);
  }
}

/** Line and column of a syntax error inside an element, where the message says at which character it is. */
function placeInside(text: string, message: string, place: ElementPlace): Partial<ElementPlace> {
  const position = /position (\d+)/.exec(message)?.[1];
  if (position === undefined) return {};
  const before = text.slice(0, Number(position)).split('\n');
  const last = before.at(-1)!.length;
  return before.length === 1
    ? { line: place.line, column: place.column + last }
    : { line: place.line + before.length - 1, column: last + 1 };
}
