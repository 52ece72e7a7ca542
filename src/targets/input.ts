/** How an image comes into the network's input: the same numbers place its pixels and its boxes. */
import { FrameTransform } from '../boxes/frame-transform.ts';
import type { Size } from '../boxes/types.ts';
import type { TargetConfig } from './config.ts';

/** The way of an image of this size into the input; `target` is the input's size, padding included. */
export function inputTransform(input: TargetConfig['input'], source: Size): FrameTransform {
  if (input.fit === 'stretch') return FrameTransform.stretch({ source, target: input });
  if (input.fit === 'letterbox') {
    const { align = 'center' } = input;
    return FrameTransform.letterbox({ source, target: input, align });
  }
  // torchvision GeneralizedRCNNTransform: one scale, sides rounded down, boxes by the ratio of the rounded sides
  const { shortest, longest, multiple = 1 } = input;
  const scale = Math.min(
    shortest / Math.min(source.width, source.height),
    longest / Math.max(source.width, source.height),
  );
  const width = Math.max(1, Math.floor(Math.fround(source.width * Math.fround(scale))));
  const height = Math.max(1, Math.floor(Math.fround(source.height * Math.fround(scale))));
  const padded = (side: number): number => Math.ceil(side / multiple) * multiple;
  return new FrameTransform({
    source,
    target: { width: padded(width), height: padded(height) },
    scaleX: width / source.width,
    scaleY: height / source.height,
    offsetX: 0,
    offsetY: 0,
    contentX: 0,
    contentY: 0,
    contentWidth: width,
    contentHeight: height,
  });
}
