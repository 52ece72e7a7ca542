/** The program ended by `kill -9` in the middle of `boxops targets`: it goes on, and nothing is lost, doubled or changed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDataset } from '../../src/datasets/node/index.ts';
import { contents, makeDataset } from './support.ts';

const root = resolve(import.meta.dirname, '../..');
const program = join(root, 'node_modules/.cache/boxops-test/targets-kill');
const folder = mkdtempSync(join(tmpdir(), 'boxops-kill-'));
afterAll(() => rmSync(folder, { recursive: true }));

const annotations = join(folder, 'instances.json');

beforeAll(async () => {
  mkdirSync(program, { recursive: true });
  // the worker is looked for beside the program, under the name it has in the package
  await build({
    absWorkingDir: root,
    entryPoints: { cli: 'src/cli/index.ts', 'worker-targets': 'workers/targets-node.ts' },
    outdir: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'silent',
  });
  writeDataset(annotations, { train: makeDataset(120, 7) }, { format: 'coco' });
});

function start(out: string, workers: number): ChildProcess {
  return spawn(
    process.execPath,
    [
      join(program, 'cli.js'),
      ...['targets', annotations, '--config', 'retinanet', '--write', 'safetensors,tar'],
      ...['--images-per-shard', '4', '--workers', String(workers), '--out', out],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
}

async function finish(child: ChildProcess): Promise<void> {
  let text = '';
  child.stderr!.on('data', (data) => {
    text += data;
  });
  const [code] = await once(child, 'exit');
  expect(text).toBe('');
  expect(code).toBe(0);
}

const done = (out: string): number => {
  try {
    return readdirSync(out).filter((name) => /^shard-\d+\.json$/.test(name)).length;
  } catch {
    return 0;
  }
};

describe('kill -9', () => {
  it('then resume gives the bytes of an uninterrupted run', async () => {
    const whole = join(folder, 'whole');
    await finish(start(whole, 1));
    const out = join(folder, 'killed');
    const kills: number[] = [];
    for (const target of [2, 8, 15]) {
      const child = start(out, 2);
      while (done(out) < target && child.exitCode === null) await wait(2);
      child.kill('SIGKILL');
      await once(child, 'exit');
      kills.push(done(out));
      expect(child.signalCode).toBe('SIGKILL');
      expect(readdirSync(out)).not.toContain('index.json');
    }
    expect(kills[0]).toBeLessThan(30);
    expect(kills).toEqual([...kills].sort((a, b) => a - b));
    await finish(start(out, 2));
    expect(contents(out)).toEqual(contents(whole));
    expect(done(out)).toBe(30);
  });
});
