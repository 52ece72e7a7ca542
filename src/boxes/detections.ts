/** Placeholder until the columnar buffer lands. */
export class Detections {
  readonly count: number = 0;
}
