/**
 * Detections drawn on any 2D canvas: masks, then boxes, then keypoints, then labels, so that nothing covers a label.
 *
 * Lines have a dark seam under them: a colour alone disappears on a photo of the same colour.
 */
import type { Detections } from '../boxes/detections.ts';

import type { Canvas2D } from './context.ts';
import { LabelPlacer } from './labels.ts';
import { maskOutline } from './mask-outline.ts';
import { type DrawOptions, type DrawStyle, settleStyle } from './options.ts';
import { textColorOn } from './palette.ts';
import { strokeText, strokeTextWidth } from './stroke-font.ts';

const seam = 'rgba(0, 0, 0, 0.45)';

/**
 * Draws detections on a canvas; boxes, masks and keypoints are read in pixels of the image and follow `transform`.
 *
 * The context's state is restored. Detections with a NaN or infinite coordinate are passed over. Later detections lie
 * over earlier ones reversed, so the first (in a detector's order the best) is on top; labels are inside the canvas.
 * Throws `OptionError` on an option outside its domain.
 *
 * @example
 * const context = createCanvas(image.width, image.height).getContext('2d');
 * context.drawImage(image, 0, 0);
 * drawDetections(context, detections);
 */
export function drawDetections(context: Canvas2D, detections: Detections, options: DrawOptions = {}): void {
  const style = settleStyle(context, detections, options);
  const shown = shownIndices(detections, options.scoreThreshold);
  const boxes = style.transform.toModel(detections.boxes);
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.setLineDash([]);
  context.globalAlpha = 1;
  context.lineJoin = 'round';
  context.lineCap = 'round';
  if (options.clear) context.clearRect(0, 0, style.frame.width, style.frame.height);
  const backToFront = [...shown].reverse();
  if (style.masks) for (const index of backToFront) drawMask(context, detections, index, style);
  if (style.boxes) for (const index of backToFront) drawBox(context, detections, boxes, index, style);
  if (style.keypoints)
    for (const index of backToFront) drawKeypoints(context, detections, boxes, index, style);
  if (style.label !== null) drawLabels(context, boxes, shown, style, style.label);
  context.restore();
}

function shownIndices(detections: Detections, threshold: number | undefined): number[] {
  const shown: number[] = [];
  const { boxes, scores, angles } = detections;
  for (let i = 0; i < detections.count; i++) {
    const sum = boxes[4 * i] + boxes[4 * i + 1] + boxes[4 * i + 2] + boxes[4 * i + 3] + (angles?.[i] ?? 0);
    if (Number.isFinite(sum) && (threshold === undefined || scores[i] > threshold)) shown.push(i);
  }
  return shown;
}

/** Strokes the current path twice: the seam, then the colour. */
function strokeWithSeam(context: Canvas2D, color: string, lineWidth: number): void {
  context.strokeStyle = seam;
  context.lineWidth = lineWidth + Math.max(1.5, 0.6 * lineWidth);
  context.stroke();
  context.strokeStyle = color;
  context.lineWidth = lineWidth;
  context.stroke();
}

function tracePolygon(context: Canvas2D, points: ArrayLike<number>): void {
  for (let i = 0; i < points.length; i += 2) {
    if (i === 0) context.moveTo(points[0], points[1]);
    else context.lineTo(points[i], points[i + 1]);
  }
  context.closePath();
}

function drawBox(
  context: Canvas2D,
  detections: Detections,
  boxes: Float32Array,
  index: number,
  style: DrawStyle,
): void {
  context.beginPath();
  const angle = detections.angles?.[index] ?? 0;
  if (angle === 0) {
    const [x1, y1, x2, y2] = boxes.subarray(4 * index, 4 * index + 4);
    context.rect(x1, y1, x2 - x1, y2 - y1);
  } else {
    tracePolygon(context, style.transform.pointsToModel(rotatedCorners(detections.boxes, index, angle)));
  }
  strokeWithSeam(context, style.color(index), style.lineWidth);
}

/** The corners of a box turned about its centre, clockwise on the screen: x, y four times. */
function rotatedCorners(boxes: Float32Array, index: number, angle: number): Float64Array {
  const [x1, y1, x2, y2] = boxes.subarray(4 * index, 4 * index + 4);
  const centreX = (x1 + x2) / 2;
  const centreY = (y1 + y2) / 2;
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  const corners = new Float64Array([x1, y1, x2, y1, x2, y2, x1, y2]);
  for (let i = 0; i < 8; i += 2) {
    const dx = corners[i] - centreX;
    const dy = corners[i + 1] - centreY;
    corners[i] = centreX + cosine * dx - sine * dy;
    corners[i + 1] = centreY + sine * dx + cosine * dy;
  }
  return corners;
}

function drawMask(context: Canvas2D, detections: Detections, index: number, style: DrawStyle): void {
  const mask = detections.maskAt(index);
  const size = detections.maskSize;
  if (mask === undefined || size === undefined) return;
  const image = style.transform.source;
  context.beginPath();
  for (const contour of maskOutline(mask)) {
    for (let i = 0; i < contour.length; i += 2) {
      contour[i] *= image.width / size.width;
      contour[i + 1] *= image.height / size.height;
    }
    tracePolygon(context, style.transform.pointsToModel(contour));
  }
  const color = style.color(index);
  context.fillStyle = color;
  context.globalAlpha = style.maskOpacity;
  context.fill('evenodd');
  context.globalAlpha = Math.min(1, 2 * style.maskOpacity);
  context.strokeStyle = color;
  context.lineWidth = Math.max(1, style.lineWidth / 2);
  context.stroke();
  context.globalAlpha = 1;
}

function drawKeypoints(
  context: Canvas2D,
  detections: Detections,
  boxes: Float32Array,
  index: number,
  style: DrawStyle,
): void {
  const count = detections.keypointCount;
  const own = detections.keypoints!.subarray(3 * count * index, 3 * count * (index + 1));
  const points = style.transform.pointsToModel(own, { stride: 3 });
  const visible = (k: number): boolean =>
    points[3 * k + 2] > style.keypointThreshold && Number.isFinite(points[3 * k] + points[3 * k + 1]);
  const color = style.color(index);
  context.beginPath();
  for (const [from, to] of style.skeleton) {
    if (from >= count || to >= count || !visible(from) || !visible(to)) continue;
    context.moveTo(points[3 * from], points[3 * from + 1]);
    context.lineTo(points[3 * to], points[3 * to + 1]);
  }
  strokeWithSeam(context, color, style.lineWidth);
  // on a small object dots of full size would cover what they mark
  const [x1, y1, x2, y2] = boxes.subarray(4 * index, 4 * index + 4);
  const side = Math.min(Math.abs(x2 - x1), Math.abs(y2 - y1));
  const radius = Math.min(1.4 * style.lineWidth, Math.max(1, 0.06 * side));
  for (let k = 0; k < count; k++) {
    if (!visible(k)) continue;
    context.beginPath();
    context.arc(points[3 * k], points[3 * k + 1], radius, 0, 2 * Math.PI);
    context.fillStyle = '#ffffff';
    context.fill();
    context.strokeStyle = color;
    context.lineWidth = Math.max(0.7, radius / 2);
    context.stroke();
  }
}

function drawLabels(
  context: Canvas2D,
  boxes: Float32Array,
  shown: readonly number[],
  style: DrawStyle,
  label: (index: number) => string,
): void {
  const placer = new LabelPlacer(style.frame);
  const padding = Math.round(0.3 * style.fontSize);
  const height = Math.round(1.2 * style.fontSize) + padding;
  const half = style.lineWidth / 2;
  context.font = style.font;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const hasFont = context.measureText('M').width > 0;
  for (const index of shown) {
    const text = label(index);
    if (text === '') continue;
    const [x1, y1, x2, y2] = boxes.subarray(4 * index, 4 * index + 4);
    // a box outside the canvas has nothing a label could point at
    if (x2 < 0 || y2 < 0 || x1 > style.frame.width || y1 > style.frame.height) continue;
    const measured = hasFont ? context.measureText(text).width : strokeTextWidth(text, style.fontSize);
    const width = Math.ceil(measured) + 2 * padding;
    const place = placer.place([x1 - half, y1 - half, x2 + half, y2 + half], { width, height });
    const color = style.color(index);
    context.fillStyle = color;
    context.fillRect(place.x, place.y, place.width, place.height);
    const ink = textColorOn(color);
    const middle = place.y + place.height / 2;
    if (hasFont) {
      context.fillStyle = ink;
      context.fillText(text, place.x + padding, middle);
    } else {
      strokeText(context, text, place.x + padding, middle, { fontSize: style.fontSize, color: ink });
    }
  }
}
