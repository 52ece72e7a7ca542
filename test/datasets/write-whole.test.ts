/** What `writeFileWhole` may not replace: links, pipes, folders. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writeFileWhole } from '../../src/datasets/node/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'boxops-whole-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('writes the file behind a link and leaves the link', () => {
  const file = join(folder, 'file.json');
  const link = join(folder, 'link.json');
  writeFileWhole(file, ['old']);
  symlinkSync(file, link);
  writeFileWhole(link, ['new', Buffer.from(' bytes')]);
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readFileSync(file, 'utf8')).toBe('new bytes');
});

it('makes the file that a dangling link names a file of that name', () => {
  const link = join(folder, 'dangling.json');
  symlinkSync(join(folder, 'nothing.json'), link);
  writeFileWhole(link, ['new']);
  expect(readFileSync(link, 'utf8')).toBe('new');
});

it.skipIf(process.platform === 'win32')('writes into a pipe, which stays one', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = spawn('cat', [pipe]);
  let read = '';
  reader.stdout.on('data', (text) => {
    read += text;
  });
  writeFileWhole(pipe, ['through']);
  await once(reader, 'close');
  expect(read).toBe('through');
  expect(lstatSync(pipe).isFIFO()).toBe(true);
});

it('refuses a folder and leaves nothing beside it', () => {
  mkdirSync(join(folder, 'taken'));
  expect(() => writeFileWhole(join(folder, 'taken'), ['x'])).toThrow(/EISDIR/);
  expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
});
