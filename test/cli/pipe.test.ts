/** The program in a pipe whose reader leaves early, as `| head` does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'boxops-pipe-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('ends well and writes its files when nobody reads', { timeout: 60_000 }, async () => {
  const json = join(folder, 'model.json');
  const words = ['inspect', 'models/digits/digits.onnx', '--json', json];
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/index.ts', ...words], { cwd: root });
  child.stdout.destroy();
  let told = '';
  child.stderr.on('data', (text) => {
    told += text;
  });
  const [code] = await once(child, 'close');
  expect([code, told]).toEqual([0, '']);
  expect(JSON.parse(readFileSync(json, 'utf8')).candidates[0].head).toBe('yolov8');
});
