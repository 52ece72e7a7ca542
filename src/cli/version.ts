import { readFileSync } from 'node:fs';

/** The version in package.json, which lies beside `dist` in the package; 'unknown' when run from the sources. */
export function version(): string {
  try {
    return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
  } catch {
    return 'unknown';
  }
}
