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
