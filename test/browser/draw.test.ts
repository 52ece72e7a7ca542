/** The annotators on Chromium's own canvases: the same pixels as in Node where no text is involved. */
import { expect, test } from 'vitest';
import { colorOf, drawDetections } from '../../src/draw/index.ts';
import { Detections, FrameTransform } from '../../src/index.ts';

const found = Detections.from({
  boxes: [40, 30, 120, 90],
  scores: [0.9],
  classIds: [1],
  classNames: ['cat', 'dog'],
  imageSize: { width: 160, height: 120 },
});
const channels = (color: string) => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));

test('OffscreenCanvas', () => {
  const context = new OffscreenCanvas(160, 120).getContext('2d')!;
  drawDetections(context, found, { lineWidth: 4, labels: false });
  expect(Array.from(context.getImageData(40, 60, 1, 1).data)).toEqual([...channels(colorOf(1)), 255]);
  expect(context.getImageData(80, 60, 1, 1).data[3]).toBe(0);
});

test('an overlay canvas over a mirrored element, labels inside it', () => {
  const canvas = document.createElement('canvas');
  const transform = FrameTransform.toElement({
    source: { width: 160, height: 120 },
    element: { width: 320, height: 320 },
    devicePixelRatio: 2,
    mirror: true,
  });
  canvas.width = transform.target.width;
  canvas.height = transform.target.height;
  const context = canvas.getContext('2d')!;
  drawDetections(context, found, { transform, lineWidth: 8, clear: true });
  // x = 40 of 160 is 480 of 640 in the mirror; y = 60 is 320: the middle row
  expect(Array.from(context.getImageData(480, 320, 1, 1).data)).toEqual([...channels(colorOf(1)), 255]);
  const label = context.getImageData(160, 150, 80, 40).data;
  let colored = 0;
  for (let i = 0; i < label.length; i += 4) if (label[i + 3] === 255) colored++;
  expect(colored).toBeGreaterThan(200);
});

test('transferred detections arrive whole from a worker’s side of a MessageChannel', async () => {
  const { port1, port2 } = new MessageChannel();
  const arrived = new Promise<Detections>((resolve) => {
    port2.onmessage = ({ data }) => resolve(Detections.fromTransferred(data));
  });
  const copy = found.select([0]);
  const { data, transfer } = copy.transferable();
  port1.postMessage(data, transfer);
  expect((await arrived).toJSON()).toEqual(found.toJSON());
  expect(copy.boxes).toHaveLength(0);
  port1.close();
});
