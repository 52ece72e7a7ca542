/** Which columns belong together: the checks behind `Detections.from` and `Detections.merge`. */
import { OptionError, ShapeError } from '../errors.ts';
import type { Rle } from '../masks/types.ts';
import type { Detections } from './detections.ts';
import type { DetectionsShape, TransferredDetections } from './detections-types.ts';
import type { Size } from './types.ts';

/** Which columns a value has, for `Detections.create`. */
export function shapeOf(
  part: Detections,
): Omit<DetectionsShape, 'count' | 'maskRunCount' | 'maskLogitCount'> {
  return {
    angles: part.angles !== undefined,
    trackIds: part.trackIds !== undefined,
    keypointCount: part.keypointCount,
    ...(part.maskSize === undefined ? {} : { maskSize: part.maskSize }),
    maskDecoder: part.maskDecoder,
  };
}

/** Throws {@link ShapeError} unless a column has the length its count asks for. */
export function expectLength(
  name: string,
  column: ArrayLike<unknown>,
  expected: number,
  count: number,
): void {
  if (column.length === expected) return;
  throw new ShapeError(
    `expected ${name} of length ${expected} for ${count} detections, got ${column.length}`,
    {
      name,
      expected,
      got: column.length,
    },
  );
}

/** Throws {@link ShapeError} unless every index is one of `count` rows. */
export function expectIndices(indices: ArrayLike<number>, count: number): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (!(Number.isInteger(index) && index >= 0 && index < count)) {
      throw new ShapeError(`expected indices from 0 to ${count - 1}, got ${index} at ${i}`, { index, count });
    }
  }
}

/** Throws {@link ShapeError} unless this is what `Detections.transferable` gives. */
export function expectTransferred(data: TransferredDetections): void {
  if (data?.kind === 'boxops/detections' && data.version === 1 && data.buffer instanceof ArrayBuffer) return;
  throw new ShapeError(
    `expected transferred detections of version 1, got kind ${String(data?.kind)}, version ${String(data?.version)}`,
    { kind: String(data?.kind), version: String(data?.version) },
  );
}

/** The one size of all masks; throws {@link ShapeError} when they differ or their runs do not cover it. */
export function commonMaskSize(
  masks: readonly Rle[],
  count: number,
  imageSize: Size | undefined,
): Size | undefined {
  expectLength('masks', masks, count, count);
  const first = masks[0];
  if (first === undefined) return imageSize;
  const [height, width] = first.size;
  for (const [index, mask] of masks.entries()) {
    if (mask.size[0] !== height || mask.size[1] !== width) {
      throw new ShapeError(
        `expected all masks to be ${height}×${width} (height × width), got ${mask.size.join('×')} at ${index}`,
        { expected: [height, width], got: [...mask.size], index },
      );
    }
    const pixels = mask.counts.reduce((sum, run) => sum + run, 0);
    if (pixels !== height * width) {
      throw new ShapeError(
        `expected the runs of mask ${index} to sum to ${height * width} pixels, got ${pixels}`,
        { index, expected: height * width, got: pixels },
      );
    }
  }
  return { height, width };
}

/** The class names all parts agree on, empty where none has any; {@link OptionError} when they differ. */
export function agreedNames(parts: readonly Detections[]): readonly string[] {
  let agreed: readonly string[] = [];
  for (const { classNames } of parts) {
    if (classNames.length === 0 || classNames === agreed) continue;
    if (agreed.length === 0) agreed = classNames;
    else if (classNames.length !== agreed.length || classNames.some((name, id) => name !== agreed[id])) {
      throw new OptionError('cannot merge detections whose class names differ', {
        first: agreed,
        other: classNames,
      });
    }
  }
  return agreed;
}

/** The image size all parts agree on; {@link OptionError} when they differ. */
export function agreedSize(parts: readonly Detections[]): Size | undefined {
  let agreed: Size | undefined;
  for (const { imageSize } of parts) {
    if (imageSize === undefined) continue;
    agreed ??= imageSize;
    if (imageSize.width !== agreed.width || imageSize.height !== agreed.height) {
      throw new OptionError(
        `cannot merge detections of images of different size: ${agreed.width}×${agreed.height} and ${imageSize.width}×${imageSize.height}`,
        { first: agreed, other: imageSize },
      );
    }
  }
  return agreed;
}

/** Throws {@link ShapeError} unless both values have the same columns. */
export function expectSameColumns(first: Detections, part: Detections): void {
  const describe = ({ angles, trackIds, keypointCount, maskSize, maskLogits }: Detections) =>
    [
      'boxes scores classIds',
      angles ? 'angles' : '',
      trackIds ? 'trackIds' : '',
      keypointCount > 0 ? `keypoints(${keypointCount})` : '',
      maskSize ? `${maskLogits ? 'maskLogits' : 'masks'}(${maskSize.width}×${maskSize.height})` : '',
    ]
      .filter((name) => name !== '')
      .join(' ');
  const expected = describe(first);
  const got = describe(part);
  if (expected !== got) {
    throw new ShapeError(`cannot merge detections with different columns: ${expected}; ${got}`, {
      expected,
      got,
    });
  }
}
