/** Files a command reads and writes, with errors that name the file. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { writeFileWhole } from '../datasets/node/index.ts';
import { DatasetError, ImageError, ModelError, OptionError } from '../errors.ts';
import type { Terminal } from './terminal.ts';

const imageExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.avif', '.gif', '.bmp']);

/** Replaces every folder by the images in it, sorted by name. A path that cannot be read stays: reading it reports it. */
export function expandImages(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const names = namesIn(path);
    if (names === undefined) return [path];
    return names
      .filter((name) => imageExtensions.has(extname(name).toLowerCase()))
      .sort()
      .map((name) => join(path, name));
  });
}

/** What lies in a folder; undefined where there is none, or it cannot be read. */
function namesIn(path: string): string[] | undefined {
  try {
    return statSync(path).isDirectory() ? readdirSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** The bytes of a file over an ArrayBuffer of their own. */
export function readBytes(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(path));
}

export function readImageFile(path: string): Uint8Array<ArrayBuffer> {
  try {
    if (statSync(path).isDirectory()) readdirSync(path);
    return readBytes(path);
  } catch (cause) {
    throw new ImageError(`cannot be read: ${(cause as Error).message}`, { path }, { cause });
  }
}

export function readModel(path: string): Uint8Array<ArrayBuffer> {
  try {
    return readBytes(path);
  } catch (cause) {
    throw new ModelError(`cannot read the model ${path}: ${(cause as Error).message}`, { path }, { cause });
  }
}

export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new DatasetError(`cannot read ${path} as JSON: ${(cause as Error).message}`, { path }, { cause });
  }
}

/** Refuses, before anything is read, to write `target` over a file that the command reads, under whatever name. */
export function keepInputs(
  option: string,
  target: string | undefined,
  inputs: readonly (string | undefined)[],
): void {
  if (target === undefined || !existsSync(target)) return;
  const real = realpathSync(target);
  for (const input of inputs) {
    if (input !== undefined && existsSync(input) && realpathSync(input) === real) {
      throw new OptionError(`${option} would overwrite ${input}, which is read`, { path: target });
    }
  }
}

export function write(path: string, content: string | Uint8Array): void {
  try {
    writeFileWhole(path, [content]);
  } catch (cause) {
    throw new Error(`cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Where a command's text goes: to the side when `--json -` gives the standard output to the JSON alone. */
export function besideJson(terminal: Terminal, json: string | undefined): Terminal {
  return json === '-' ? { ...terminal, out: terminal.err } : terminal;
}

/** Writes what `--json` asks for: a file, or for `-` the standard output. */
export function writeJson(terminal: Terminal, path: string, text: string): void {
  if (path === '-') terminal.out(text);
  else write(path, `${text}\n`);
}
