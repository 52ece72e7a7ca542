/** Boxes and labels over the picture, at device resolution whatever the size of the frame. */
import type { Detections } from '../../../src/boxes/detections.ts';
import { FrameTransform } from '../../../src/boxes/frame-transform.ts';
import { drawDetections } from '../../../src/draw/index.ts';
import type { GroundTruth } from '../sources/clipFile.ts';
import { element } from './dom.ts';

export interface OverlayContent {
  readonly detections: Detections | null;
  /** Drawn dashed when given. */
  readonly truth: GroundTruth | null;
  /** Size of the frame the boxes refer to. */
  readonly width: number;
  readonly height: number;
  readonly mirror: boolean;
  /** Detection to stress, or -1. */
  readonly highlight: number;
}

export class Overlay {
  readonly #canvas = element('overlay', HTMLCanvasElement);
  readonly #context: CanvasRenderingContext2D;
  #element = { width: 1, height: 1 };
  #ratio = 1;

  constructor(onResize: () => void) {
    const context = this.#canvas.getContext('2d');
    if (context === null) throw new Error('this browser gives no 2D canvas');
    this.#context = context;
    new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = this.#canvas;
      this.#ratio = devicePixelRatio;
      this.#element = { width: Math.max(1, width), height: Math.max(1, height) };
      this.#canvas.width = Math.round(this.#element.width * this.#ratio);
      this.#canvas.height = Math.round(this.#element.height * this.#ratio);
      onResize();
    }).observe(this.#canvas);
  }

  draw({ detections, truth, width, height, mirror, highlight }: OverlayContent): void {
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    const transform = FrameTransform.toElement({
      source: { width, height },
      element: this.#element,
      devicePixelRatio: this.#ratio,
      mirror,
    });
    if (truth !== null) {
      for (let i = 0; i < truth.classIds.length; i++) this.#outline(transform, truth.boxes, i, 'truth');
    }
    if (detections === null) return;
    drawDetections(this.#context, detections, {
      transform,
      lineWidth: 2 * this.#ratio,
      fontSize: 12 * this.#ratio,
      fontFamily: 'ui-sans-serif, system-ui, sans-serif',
    });
    if (highlight >= 0 && highlight < detections.count) {
      this.#outline(transform, detections.boxes, highlight, 'highlight');
    }
  }

  /** White, a little outside the box: dashed for a known box, solid for the stressed one. */
  #outline(
    transform: FrameTransform,
    boxes: ArrayLike<number>,
    i: number,
    kind: 'truth' | 'highlight',
  ): void {
    const context = this.#context;
    const pad = (kind === 'truth' ? 2.5 : 4) * this.#ratio;
    const [x1, y1, x2, y2] = transform.toModel(
      Float32Array.of(boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!),
    );
    context.setLineDash(kind === 'truth' ? [5 * this.#ratio, 4 * this.#ratio] : []);
    for (const [color, width] of [
      ['rgb(0 0 0 / 0.55)', 4],
      ['white', 2],
    ] as const) {
      context.strokeStyle = color;
      context.lineWidth = width * this.#ratio;
      context.strokeRect(x1! - pad, y1! - pad, x2! - x1! + 2 * pad, y2! - y1! + 2 * pad);
    }
    context.setLineDash([]);
  }
}
