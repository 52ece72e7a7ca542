/**
 * Chooses the pre-processing: the family's convention, corrected by what the file shows.
 *
 * Two things can be read from the first convolution. Its gain: a network fed 0–255 has weights some hundred times
 * smaller than one fed 0–1 or normalised values (measured over 15 published detectors: sums of |weight| a filter of
 * 0.005–0.25 against 2–70). Its colour order: natural pictures carry least energy in blue, and the weights follow; the
 * lighter of the outer channels was blue in all 15. The gain decides; the colour order only confirms or contradicts a
 * convention, because it is a tendency of photographs and not a law.
 */
import type { PreprocessingChoice } from '../preprocessing.ts';
import type { Facts } from './facts.ts';
import type { PreprocessingSources } from './types.ts';

/** Median sum of |weight| a filter under which the picture comes as 0–255. */
const rawGain = 0.7;

export interface PictureChoice {
  readonly preprocessing: PreprocessingChoice;
  readonly sources: PreprocessingSources;
  readonly reasons: readonly string[];
}

/** The pre-processing of a family for this file; `alternatives` are conventions of its other releases. */
export function choosePicture(
  facts: Facts,
  convention: PreprocessingChoice,
  alternatives: readonly PreprocessingChoice[] = [],
): PictureChoice {
  const { image, stem } = facts;
  const reasons: string[] = [];
  const sources: { -readonly [K in keyof PreprocessingSources]: PreprocessingSources[K] } = {
    size: image?.sizeSource ?? 'convention',
    fit: 'convention',
    antialias: 'convention',
    channelOrder: 'convention',
    scale: 'convention',
    layout: image === null ? 'convention' : 'bytes',
  };
  let choice: PreprocessingChoice = convention;
  const range = inputRange(facts);
  if (range !== null) {
    sources.scale = 'bytes';
    reasons.push(range.reason);
    const fits = [convention, ...alternatives].find((preset) => isRaw(preset) === range.raw);
    if (fits !== undefined) choice = fits;
    else {
      const std = range.raw ? 1 : 255;
      choice = { ...convention, mean: [0, 0, 0], std: [std, std, std] };
      reasons.push('which is not the convention of this family: the file was followed');
    }
  }
  if (stem !== null) {
    const [first, , third] = stem.channels;
    const ratio = third / first;
    if (ratio < 0.95 || ratio > 1.05) {
      const seen = ratio < 1 ? 'rgb' : 'bgr';
      if (seen === choice.channelOrder) {
        sources.channelOrder = 'bytes';
        reasons.push(
          `colour order ${seen.toUpperCase()}: blue would be the channel the first convolution weighs least`,
        );
      } else {
        reasons.push(
          `colour order ${choice.channelOrder.toUpperCase()} is the convention of this family; the first ` +
            `convolution rather looks like ${seen.toUpperCase()}`,
        );
      }
    }
  }
  if (sources.channelOrder === 'convention' && reasons.every((reason) => !reason.startsWith('colour'))) {
    reasons.push(`colour order ${choice.channelOrder.toUpperCase()} is the convention of this family`);
  }
  const resizing = choice.antialias ? 'resizing antialiased as Pillow does' : 'resizing as OpenCV does';
  reasons.push(`fit '${choice.fit}' and ${resizing} are the convention of this family: no file says it`);
  if (sources.scale === 'convention') reasons.push('the pixel scale is the convention of this family');
  if (image !== null && image.layout !== choice.layout) choice = { ...choice, layout: image.layout };
  if (image !== null && image.width !== null && image.height !== null) {
    choice = { ...choice, size: { width: image.width, height: image.height } };
  } else {
    reasons.push(`any input size goes; ${choice.size.width}×${choice.size.height} is the usual one`);
  }
  return { preprocessing: choice, sources, reasons };
}

/** Pixels go in as they are, 0–255, at most with a mean subtracted. */
function isRaw({ std }: PreprocessingChoice): boolean {
  return std[0] === 1;
}

function inputRange({ image, stem }: Facts): { raw: boolean; reason: string } | null {
  if (image?.type === 'uint8') return { raw: true, reason: 'pixels 0–255: the input is uint8' };
  if (stem === null) return null;
  const scaled = stem.normalisation.filter(({ values }) => values.length > 0);
  if (scaled.length > 0) {
    const raw = scaled.some(({ op, values }) => {
      const size = Math.max(...values.map(Math.abs));
      return op === 'Mul' ? size < 0.1 : op !== 'BatchNormalization' && size > 2;
    });
    const ops = scaled.map(({ op }) => op).join(', ');
    return { raw, reason: `pixels ${raw ? '0–255' : '0–1'}: the graph normalises them itself (${ops})` };
  }
  if (stem.gain === null) return null;
  const raw = stem.gain < rawGain;
  const gain = stem.gain.toPrecision(2);
  return raw
    ? {
        raw,
        reason: `pixels 0–255: weights of the first convolution are small (sum of |w| a filter ${gain})`,
      }
    : { raw, reason: `pixels scaled, not 0–255: sum of |w| a filter of the first convolution is ${gain}` };
}
