/** Files and folders that appear whole or not at all: written beside their place, then renamed. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatasetError } from '../../errors.ts';

let serial = 0;

/** A name beside `path` that nothing else uses. */
function besides(path: string): string {
  return `${path.replace(/\/+$/, '')}.partial-${process.pid}-${serial++}`;
}

/** The file a path leads to, through links; null for what no file may replace: a device, a pipe, a folder. */
function placeOf(path: string): string | null {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there === undefined) return path;
  return there.isFile() ? realpathSync(path) : null;
}

/**
 * Writes a file whole: pieces go to a file beside it, which then takes its name. A link stays and its file is written; a
 * device or a pipe is written as it is.
 */
export function writeFileWhole(path: string, pieces: Iterable<string | Uint8Array>): void {
  mkdirSync(dirname(path), { recursive: true });
  const place = placeOf(path);
  const partial = place === null ? path : besides(place);
  const file = openSync(partial, 'w');
  try {
    for (const piece of pieces) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece;
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    }
    if (place !== null) fsyncSync(file);
    closeSync(file);
    if (place !== null) renameSync(partial, place);
  } catch (error) {
    try {
      closeSync(file);
    } catch {
      // closed already
    }
    if (place !== null) rmSync(partial, { force: true });
    throw error;
  }
}

/** Fills a folder that did not exist or was empty; throws {@link DatasetError} where there is something in it. */
export function writeFolderWhole(path: string, fill: (folder: string) => void): void {
  let there: string[] | null = null;
  try {
    there = readdirSync(path);
  } catch {
    // not there, as it should be
  }
  if (there !== null && there.length > 0) {
    throw new DatasetError(`${path} is not empty; name a folder that is not there yet`, { path });
  }
  const partial = besides(path);
  mkdirSync(partial, { recursive: true });
  try {
    fill(partial);
    if (there !== null) rmdirSync(path);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}
