/**
 * `npm start`: the embedded detector over the embedded clip, in a worker, in the terminal; then the demo page.
 *
 * Everything runs through the built package, as an application would use it. `--once` stops after the terminal part.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCanvas } from '@napi-rs/canvas';
import { SingleBar } from 'cli-progress';
import { clip, renderFrame } from '../examples/clip/clip.ts';
import { scoreClip } from '../examples/clip/evaluate.ts';
import type { Detections } from '../src/boxes/detections.ts';
import { table } from '../src/cli/table.ts';
import { drawDetections } from '../src/draw/index.ts';

const root = new URL('../', import.meta.url);
const built = new URL('dist/detector.js', root);
if (!existsSync(built)) throw new Error('dist/ is missing: run `npm run build` first');
const { createDetector } = (await import(built.href)) as typeof import('../src/detector/index.ts');
const { detectFrames } = (await import(
  new URL('dist/stream.js', root).href
)) as typeof import('../src/stream/index.ts');

const shown = 120;
const picture = new URL('out/clip.png', root);

function* frames() {
  for (let i = 0; i < clip.frameCount; i++) {
    yield { frame: renderFrame(i), timestamp: (1000 * i) / clip.framesPerSecond };
  }
}

/** Frame `index` three times its size with its detections drawn in. */
function writePicture(index: number, detections: Detections): void {
  const { width, height, data } = renderFrame(index);
  const scale = 3;
  const small = createCanvas(width, height);
  const pixels = small.getContext('2d').createImageData(width, height);
  pixels.data.set(data);
  small.getContext('2d').putImageData(pixels, 0, 0);
  const canvas = createCanvas(width * scale, height * scale);
  const context = canvas.getContext('2d');
  context.drawImage(small, 0, 0, width * scale, height * scale);
  const boxes = detections.boxes.map((value) => value * scale);
  drawDetections(context, detectionsAt(detections, boxes, width * scale, height * scale));
  mkdirSync(new URL('out/', root), { recursive: true });
  writeFileSync(picture, canvas.toBuffer('image/png'));
}

function detectionsAt(
  detections: Detections,
  boxes: Float32Array,
  width: number,
  height: number,
): Detections {
  const { scores, classIds, classNames } = detections;
  const Class = detections.constructor as typeof Detections;
  return Class.from({ boxes, scores, classIds, classNames, imageSize: { width, height } });
}

async function overClip(): Promise<void> {
  console.log(
    `boxops: digits.onnx over ${clip.frameCount} frames of ${clip.width}×${clip.height}, in a worker thread\n`,
  );
  const detector = await createDetector({
    model: new URL('models/digits/digits.onnx', root),
    worker: true,
    preprocessing: { size: { width: clip.width, height: clip.height } }, // as it is: no digit shrinks
  });
  const found = new Map<number, Detections>();
  const bar = process.stderr.isTTY
    ? new SingleBar({ format: '{bar} {value}/{total} frames · {eta_formatted} left', clearOnComplete: true })
    : undefined;
  bar?.start(clip.frameCount, 0);
  const began = performance.now();
  let compute = 0;
  try {
    // every detection counts for AP, so the threshold is low here
    const results = detectFrames(frames(), detector, { overflow: 'lossless', scoreThreshold: 0.01 });
    for await (const { frameId, detections, computeMs } of results) {
      found.set(frameId, detections);
      compute += computeMs;
      bar?.increment();
    }
    bar?.stop();
    const seconds = (performance.now() - began) / 1000;
    const sample = found.get(shown)!;
    const sure = sample.filter((i) => sample.scores[i]! > 0.25);
    const rows = Array.from({ length: sure.count }, (_, i) => [
      sure.classNameOf(i),
      sure.scores[i]!.toFixed(3),
      ...[...sure.boxes.subarray(4 * i, 4 * i + 4)].map((value) => value.toFixed(1)),
    ]);
    console.log(`frame ${shown}`);
    console.log(table(['digit', 'score', 'x1', 'y1', 'x2', 'y2'], rows));
    writePicture(shown, sure);
    const { mAP50, mAP, digits } = scoreClip(found);
    const { executionProvider } = await detector.stats();
    console.log(
      `\nmAP50      ${mAP50.toFixed(3)} against the known ground truth (${digits} digits; mAP ${mAP.toFixed(3)})`,
    );
    console.log(
      `speed      ${(found.size / seconds).toFixed(0)} frames a second, rendering included; ` +
        `${(compute / found.size).toFixed(1)} ms a frame on ${executionProvider} in the worker`,
    );
    console.log(`picture    ${relative(process.cwd(), fileURLToPath(picture))}`);
  } finally {
    bar?.stop();
    detector.dispose();
  }
}

await overClip();
if (!process.argv.includes('--once')) {
  const { serveDemo } = await import('./serve-demo.ts');
  const { url } = await serveDemo();
  console.log(`\ndemo       ${url}   (Ctrl+C ends)`);
}
