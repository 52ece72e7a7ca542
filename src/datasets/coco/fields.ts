/** The fields of one JSON object, each checked as it is read; what is wrong is reported with its path. */
import type { Place, ProblemReport } from '../problems.ts';

const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 60) ?? 'undefined';

export class Fields {
  readonly value: Readonly<Record<string, unknown>>;
  readonly #place: Place;
  readonly #report: ProblemReport;

  constructor(value: Readonly<Record<string, unknown>>, place: Place, report: ProblemReport) {
    this.value = value;
    this.#place = place;
    this.#report = report;
  }

  #at(key: string): Place {
    return { ...this.#place, path: `${this.#place.path}.${key}` };
  }

  #missing(key: string): boolean {
    if (this.value[key] !== undefined && this.value[key] !== null) return false;
    this.#report.add('missing-key', `expected '${key}'`, this.#place);
    return true;
  }

  /** A finite number; null (and a finding) where it is none. */
  number(key: string): number | null {
    return this.#missing(key) ? null : this.#finite(key, this.value[key]);
  }

  /** A number, also written as text: `"12"` is 12. An id that is a name is none: columns hold numbers. */
  id(key: string): number | null {
    const value = this.value[key];
    if (typeof value !== 'string') return this.number(key);
    if (/^\d+$/.test(value) && Number.isSafeInteger(Number(value))) return Number(value);
    this.#report.add('malformed-number', `expected a number as id, got ${show(value)}`, this.#at(key));
    return null;
  }

  #finite(key: string, value: unknown): number | null {
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    const code = typeof value === 'string' && value.trim() !== '' ? 'malformed-number' : 'wrong-type';
    this.#report.add(code, `expected a number, got ${show(value)}`, this.#at(key));
    return null;
  }

  /** A finite number, undefined where it is left out. */
  optionalNumber(key: string): number | undefined | null {
    const value = this.value[key];
    return value === undefined || value === null ? undefined : this.#finite(key, value);
  }

  /** A whole number of pixels above 0. */
  size(key: string): number | null {
    const value = this.number(key);
    if (value === null) return null;
    if (Number.isSafeInteger(value) && value > 0 && value < 2 ** 31) return value;
    this.#report.add(
      'malformed-number',
      `expected a whole number of pixels > 0, got ${value}`,
      this.#at(key),
    );
    return null;
  }

  text(key: string): string | null {
    if (this.#missing(key)) return null;
    const value = this.value[key];
    if (typeof value === 'string' && value !== '') return value;
    this.#report.add('wrong-type', `expected text, got ${show(value)}`, this.#at(key));
    return null;
  }

  optionalText(key: string): string | undefined {
    const value = this.value[key];
    return typeof value === 'string' ? value : undefined;
  }

  /** 1 or true; anything but 0, 1, true and false is reported. */
  flag(key: string): boolean {
    const value = this.value[key];
    if (value === undefined || value === null || value === 0 || value === false) return false;
    if (value === 1 || value === true) return true;
    this.#report.add('wrong-type', `expected 0 or 1, got ${show(value)}`, this.#at(key));
    return false;
  }

  /** An array of finite numbers, of `length` where it is given. */
  numbers(key: string, length?: number): number[] | null {
    if (this.#missing(key)) return null;
    const value = this.value[key];
    if (!Array.isArray(value) || (length !== undefined && value.length !== length)) {
      const expected = length === undefined ? 'an array of numbers' : `${length} numbers`;
      this.#report.add('wrong-type', `expected ${expected}, got ${show(value)}`, this.#at(key));
      return null;
    }
    for (let i = 0; i < value.length; i++) {
      if (this.#finite(`${key}[${i}]`, value[i]) === null) return null;
    }
    return value as number[];
  }
}
