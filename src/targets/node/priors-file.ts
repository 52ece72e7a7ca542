/** The priors of one size of input as a file, so that a reader decodes without making them. */
import type { Size } from '../../boxes/types.ts';
import type { TargetConfig } from '../config.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import { PriorSource } from '../priors.ts';

/** Name and bytes: `boxes` [A, 4] xyxy, `levels` [L, 6] start, count, stride, width, height, anchors a cell. */
export function priorsFile(config: TargetConfig, size: Size): { name: string; bytes(): Uint8Array } {
  return {
    name: `priors-${size.width}x${size.height}.safetensors`,
    bytes() {
      const { boxes, levels } = new PriorSource(config.priors).of(size)!;
      const rows = levels.flatMap(({ start, count, stride, width, height, perCell }) => [
        start,
        count,
        stride,
        width,
        height,
        perCell,
      ]);
      return writeSafetensors({
        boxes: { shape: [boxes.length / 4, 4], data: boxes },
        levels: { shape: [levels.length, 6], data: Float32Array.from(rows) },
      });
    },
  };
}
