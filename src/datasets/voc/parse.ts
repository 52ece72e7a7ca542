/** Pascal VOC annotation files: one XML file an image. */
import { DOMParser, type Element, ParseError } from '@xmldom/xmldom';
import { type Place, ProblemReport } from '../problems.ts';

/**
 * How a file counts pixels. The devkit's files are 1-based and inclusive: a box over the first pixel alone is 1, 1, 1, 1.
 *
 * - `'inclusive'`: xmin and ymin lose 1, xmax and ymax stay, so that widths are right (detectron2). The default.
 * - `'shifted'`: all four lose 1 (supervision, older mmdetection): boxes come out one pixel narrower.
 * - `'zero'`: nothing changes (mmdetection 3, files by tools that count from 0).
 */
export type VocOrigin = 'inclusive' | 'shifted' | 'zero';

/** What a file's xmin, ymin and its xmax, ymax lose on reading. */
export const vocOffsets: Readonly<Record<VocOrigin, readonly [number, number]>> = {
  inclusive: [1, 0],
  shifted: [1, 1],
  zero: [0, 0],
};

export interface VocParseOptions {
  readonly origin?: VocOrigin;
  readonly file?: string;
  readonly report?: ProblemReport;
}

export interface VocObject {
  /** As it stands, with the white space around it (mmdetection, detectron2); torchvision takes that off. */
  readonly name: string;
  readonly box: readonly [x1: number, y1: number, x2: number, y2: number];
  readonly difficult: boolean;
  readonly truncated: boolean;
  readonly place: Place;
}

export interface VocImage {
  readonly fileName: string | null;
  /** 0 where the file does not say. */
  readonly width: number;
  readonly height: number;
  readonly objects: readonly VocObject[];
}

/** Reads one file; null (and a finding) where it is not XML. Objects that are wrong are reported and left out. */
export function parseVoc(text: string, options: VocParseOptions = {}): VocImage | null {
  // a byte order mark is no content
  return new VocReader(options).read(text.replace(/^\uFEFF/, ''));
}

class VocReader {
  readonly #report: ProblemReport;
  readonly #file: string | undefined;
  readonly #offsets: readonly [number, number];

  constructor({ origin = 'inclusive', file, report = new ProblemReport() }: VocParseOptions) {
    this.#report = report;
    this.#file = file;
    this.#offsets = vocOffsets[origin];
  }

  read(text: string): VocImage | null {
    const root = this.#root(text);
    if (root === null) return null;
    const size = child(root, 'size');
    const objects: VocObject[] = [];
    for (const [i, element] of children(root, 'object').entries()) {
      const object = this.#object(element, `object[${i}]`);
      if (object !== null) objects.push(object);
    }
    return {
      fileName: textOf(root, 'filename'),
      width: size === null ? 0 : (this.#number(size, 'width', 'size') ?? 0),
      height: size === null ? 0 : (this.#number(size, 'height', 'size') ?? 0),
      objects,
    };
  }

  #place(element: Element | null, path: string): Place {
    return {
      ...(this.#file === undefined ? {} : { file: this.#file }),
      ...(element?.lineNumber === undefined ? {} : { line: element.lineNumber }),
      ...(element?.columnNumber === undefined ? {} : { column: element.columnNumber }),
      path,
    };
  }

  #root(text: string): Element | null {
    const problems: { message: string; line?: number; column?: number }[] = [];
    const note = (message: string): void => {
      const [, line, column] = /\[line:(\d+),col:(\d+)\]/.exec(message) ?? [];
      problems.push({
        message: message.split('\n')[0]!.split('@#')[0]!.trim(),
        ...(line === undefined ? {} : { line: Number(line), column: Number(column) }),
      });
    };
    let root: Element | null = null;
    try {
      const parser = new DOMParser({
        onError: (level, message) => {
          if (level !== 'warning') note(String(message));
        },
      });
      root = parser.parseFromString(text, 'text/xml').documentElement;
    } catch (error) {
      if (problems.length === 0) note((error as Error).message);
      const at = error instanceof ParseError ? error.locator : undefined;
      if (at?.lineNumber !== undefined && problems[0]!.line === undefined) {
        problems[0] = { ...problems[0]!, line: at.lineNumber, column: at.columnNumber ?? 1 };
      }
    }
    const file = this.#file === undefined ? {} : { file: this.#file };
    if (text.trim() === '') {
      this.#report.add('truncated-file', 'the file is empty', file);
      return null;
    }
    for (const { message, line, column } of problems) {
      const ended = !text.trimEnd().endsWith('</annotation>');
      this.#report.add(ended ? 'truncated-file' : 'malformed-xml', message, {
        ...file,
        ...(line === undefined ? {} : { line }),
        ...(column === undefined ? {} : { column }),
      });
      return null;
    }
    if (root !== null && root.tagName !== 'annotation') {
      this.#report.add(
        'wrong-type',
        `expected <annotation>, got <${root.tagName}>`,
        this.#place(root, root.tagName),
      );
      return null;
    }
    return root;
  }

  #object(element: Element, path: string): VocObject | null {
    const place = this.#place(element, path);
    const name = child(element, 'name')?.textContent ?? '';
    if (name.trim() === '') {
      this.#report.add('missing-key', 'expected <name>', place);
      return null;
    }
    const box = child(element, 'bndbox');
    if (box === null) {
      this.#report.add('missing-key', 'expected <bndbox>', place);
      return null;
    }
    const corners = ['xmin', 'ymin', 'xmax', 'ymax'].map((key) => this.#number(box, key, `${path}/bndbox`));
    if (corners.some((value) => value === null)) return null;
    const [x1, y1, x2, y2] = corners as [number, number, number, number];
    const [low, high] = this.#offsets;
    return {
      name,
      box: [less(x1, low), less(y1, low), less(x2, high), less(y2, high)],
      difficult: textOf(element, 'difficult') === '1',
      truncated: textOf(element, 'truncated') === '1',
      place: this.#place(box, `${path}/bndbox`),
    };
  }

  #number(parent: Element, key: string, path: string): number | null {
    const element = child(parent, key);
    if (element === null) {
      this.#report.add('missing-key', `expected <${key}>`, this.#place(parent, path));
      return null;
    }
    const text = (element.textContent ?? '').trim();
    const value = text === '' ? Number.NaN : Number(text);
    if (Number.isFinite(value)) return value;
    this.#report.add(
      'malformed-number',
      `expected a number, got '${text}'`,
      this.#place(element, `${path}/${key}`),
    );
    return null;
  }
}

/** In the decimals of the file: 1.1 − 1 is 0.1 and nothing more, which would pass a right edge at 0.1. */
function less(value: number, offset: number): number {
  const text = String(value);
  if (text.includes('e')) return value - offset;
  return Number((value - offset).toFixed(text.split('.')[1]?.length ?? 0));
}

/** Child elements of this name. */
function children(parent: Element, name: string): Element[] {
  const found: Element[] = [];
  for (let node = parent.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType === 1 && node.nodeName === name) found.push(node as Element);
  }
  return found;
}

const child = (parent: Element, name: string): Element | null => children(parent, name)[0] ?? null;

const textOf = (parent: Element, name: string): string | null =>
  child(parent, name)?.textContent?.trim() ?? null;
