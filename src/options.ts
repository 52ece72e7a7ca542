/** Options that take one of a few names. */
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
