/** Builds `dist/`: cleans first, then every entry of tsup.config.ts (tsup's own `clean` deletes a sibling config's types). */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'tsup';

const dist = new URL('../dist/', import.meta.url);
rmSync(dist, { recursive: true, force: true });
console.error('boxops: building dist/, code and types of every entry; about a minute');
const began = performance.now();
await build({ config: true, silent: true });

// Types that name `Disposable` bring its library along: a consumer's `lib` may be older, and the bundler of the
// declarations drops such references.
for (const name of readdirSync(dist)) {
  const text = name.endsWith('.d.ts') ? readFileSync(new URL(name, dist), 'utf8') : '';
  if (!/\bDisposable\b|Symbol\.dispose/.test(text)) continue;
  writeFileSync(new URL(name, dist), `/// <reference lib="esnext.disposable" />\n${text}`);
}
console.error(`boxops: built in ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
