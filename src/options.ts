/** Options checked: one of a few names, a number in a range, a count. */
import { OptionError } from './errors.ts';

/** The option, or the first of its choices where it is undefined; throws {@link OptionError} for anything else. */
export function choiceOption<T extends string>(name: string, value: T | undefined, choices: readonly T[]): T {
  if (value === undefined) return choices[0]!;
  if (choices.includes(value)) return value;
  throw new OptionError(`${name}: expected '${choices.join("' or '")}', got ${String(value)}`, {
    name,
    value: String(value),
  });
}

/** Throws {@link OptionError} unless the value is a finite number within [low, high]. */
export function checkNumber(
  name: string,
  value: number,
  low: number,
  high = Number.POSITIVE_INFINITY,
): number {
  if (!(typeof value === 'number' && value >= low && value <= high)) {
    const range = high === Number.POSITIVE_INFINITY ? `≥ ${low}` : `from ${low} to ${high}`;
    throw new OptionError(`${name} must be a number ${range}, got ${value}`, { name, value });
  }
  return value;
}

/** Throws {@link OptionError} unless the value is a whole number of at least `low`. */
export function checkCount(name: string, value: number, low = 1): number {
  if (!(Number.isInteger(value) && value >= low)) {
    throw new OptionError(`${name} must be a whole number ≥ ${low}, got ${value}`, { name, value });
  }
  return value;
}

/** What an option may be; `'any'` where the code that reads it says what it wants. */
export type OptionKind = 'any' | 'boolean' | 'function' | 'number' | 'object' | 'signal' | 'string';

/** The options of a call, each with its kind. */
export type OptionKinds<Options> = Readonly<Record<keyof Options, OptionKind>>;

/**
 * Throws {@link OptionError} for options that are no object, for a name that is none of theirs (in JavaScript a misspelt
 * option would be ignored in silence) and for one of another kind.
 */
export function checkOptionKinds<Options extends object>(
  what: string,
  options: Options,
  kinds: OptionKinds<Options>,
): void {
  if (typeof options !== 'object' || options === null) {
    throw new OptionError(`${what}: expected an object of options, got ${describe(options)}`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(kinds, name)) {
      const known = Object.keys(kinds);
      throw new OptionError(`${what}: there is no option '${name}'; expected ${known.join(', ')}`, {
        name,
        known,
      });
    }
    const kind = kinds[name as keyof Options];
    if (kind === 'any' || isOfKind(value, kind)) continue;
    const expected = kind === 'signal' ? 'an AbortSignal' : `${kind === 'object' ? 'an' : 'a'} ${kind}`;
    throw new OptionError(`${name}: expected ${expected}, got ${describe(value)}`, { name });
  }
}

function isOfKind(value: unknown, kind: OptionKind): boolean {
  if (kind === 'signal') return typeof (value as AbortSignal | null)?.throwIfAborted === 'function';
  return typeof value === kind && value !== null;
}

/** A value in a message: texts in quotes, objects by their class. */
function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' ? Object.prototype.toString.call(value).slice(8, -1) : String(value);
}
