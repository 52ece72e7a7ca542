/** Max-IoU matching that lists the priors it did not make background, and on regular grids looks at few others. */
import type { BoxArray } from '../boxes/types.ts';
import { isNonFinite } from '../iou/pack.ts';
import { ignoredPriors } from './ignore-regions.ts';
import { type MaxIouOptions, maxIouMatcher, rulesOf } from './max-iou.ts';
import { matchMetric, PairSimilarities } from './overlap-scan.ts';
import { priorColumns } from './prior-columns.ts';
import { countGroundTruths } from './results.ts';
import { SparseScan } from './sparse-scan.ts';
import { type Assignment, background, ignored, type Priors, type SparseAssignment } from './types.ts';

const { fround } = Math;
const scan = new SparseScan();
const pairs = new PairSimilarities();
/** The last result of all priors, used again. */
let whole: Assignment | undefined;

/**
 * {@link maxIouMatcher}, as a list of the priors that are positive or ignored: what training targets store.
 *
 * `priors` N, `groundTruthBoxes` 4·G corners. Equal to the dense result, entry by entry. On the anchors of a generator, by
 * the plain IoU in float32, without ignored regions and with one threshold above 0 for the background, the work goes with
 * the length of the list; in all other cases it is that of {@link maxIouMatcher}. `out` is not used. Throws what that
 * throws.
 *
 * @example
 * const anchors = torchvisionAnchors({ image: { width: 64, height: 64 }, strides: [16], sizes: [[16]], aspectRatios: [1] });
 * sparseMaxIouMatcher(anchors, Float32Array.of(8, 8, 24, 24)).priorIndices; // [5]
 */
export function sparseMaxIouMatcher(
  priors: Priors,
  groundTruthBoxes: BoxArray,
  options: MaxIouOptions = {},
): SparseAssignment {
  const rules = rulesOf(options);
  const gts = countGroundTruths(groundTruthBoxes, options);
  const columns = priorColumns(priors);
  pairs.prepare(columns, groundTruthBoxes, matchMetric(options));
  const shapes = pairs.plain ? columns.shapes() : null;
  const threshold = fround(rules.high);
  const everywhere = !(rules.low <= 0 && threshold > 0) || ignoredPriors(columns, gts, options) !== null;
  if (shapes === null || everywhere) return listOf(priors, columns.count, groundTruthBoxes, options);

  const { lowQuality, assignAll } = rules;
  const minimum = fround(rules.minimumPositive);
  scan.reset(columns.count);
  for (let g = 0; g < gts; g++) {
    if (isNonFinite(groundTruthBoxes, 4 * g)) continue;
    scan.run(shapes, groundTruthBoxes, g, threshold, lowQuality !== 'none');
    if (lowQuality === 'none' || (lowQuality === 'selecting' && !(scan.highest >= minimum))) continue;
    const count = lowQuality === 'selecting' && !assignAll ? Math.min(1, scan.tied) : scan.tied;
    for (let t = 0; t < count; t++) {
      const j = scan.ties[t]!;
      scan.keep(j);
      scan.selected[j] = g;
    }
  }
  return gather(fround(rules.positiveThreshold), lowQuality === 'own-best', gts, options);
}

/** What the scan found, ascending. */
function gather(positive: number, own: boolean, gts: number, options: MaxIouOptions): SparseAssignment {
  const { best, bestGt, selected } = scan;
  const priorIndices = scan.found.slice(0, scan.count).sort();
  const gtIndices = new Int32Array(priorIndices.length);
  const overlaps = new Float32Array(priorIndices.length);
  for (let i = 0; i < priorIndices.length; i++) {
    const j = priorIndices[i]!;
    // selected below the threshold: who is most similar to it was of no interest so far
    if (bestGt[j] === -1) bestOf(j, gts);
    overlaps[i] = best[j]!;
    if (selected[j] === -1) gtIndices[i] = best[j]! >= positive ? bestGt[j]! : ignored;
    else gtIndices[i] = own ? bestGt[j]! : selected[j]!;
  }
  return labelled({ priorIndices, gtIndices, overlaps }, options);
}

/** Finds the ground truth that is most similar to prior j, among all. */
function bestOf(j: number, gts: number): void {
  for (let g = 0; g < gts; g++) {
    const value = pairs.pair(g, j);
    if (!(value > scan.best[j]!)) continue;
    scan.best[j] = value;
    scan.bestGt[j] = g;
  }
}

/** The result of all priors, then what of it is not background. */
function listOf(priors: Priors, count: number, boxes: BoxArray, options: MaxIouOptions): SparseAssignment {
  const { groundTruthClasses: _, out: __, ...rest } = options;
  const reused = whole?.gtIndices.length === count ? { out: whole } : {};
  whole = maxIouMatcher(priors, boxes, { ...rest, ...reused });
  const { gtIndices: gts, overlaps: values } = whole;
  let found = 0;
  for (let j = 0; j < count; j++) if (gts[j] !== background) found++;
  const priorIndices = new Int32Array(found);
  const gtIndices = new Int32Array(found);
  const overlaps = new Float32Array(found);
  for (let j = 0, i = 0; i < found; j++) {
    if (gts[j] === background) continue;
    priorIndices[i] = j;
    gtIndices[i] = gts[j]!;
    overlaps[i++] = values[j]!;
  }
  return labelled({ priorIndices, gtIndices, overlaps }, options);
}

function labelled(assignment: SparseAssignment, { groundTruthClasses }: MaxIouOptions): SparseAssignment {
  if (groundTruthClasses === undefined) return assignment;
  const labels = assignment.gtIndices.map((gt) => (gt >= 0 ? groundTruthClasses[gt]! : gt));
  return { ...assignment, labels };
}
