/**
 * Cuts a COCO file into the elements of its top-level arrays while it streams by, so that a file of any size is never
 * held and one broken element neither hides its place nor the elements after it.
 *
 * Only brackets and strings are looked at; an element's text goes to `JSON.parse`. Where brackets do not match, the
 * element they belong to is handed over as broken and the next one starts where it should.
 */

/** Where an element starts: lines and columns count from 1, columns in bytes. */
export interface ElementPlace {
  readonly line: number;
  readonly column: number;
}

export interface SectionSink {
  /** Whether elements of this section are to be handed over. */
  wants(section: string): boolean;
  /** A top-level array begins. */
  section(name: string): void;
  /** Its closing bracket was met: all of its elements have been handed over. */
  sectionEnd(name: string): void;
  /** One element of a top-level array, unparsed. */
  element(section: string, index: number, text: string, place: ElementPlace): void;
  /** A top-level value that is no array, unparsed (`info`). */
  value(key: string, text: string, place: ElementPlace): void;
  /** The file is not what it should be here. */
  problem(
    kind: 'malformed-json' | 'truncated-file',
    message: string,
    place: ElementPlace,
    path: string,
  ): void;
}

enum Byte {
  Newline = 10,
  Quote = 34,
  Comma = 44,
  Colon = 58,
  OpenBracket = 91,
  Backslash = 92,
  CloseBracket = 93,
  OpenBrace = 123,
  CloseBrace = 125,
}

type State = 'start' | 'key' | 'colon' | 'value' | 'elements' | 'after' | 'end';

const decoder = new TextDecoder();

export class SectionSplitter {
  readonly #sink: SectionSink;
  #state: State = 'start';
  #section = '';
  #index = 0;
  /** Text of the value that is being read, from earlier chunks. */
  #held: Uint8Array[] = [];
  /** Start of that text in this chunk; −1 where no value is open. */
  #from = -1;
  #place: ElementPlace = { line: 1, column: 1 };
  #line = 1;
  /** Bytes before this chunk, and where the current line starts. */
  #before = 0;
  #lineStart = 0;
  #inString = false;
  #escaped = false;
  /** Open brackets inside the value. */
  #stack: number[] = [];
  #previous = 0;
  #stopped = false;
  /** Whether a scalar (number, literal) is being read: it ends before the next comma or bracket. */
  #scalar = false;

  constructor(sink: SectionSink) {
    this.#sink = sink;
  }

  push(chunk: Uint8Array): void {
    for (let i = 0; i < chunk.length && !this.#stopped; i++) {
      const byte = chunk[i]!;
      if (byte === Byte.Newline) {
        this.#line++;
        this.#lineStart = this.#before + i + 1;
      }
      if (this.#from >= 0 && !this.#scalar) {
        // inside a bracketed value or a string: the hot path
        if (this.#inString) {
          if (this.#escaped) this.#escaped = false;
          else if (byte === Byte.Backslash) this.#escaped = true;
          else if (byte === Byte.Quote) {
            this.#inString = false;
            this.#previous = byte;
            if (this.#stack.length === 0) this.#finish(chunk, i + 1);
          }
          continue;
        }
        if (byte <= 32) continue;
        this.#inside(chunk, i, byte);
        this.#previous = byte;
        continue;
      }
      if (byte <= 32 && !this.#scalar) continue;
      this.#outside(chunk, i, byte);
    }
    if (this.#from >= 0) {
      this.#held.push(chunk.slice(this.#from));
      this.#from = 0;
    }
    this.#before += chunk.length;
  }

  /** Says what is missing where the file ends too early. */
  end(): void {
    if (this.#stopped || this.#state === 'end') return;
    const place = this.#here(0);
    const message =
      this.#state === 'start' && this.#before === 0 ? 'the file is empty' : 'the file ends in the middle';
    this.#sink.problem('truncated-file', message, place, this.#path());
  }

  #here(i: number): ElementPlace {
    return { line: this.#line, column: this.#before + i - this.#lineStart + 1 };
  }

  #path(): string {
    if (this.#state === 'elements') return `${this.#section}[${this.#index}]`;
    return this.#section;
  }

  #open(i: number): void {
    this.#from = i;
    this.#place = this.#here(i);
    this.#stack.length = 0;
    this.#previous = 0;
  }

  /** A byte of a value in brackets. */
  #inside(chunk: Uint8Array, i: number, byte: number): void {
    const stack = this.#stack;
    if (byte === Byte.Quote) this.#inString = true;
    else if (byte === Byte.OpenBracket) stack.push(byte);
    else if (byte === Byte.OpenBrace) {
      // an object where a key should stand: the one before was never closed
      if (this.#previous === Byte.Comma && stack.length === 1 && stack[0] === Byte.OpenBrace) {
        this.#finish(chunk, i);
        this.#open(i);
      }
      stack.push(byte);
    } else if (byte === Byte.CloseBrace) {
      const at = stack.lastIndexOf(Byte.OpenBrace);
      stack.length = Math.max(at, 0);
      if (stack.length === 0) this.#finish(chunk, i + 1);
    } else if (byte === Byte.CloseBracket) {
      const at = stack.lastIndexOf(Byte.OpenBracket);
      if (at >= 0) {
        stack.length = at;
        if (at === 0) this.#finish(chunk, i + 1);
      } else if (this.#state === 'elements') {
        // the section ends inside an element
        this.#finish(chunk, i);
        this.#outside(chunk, i, byte);
      }
    }
  }

  /** The value that ends before `end` is complete. */
  #finish(chunk: Uint8Array, end: number): void {
    let bytes = chunk.subarray(Math.max(this.#from, 0), end);
    if (this.#held.length > 0) {
      const parts = [...this.#held, bytes];
      bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        bytes.set(part, at);
        at += part.length;
      }
      this.#held = [];
    }
    const wanted = this.#state !== 'elements' || this.#sink.wants(this.#section);
    const text = wanted ? decoder.decode(bytes) : '';
    this.#from = -1;
    this.#scalar = false;
    this.#stack.length = 0;
    if (this.#state === 'elements') {
      const index = this.#index++;
      if (wanted) this.#sink.element(this.#section, index, text, this.#place);
    } else if (this.#state === 'key') {
      this.#section = keyOf(text);
      this.#state = 'colon';
    } else {
      this.#sink.value(this.#section, text, this.#place);
      this.#state = 'after';
    }
  }

  /** A byte between values, or of a number or literal. */
  #outside(chunk: Uint8Array, i: number, byte: number): void {
    if (this.#scalar) {
      if (byte > 32 && byte !== Byte.Comma && byte !== Byte.CloseBracket && byte !== Byte.CloseBrace) return;
      this.#finish(chunk, i);
      if (byte <= 32) return;
    }
    switch (this.#state) {
      case 'start':
        if (byte === Byte.OpenBrace) this.#state = 'key';
        else if (byte !== 0xef && byte !== 0xbb && byte !== 0xbf) this.#stop('expected {', byte, i);
        return;
      case 'key':
        if (byte === Byte.CloseBrace) this.#state = 'end';
        else if (byte === Byte.Quote) {
          this.#open(i);
          this.#inString = true;
        } else if (byte !== Byte.Comma) this.#stop('expected a key', byte, i);
        return;
      case 'colon':
        if (byte === Byte.Colon) this.#state = 'value';
        else this.#stop("expected ':'", byte, i);
        return;
      case 'value':
        if (byte === Byte.OpenBracket) {
          this.#state = 'elements';
          this.#index = 0;
          this.#sink.section(this.#section);
        } else this.#openValue(i, byte);
        return;
      case 'elements':
        if (byte === Byte.CloseBracket) {
          this.#state = 'after';
          this.#sink.sectionEnd(this.#section);
        } else if (byte === Byte.CloseBrace || byte === Byte.Colon) {
          this.#stop("expected an element or ']'", byte, i);
        } else if (byte !== Byte.Comma) this.#openValue(i, byte);
        return;
      case 'after':
        if (byte === Byte.Comma) this.#state = 'key';
        else if (byte === Byte.CloseBrace) this.#state = 'end';
        else this.#stop("expected ',' or '}'", byte, i);
        return;
      case 'end':
        this.#stop('expected the end of the file', byte, i);
    }
  }

  #openValue(i: number, byte: number): void {
    this.#open(i);
    if (byte === Byte.Quote) this.#inString = true;
    else if (byte === Byte.OpenBrace || byte === Byte.OpenBracket) this.#stack.push(byte);
    else this.#scalar = true;
  }

  #stop(message: string, byte: number, i: number): void {
    this.#stopped = true;
    const got = byte > 32 && byte < 127 ? `'${String.fromCharCode(byte)}'` : `byte ${byte}`;
    this.#sink.problem('malformed-json', `${message}, got ${got}`, this.#here(i), this.#path());
  }
}

function keyOf(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text;
  }
}
