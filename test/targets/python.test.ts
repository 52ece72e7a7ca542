/**
 * Python reads what is written: the documented example, and numpy on the tar. Optional: where there is no Python with
 * numpy and safetensors these tests are skipped.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTargets } from '../../src/targets/node/index.ts';
import { makeDataset } from './support.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'boxops-python-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The first Python that imports these modules. */
function pythonWith(modules: string): string | null {
  for (const python of [process.env.BOXOPS_PYTHON, 'python3', '/usr/bin/python3', 'python']) {
    if (python === undefined || python === '') continue;
    try {
      execFileSync(python, ['-c', `import ${modules}`], { stdio: 'ignore', timeout: 30_000 });
      return python;
    } catch {
      // not this one
    }
  }
  return null;
}

const withSafetensors = pythonWith('numpy, safetensors');
const withNumpy = withSafetensors ?? pythonWith('numpy');
const out = join(folder, 'targets');

const readTar = `
import io, json, sys, tarfile
import numpy as np
rows = labels = boxes = images = 0
for shard in sys.argv[1:]:
    with tarfile.open(shard) as tar:
        for member in tar:
            data = tar.extractfile(member).read()
            key, part = member.name.split('.', 1)
            if part == 'json':
                about = json.loads(data)
                assert key == '%012d' % about['id']
                images += 1
            else:
                array = np.load(io.BytesIO(data))
                if part == 'anchors.npy': rows += len(array)
                if part == 'labels.npy': labels += int(array.sum())
                if part == 'box_targets.npy':
                    assert array.dtype == np.float32 and array.shape[1] == 4
                    boxes += float(np.abs(array.astype(np.float64)).sum())
print(json.dumps([images, rows, labels, boxes]))
`;

describe('Python [optional]', () => {
  let counts: Readonly<Record<string, number>>;
  beforeAll(async () => {
    const { readFile } = await import('node:fs/promises');
    const { parse } = await import('yaml');
    const config = parse(await readFile(join(root, 'examples/targets/retinanet.yaml'), 'utf8'));
    const dataset = makeDataset(12);
    await writeTargets({
      dataset,
      config,
      out,
      workers: 1,
      imagesPerShard: 5,
      formats: ['safetensors', 'tar'],
    });
    counts = JSON.parse(readFileSync(join(out, 'index.json'), 'utf8')).counts;
  });

  it.skipIf(withSafetensors === null)('the example reads the shards and decodes the ground truths', () => {
    const script = join(root, 'examples/targets/read_targets.py');
    const text = execFileSync(withSafetensors!, [script, out], { encoding: 'utf8', timeout: 60_000 });
    const { worst_pixels: worst, ...read } = JSON.parse(text);
    expect(read).toEqual({ images: 12, positives: counts.positives, ignored: counts.ignored });
    expect(worst).toBeLessThan(1e-2);
  });

  it.skipIf(withNumpy === null)('numpy and tarfile read the WebDataset shards', () => {
    const shards = [0, 1, 2].map((index) => join(out, `shard-0000${index}.tar`));
    const text = execFileSync(withNumpy!, ['-c', readTar, ...shards], { encoding: 'utf8', timeout: 60_000 });
    const [images, rows, labels, boxes] = JSON.parse(text);
    expect([images, rows]).toEqual([12, counts.rows]);
    expect(labels).toBeGreaterThan(-2 * rows);
    expect(boxes).toBeGreaterThan(0);
  });
});
