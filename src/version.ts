import { readFileSync } from 'node:fs';

/** The version in package.json, which lies beside `dist` and `src`; 'unknown' where a bundler moved the code away from it. */
export function version(): string {
  try {
    return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
  } catch {
    return 'unknown';
  }
}
