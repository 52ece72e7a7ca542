/**
 * Writes `src/iou/generated/`, the similarities of the SIMD kernels and a table of docs/ from the formulas in
 * `src/iou/variants/`, and the table of heads from their registry: `npm run generate`, or with `--check` says which files are
 * stale. A variant is found by its file; nothing else lists it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { similaritiesFile, similaritiesSource } from './generate/assembly.ts';
import { variantsTable } from './generate/documentation.ts';
import { generateFiles } from './generate/files.ts';
import { headsTable } from './generate/heads-table.ts';

const folder = join(import.meta.dirname, '../src/iou/generated');
const check = process.argv.includes('--check');
const files = await generateFiles();
mkdirSync(folder, { recursive: true });
const stale: string[] = [];
for (const [name, text] of files) {
  const path = join(folder, name);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  stale.push(name);
  if (!check) writeFileSync(path, text);
}
for (const name of readdirSync(folder)) {
  if (files.has(name)) continue;
  stale.push(name);
  if (!check) rmSync(join(folder, name));
}
for (const [name, text] of [
  [similaritiesFile, await similaritiesSource()],
  ['docs/iou-variants.md', await variantsTable()],
  ['docs/heads.md', headsTable()],
] as const) {
  const path = join(import.meta.dirname, '..', name);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  stale.push(name);
  if (!check) writeFileSync(path, text);
}
if (check && stale.length > 0) {
  console.error(`stale: ${stale.join(', ')}; run npm run generate`);
  process.exitCode = 1;
} else {
  console.log(`${files.size} files, ${stale.length} ${check ? 'stale' : 'written'}`);
}
