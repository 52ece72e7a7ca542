/** Columns handed over one by one, checked and copied: behind `Detections.from`. */
import { ShapeError } from '../errors.ts';
import type { Detections } from './detections.ts';
import { commonMaskSize, expectLength } from './detections-check.ts';
import { placeLength } from './detections-layout.ts';
import type { DetectionsInit, DetectionsShape } from './detections-types.ts';

/** The shape that columns ask for; throws {@link ShapeError} when their lengths do not belong together. */
export function shapeOfInit(init: DetectionsInit): DetectionsShape {
  const { masks, maskLogits, keypoints, maskDecoder, classNames, imageSize } = init;
  const count = init.scores.length;
  expectLength('boxes', init.boxes, 4 * count, count);
  expectLength('classIds', init.classIds, count, count);
  if (init.angles !== undefined) expectLength('angles', init.angles, count, count);
  if (init.trackIds !== undefined) expectLength('trackIds', init.trackIds, count, count);
  let keypointCount = 0;
  if (keypoints !== undefined) {
    keypointCount = init.keypointCount ?? (count === 0 ? 0 : keypoints.length / (3 * count));
    if (!Number.isInteger(keypointCount) || keypoints.length !== 3 * keypointCount * count) {
      throw new ShapeError(
        `expected keypoints of length 3·K·${count}, got ${keypoints.length} (keypointCount ${init.keypointCount})`,
        { got: keypoints.length, count, keypointCount: init.keypointCount ?? null },
      );
    }
  }
  if (maskLogits !== undefined) {
    const { places, offsets, values } = maskLogits;
    expectLength('maskLogits.places', places, placeLength * count, count);
    expectLength('maskLogits.offsets', offsets, count + 1, count);
    expectLength('maskLogits.values', values, offsets[count], count);
    if (imageSize === undefined) throw new ShapeError('expected imageSize with maskLogits, got none');
  }
  const maskSize = maskLogits !== undefined ? imageSize : masks && commonMaskSize(masks, count, imageSize);
  return {
    count,
    angles: init.angles !== undefined,
    trackIds: init.trackIds !== undefined,
    keypointCount,
    ...(maskSize === undefined ? {} : { maskSize }),
    maskRunCount: masks?.reduce((total, mask) => total + mask.counts.length, 0) ?? 0,
    maskLogitCount: maskLogits?.values.length,
    maskDecoder,
    classNames,
    imageSize,
  };
}

/** Copies the columns into detections of their shape. */
export function fillFromInit(target: Detections, init: DetectionsInit): void {
  const { angles, trackIds, keypoints, masks, maskLogits } = init;
  target.boxes.set(init.boxes);
  target.scores.set(init.scores);
  target.classIds.set(init.classIds);
  if (angles !== undefined) target.angles?.set(angles);
  if (trackIds !== undefined) target.trackIds?.set(trackIds);
  if (keypoints !== undefined) target.keypoints?.set(keypoints);
  if (maskLogits !== undefined) {
    target.maskLogits?.places.set(maskLogits.places);
    target.maskLogits?.offsets.set(maskLogits.offsets);
    target.maskLogits?.values.set(maskLogits.values);
    return;
  }
  let offset = 0;
  masks?.forEach((mask, index) => {
    target.maskRuns!.set(mask.counts, offset);
    offset += mask.counts.length;
    target.maskOffsets![index + 1] = offset;
  });
}
