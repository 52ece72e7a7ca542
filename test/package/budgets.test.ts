/**
 * What an import costs a page: esbuild, minified, gzipped, and nothing in it that does not belong there.
 *
 * A ceiling leaves a little room above what the code needs today; its reason stands beside it.
 */

import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

async function bundle(code: string, without: readonly string[] = []): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: root, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    external: [
      'onnxruntime-web',
      'onnxruntime-web/*',
      'rxjs',
      '@napi-rs/canvas',
      'node:*',
      '@tensorflow/*',
      ...without,
    ],
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

const kilobytes = (code: string): number => gzipSync(code, { level: 9 }).length / 1000;
const use = (names: string, from: string): string =>
  `import { ${names} } from './src/${from}'; console.log(${names});`;

const budgets: readonly [what: string, code: string, ceiling: number, reason: string][] = [
  ['nms', use('nms', 'nms/nms.ts'), 12, 'sort, tiles, the SIMD kernel and its twin; the default metric only'],
  ['the whole core', `export * from './src/index.ts';`, 45, 'every metric, box tool and suppression'],
  [
    'anchors',
    `export * from './src/anchors/index.ts';`,
    7,
    'generators of eight libraries, clusters, evolution',
  ],
  [
    'coders',
    `export * from './src/coders/index.ts';`,
    4.5,
    'eight coders with their gradients, rotated boxes by three toolkits’ conventions',
  ],
  [
    'matching',
    `export * from './src/matching/index.ts';`,
    30,
    'thirteen matchers; every IoU variant is half',
  ],
  ['one matcher', use('fcosMatcher', 'matching/index.ts'), 4.5, 'grids, ignored regions, the anchor loop'],
  ['worker client', `export * from './src/client/index.ts';`, 6, 'comlink and the protocol around it'],
];

describe('bytes an import costs', () => {
  it.each(budgets)('%s', async (_what, code, ceiling) => {
    const size = kilobytes(await bundle(code));
    expect(size, `${size.toFixed(2)} kB gzipped`).toBeLessThanOrEqual(ceiling);
  });
});

const heads = [
  ['decodeYolov8', 'yolov8'],
  ['decodeYolov5', 'yolov5'],
  ['decodeYolox', 'yolox'],
  ['decodeEndToEnd', 'end-to-end'],
  ['decodeDetr', 'detr'],
] as const;

describe('losses', () => {
  const all = `export * from './src/losses/index.ts';`;
  // beyond 20 kB: the two SIMD kernels (matrix products; focal loss) that make them fast, 4 kB
  it('stay below 21 kB beside the IoU gradients, which any metric shares', async () => {
    expect(kilobytes(await bundle(all, ['*/iou/gradient.ts', '*/iou/gradient-sum.ts']))).toBeLessThanOrEqual(
      21,
    );
  });
  // beyond 38 kB: CIoU beside GIoU on SIMD
  it('stay below 39 kB with the gradients of every IoU variant', async () => {
    expect(kilobytes(await bundle(all))).toBeLessThanOrEqual(39);
  });
  it('cost a page that uses one of them less than 3 kB, and its kernel where it has one', async () => {
    expect(kilobytes(await bundle(use('huberLoss', 'losses/index.ts')))).toBeLessThanOrEqual(3);
    expect(kilobytes(await bundle(use('sigmoidFocalLoss', 'losses/index.ts')))).toBeLessThanOrEqual(4.5);
  });
});

describe('heads', () => {
  // reading any element type, and the error that names the head that would fit, are paid once: 1.3 kB; the scan of
  // YOLOv8's class rows runs on a SIMD kernel with its twin: 1.2 kB, half of it what starts any kernel
  it.each(heads)('%s with all it needs stays below 2.5 kB, YOLOv8 below 3.7 kB', async (name, file) => {
    const ceiling = file === 'yolov8' ? 3.7 : 2.5;
    expect(kilobytes(await bundle(use(name, `heads/${file}.ts`)))).toBeLessThanOrEqual(ceiling);
  });
  it.each(heads.slice(1))('%s beside another head adds less than 1.5 kB', async (name, file) => {
    const first = `${use('decodeYolov8', 'heads/yolov8.ts')}\n`;
    const both = kilobytes(await bundle(first + use(name, `heads/${file}.ts`)));
    expect(both - kilobytes(await bundle(first))).toBeLessThanOrEqual(1.5);
  });
});

describe('the core', () => {
  it('names no DOM, Node or runtime identifier and evaluates no strings', async () => {
    const code = await bundle(`export * from './src/index.ts';`);
    for (const foreign of [
      'document',
      'window.',
      'navigator',
      'process.',
      '"node:',
      'onnxruntime',
      'new Worker',
      'new Function',
      'eval(',
    ]) {
      expect(code.includes(foreign), foreign).toBe(false);
    }
  });
  it('costs nothing when nothing of it is used', async () => {
    expect((await bundle(`import './src/index.ts';`)).length).toBeLessThan(400);
  });
});
