/**
 * The floors of the house: a file of `src` imports only from its own room or from lower floors, and the pure core knows
 * no DOM type, no runtime and no dependency.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const source = resolve(import.meta.dirname, '../../src');

/** Lowest floor first; rooms of one floor do not import each other unless listed in `sameFloor`. */
const floors = [
  ['errors', 'dispose', 'version'],
  ['options'],
  ['kernels', 'boxes', 'masks'],
  ['iou'],
  ['nms', 'anchors', 'coders', 'rotated'],
  ['matching', 'losses', 'evaluation', 'heads', 'draw'],
  ['client', 'datasets', 'webgpu'],
  ['detector', 'targets'],
  ['stream'],
  ['rxjs', 'tfjs'],
  ['cli'],
];
const core = new Set([
  'errors',
  'options',
  'kernels',
  'boxes',
  'masks',
  'iou',
  'nms',
  'anchors',
  'coders',
  'rotated',
  'matching',
  'losses',
  'evaluation',
  'heads',
]);
const floorOf = new Map(floors.flatMap((rooms, floor) => rooms.map((room) => [room, floor] as const)));

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'assembly' ? [] : files(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

const roomOf = (path: string): string => relative(source, path).split('/')[0]!.replace(/\.ts$/, '');
const importPattern =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;

const imports = files(source).flatMap((path) =>
  [...readFileSync(path, 'utf8').matchAll(importPattern)].map((match) => ({
    path: relative(source, path),
    room: roomOf(path),
    specifier: (match[1] ?? match[2])!,
    target: (match[1] ?? match[2])!.startsWith('.')
      ? resolve(dirname(path), (match[1] ?? match[2])!)
      : undefined,
  })),
);

describe('the floors', () => {
  it('has a floor for every room', () => {
    const rooms = new Set(files(source).map(roomOf));
    rooms.delete('index');
    expect([...rooms].filter((room) => !floorOf.has(room))).toEqual([]);
  });

  it('imports only downwards', () => {
    const upward = imports
      .filter(({ room, target }) => target !== undefined && room !== 'index' && roomOf(target) !== room)
      .filter(({ room, target }) => floorOf.get(roomOf(target!))! > floorOf.get(room)!)
      .map(({ path, specifier }) => `${path} imports ${specifier}`);
    expect(upward).toEqual([]);
  });

  it('keeps dependencies, Node and workers out of the core', () => {
    const foreign = imports
      .filter(({ room, target }) => (core.has(room) || room === 'index') && target === undefined)
      .map(({ path, specifier }) => `${path} imports ${specifier}`);
    expect(foreign).toEqual([]);
  });

  it('re-exports only the core from src/index.ts', () => {
    const other = imports
      .filter(({ path }) => path === 'index.ts')
      .filter(({ target }) => !core.has(roomOf(target!)))
      .map(({ specifier }) => specifier);
    expect(other).toEqual([]);
  });
});
