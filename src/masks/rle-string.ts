/**
 * COCO's compressed form of run lengths.
 *
 * Each run is written as its difference to the run two before (from the fourth on), in groups of five bits, the lowest
 * first, each group one character from '0' on; bit 5 says that more follow, bit 4 of the last carries the sign.
 */
import { DatasetError } from '../errors.ts';
import { checkRle } from './rle.ts';
import type { CocoRle, Rle } from './types.ts';

const firstCharacter = 48;

/** The run itself; throws {@link DatasetError} for what is none. */
function checkRun(run: number, index: number): number {
  if (run >>> 0 === run) return run;
  throw new DatasetError(`expected runs from 0 to 2³²−1, got ${run} as run ${index}`, { value: run });
}

/**
 * pycocotools' compressed string of a mask's runs. Throws {@link DatasetError} for runs that are not whole numbers ≥ 0.
 *
 * @example
 * compressRuns(new Uint32Array([5, 2, 2, 2, 5])); // '52203'
 */
export function compressRuns(counts: ArrayLike<number>): string {
  let text = '';
  for (let i = 0; i < counts.length; i++) {
    let rest = checkRun(counts[i], i) - (i > 2 ? counts[i - 2] : 0);
    for (;;) {
      const group = ((rest % 32) + 32) % 32;
      rest = Math.floor(rest / 32);
      const more = group & 16 ? rest !== -1 : rest !== 0;
      text += String.fromCharCode(firstCharacter + group + (more ? 32 : 0));
      if (!more) break;
    }
  }
  return text;
}

/** The runs a compressed string stands for; throws {@link DatasetError} when it is not such a string. */
export function decompressRuns(text: string): Uint32Array<ArrayBuffer> {
  const counts: number[] = [];
  let at = 0;
  while (at < text.length) {
    let value = 0;
    let unit = 1;
    let group: number;
    do {
      group = text.charCodeAt(at) - firstCharacter;
      if (!(group >= 0 && group < 64) || unit > 2 ** 40) {
        throw new DatasetError(
          at < text.length
            ? `expected a compressed run-length string, got '${text[at]}' at ${at}`
            : 'expected a compressed run-length string, got one that ends inside a run',
          { at },
        );
      }
      value += (group & 31) * unit;
      unit *= 32;
      at++;
    } while (group & 32);
    if (group & 16) value -= unit;
    if (counts.length > 2) value += counts[counts.length - 2];
    counts.push(checkRun(value, counts.length));
  }
  return Uint32Array.from(counts);
}

/** The mask in COCO's JSON form, its runs compressed (pycocotools `encode`). */
export function rleToCoco(mask: Rle): { size: [height: number, width: number]; counts: string } {
  return { size: [mask.size[0], mask.size[1]], counts: compressRuns(mask.counts) };
}

/**
 * A mask from COCO's JSON form, compressed or not.
 *
 * Throws `DatasetError` on runs that cannot be read, `ShapeError` when the runs do not sum to height·width.
 */
export function rleFromCoco(coco: CocoRle): Rle {
  const { size, counts } = coco;
  const mask: Rle = {
    size: [size[0], size[1]],
    counts: typeof counts === 'string' ? decompressRuns(counts) : Uint32Array.from(counts, checkRun),
  };
  checkRle(mask);
  return mask;
}
