/** Draws detections onto their image and encodes it as PNG. */
import { createCanvas } from '@napi-rs/canvas';
import type { Detections } from '../boxes/detections.ts';
import { readImage } from '../detector/index.ts';
import { drawDetections } from '../draw/index.ts';

/** PNG bytes of the encoded image with its detections drawn in. */
export async function annotate(bytes: Uint8Array<ArrayBuffer>, detections: Detections): Promise<Uint8Array> {
  const image = await readImage(bytes);
  const canvas = createCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  const pixels = context.createImageData(image.width, image.height);
  pixels.data.set(image.data);
  context.putImageData(pixels, 0, 0);
  drawDetections(context, detections);
  return canvas.encode('png');
}
