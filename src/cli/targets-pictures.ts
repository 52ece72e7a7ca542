/** Pictures of an assignment: each object and, in its colour, the priors it got. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { type SlicedDataset, stemOf } from '../datasets/index.ts';
import { readImage } from '../detector/index.ts';
import { colorOf } from '../draw/index.ts';
import {
  type AnnotatedImage,
  imageOf,
  inputTransform,
  type TargetConfig,
  TargetMaker,
  TargetRows,
  TargetStatistics,
} from '../targets/index.ts';
import { readPredictions } from '../targets/node/index.ts';
import { readBytes, write } from './files.ts';

export interface DrawTargetsOptions {
  readonly out: string;
  /** At most this many images, spread over the dataset. */
  readonly count: number;
  /** Folder of the images; without it the picture is plain. */
  readonly images?: string;
  readonly predictions?: string;
}

/** More priors than this an object hide each other: evenly chosen ones are drawn. */
const mostPriors = 60;

/** Draws pictures and gives how many. */
export async function drawTargets(
  dataset: SlicedDataset,
  config: TargetConfig,
  options: DrawTargetsOptions,
): Promise<number> {
  mkdirSync(options.out, { recursive: true });
  const total = dataset.images;
  const count = Math.min(options.count, total);
  for (let i = 0; i < count; i++) {
    const index = Math.floor((i * total) / count);
    const slice = dataset.slice(Math.floor(index / dataset.imagesPerSlice));
    const image = imageOf(slice, index - slice.first);
    // with its folders: names of cameras and sequences repeat
    const name = `${stemOf(image.fileName).replaceAll(/[\\/]+/g, '-')}.png`;
    write(join(options.out, name), await picture(image, config, options));
  }
  return count;
}

async function picture(
  image: AnnotatedImage,
  config: TargetConfig,
  { images: folder, predictions }: DrawTargetsOptions,
): Promise<Uint8Array> {
  const size = { width: image.width, height: image.height };
  const rows = new TargetRows();
  // every matched prior is drawn, sampled or not
  const maker = new TargetMaker({ ...config, sampler: { kind: 'none' } });
  const predicted = predictions === undefined ? null : readPredictions(predictions, image.fileName);
  maker.add(image, rows, new TargetStatistics(), predicted);
  const transform = inputTransform(config.input, size);
  const priors = maker.priors.of(transform.target)?.boxes ?? predicted!.boxes;
  const matched = new Map<number, number[]>();
  for (let i = 0; i < rows.anchors.length; i++) {
    const gt = rows.gtIndices.at(i);
    if (gt >= 0) matched.set(gt, [...(matched.get(gt) ?? []), rows.anchors.at(i)]);
  }

  const canvas = createCanvas(size.width, size.height);
  const context = canvas.getContext('2d');
  await background(context, folder === undefined ? null : join(folder, image.fileName), size);
  const line = Math.max(1, Math.round((size.width + size.height) / 700));
  const stroke = (box: ArrayLike<number>, color: string, width: number, alpha: number): void => {
    context.globalAlpha = alpha;
    context.strokeStyle = color;
    context.lineWidth = width;
    context.strokeRect(box[0]!, box[1]!, box[2]! - box[0]!, box[3]! - box[1]!);
  };
  const gtBoxes = transform.toImage(rows.gtBoxes.take());
  for (const [gt, anchors] of matched) {
    const step = Math.max(1, anchors.length / mostPriors);
    for (let k = 0; k < anchors.length; k += step) {
      const anchor = anchors[Math.floor(k)]!;
      const box = transform.toImage(priors.slice(4 * anchor, 4 * anchor + 4));
      stroke(box, colorOf(gt), line, 0.55);
      context.globalAlpha = 1;
      context.fillStyle = colorOf(gt);
      context.beginPath();
      context.arc((box[0]! + box[2]!) / 2, (box[1]! + box[3]!) / 2, 1.5 * line, 0, 2 * Math.PI);
      context.fill();
    }
  }
  context.font = `bold ${8 + 3 * line}px sans-serif`;
  for (let gt = 0; gt < gtBoxes.length / 4; gt++) {
    const box = gtBoxes.subarray(4 * gt, 4 * gt + 4);
    const anchors = matched.get(gt)?.length ?? 0;
    stroke(box, '#000000', 3 * line + 2, 0.6);
    stroke(box, anchors === 0 ? '#ff0000' : colorOf(gt), 3 * line, 1);
  }
  // numbers last, so that no box hides one
  context.globalAlpha = 1;
  for (let gt = 0; gt < gtBoxes.length / 4; gt++) {
    const box = gtBoxes.subarray(4 * gt, 4 * gt + 4);
    const anchors = matched.get(gt)?.length ?? 0;
    context.strokeStyle = '#000000';
    context.lineWidth = 3;
    context.strokeText(String(anchors), box[0]! + 2 * line + 2, box[1]! + 10 + 4 * line);
    context.fillStyle = '#ffffff';
    context.fillText(String(anchors), box[0]! + 2 * line + 2, box[1]! + 10 + 4 * line);
  }
  return canvas.encode('png');
}

async function background(
  context: SKRSContext2D,
  path: string | null,
  size: { width: number; height: number },
): Promise<void> {
  context.fillStyle = '#303338';
  context.fillRect(0, 0, size.width, size.height);
  if (path === null || !existsSync(path)) return;
  const image = await readImage(readBytes(path));
  const pixels = context.createImageData(image.width, image.height);
  pixels.data.set(image.data);
  context.putImageData(pixels, 0, 0);
}
