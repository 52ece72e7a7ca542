/** Precision and recall over the last frames of the clip: a detection counts when its class is right and IoU ≥ 0.5. */
import type { Detections } from '../../../src/boxes/detections.ts';
import { pairwiseIou } from '../../../src/iou/index.ts';
import type { GroundTruth } from '../sources/clipFile.ts';
import { Rolling } from '../state/rolling.ts';

export class LivePrecision {
  readonly #hits = new Rolling(90);
  readonly #found = new Rolling(90);
  readonly #known = new Rolling(90);

  /**
   * Matches best score first, each known box once, as the Pascal VOC evaluation does. Boxes marked `ignore` (digits cut
   * off at the edge) are neither asked for nor wrong when found.
   */
  add(detections: Detections, truth: GroundTruth): void {
    const known = truth.classIds.length;
    const overlaps = pairwiseIou(detections.boxes, Float32Array.from(truth.boxes));
    const taken = new Uint8Array(known);
    let hits = 0;
    let excused = 0;
    for (let i = 0; i < detections.count; i++) {
      let best = -1;
      for (let j = 0; j < known; j++) {
        if (taken[j] === 1 || truth.classIds[j] !== detections.classIds[i]) continue;
        const overlap = overlaps[i * known + j]!;
        if (overlap >= 0.5 && (best < 0 || overlap > overlaps[i * known + best]!)) best = j;
      }
      if (best < 0) {
        if (this.#onIgnored(overlaps, i, truth)) excused++;
        continue;
      }
      taken[best] = 1;
      if (truth.ignore[best] === 1) excused++;
      else hits++;
    }
    this.#hits.push(hits);
    this.#found.push(detections.count - excused);
    this.#known.push(truth.ignore.reduce((sum, ignored) => sum + 1 - ignored, 0));
  }

  /** Whatever is found on half a digit says nothing of the detector. */
  #onIgnored(overlaps: Float32Array | Float64Array, i: number, truth: GroundTruth): boolean {
    const known = truth.classIds.length;
    return truth.ignore.some((ignored, j) => ignored === 1 && overlaps[i * known + j]! >= 0.5);
  }

  precision(): number {
    return this.#hits.mean() / this.#found.mean();
  }

  recall(): number {
    return this.#hits.mean() / this.#known.mean();
  }

  clear(): void {
    for (const values of [this.#hits, this.#found, this.#known]) values.clear();
  }
}
