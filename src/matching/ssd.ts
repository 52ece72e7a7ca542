/** SSD's matching: every ground truth gets its best prior, and every prior above a threshold its best ground truth. */
import type { BoxArray } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import { checkNumber, choiceOption } from '../options.ts';
import { ignoredPriors } from './ignore-regions.ts';
import { inPrecision, type OverlapScan, overlapScan } from './overlap-scan.ts';
import { type PriorColumns, priorColumns } from './prior-columns.ts';
import { assignmentFor, countGroundTruths, finish, ignoreUnmatched } from './results.ts';
import { type Assignment, ignored, type MatchOptions, type MetricOptions, type Priors } from './types.ts';

export interface SsdMatchOptions extends MatchOptions, MetricOptions {
  /** Similarity ≥ this is a match. Default 0.5. */
  readonly threshold?: number;
  /** Between this and `threshold` a prior is ignored (YOLACT: 0.4). Default: the threshold. */
  readonly negativeThreshold?: number;
  /**
   * How ground truths take their best priors: one after the other, the later one winning a prior that two want
   * (`'sequential'`: torchvision, ssd.pytorch, RetinaFace), or the most similar pair first and each prior once
   * (`'global'`: YOLACT; a bipartite matching, greedy). Default `'sequential'`.
   */
  readonly bipartite?: 'sequential' | 'global';
  /** A ground truth takes a prior only from this similarity on (RetinaFace 0.2). Default: however low. */
  readonly minimumForced?: number;
}

/**
 * SSD's bipartite and per-prediction matching. `priors` N, `groundTruthBoxes` 4·G corners → one entry a prior.
 *
 * Over ignored regions only background is turned into ignored; a match stays (YOLACT's crowds). A ground truth that no
 * prior overlaps takes none. Ties: the lower prior, the lower ground truth.
 *
 * Sources: Liu et al., "SSD", ECCV 2016, section 2.2; torchvision `SSDMatcher`; ssd.pytorch and RetinaFace `match`;
 * YOLACT `match`.
 */
export function ssdMatcher(
  priors: Priors,
  groundTruthBoxes: BoxArray,
  options: SsdMatchOptions = {},
): Assignment {
  const { threshold = 0.5, bipartite = 'sequential', minimumForced = Number.NEGATIVE_INFINITY } = options;
  const { negativeThreshold = threshold } = options;
  checkNumber('threshold', threshold, Number.NEGATIVE_INFINITY);
  if (!(negativeThreshold <= threshold)) {
    throw new OptionError(
      `expected negativeThreshold ≤ threshold, got ${negativeThreshold} and ${threshold}`,
    );
  }
  choiceOption('bipartite', bipartite, ['sequential', 'global']);
  const gts = countGroundTruths(groundTruthBoxes, options);
  const columns = priorColumns(priors);
  const { count } = columns;
  const result = assignmentFor(count, options);
  const { gtIndices, overlaps } = result;
  const scan = overlapScan;
  scan.run(columns, groundTruthBoxes, options, null, negativeThreshold, true);
  const { best, bestGt, gtBest, ties, tieStart, float32 } = scan;
  const positive = inPrecision(float32, threshold);
  const negative = inPrecision(float32, negativeThreshold);
  for (let j = 0; j < count; j++) {
    const gt = bestGt[j]!;
    if (gt < 0) continue;
    const value = best[j]!;
    overlaps[j] = value > 0 ? value : 0;
    if (value >= positive) gtIndices[j] = gt;
    else if (value >= negative) gtIndices[j] = ignored;
  }
  const least = inPrecision(float32, minimumForced);
  if (bipartite === 'global') forceGlobally(scan, columns, gts, least, gtIndices);
  else {
    for (let g = 0; g < gts; g++) {
      if (tieStart[g] === tieStart[g + 1]) continue;
      const prior = ties[tieStart[g]!]!;
      // RetinaFace renames a prior that is positive already even where the ground truth itself is too far off
      if (gtBest[g]! >= least || gtIndices[prior]! >= 0) gtIndices[prior] = g;
    }
  }
  ignoreUnmatched(gtIndices, ignoredPriors(columns, gts, options));
  return finish(result, options);
}

/** The most similar pair first; then both are taken. A ground truth whose best prior is taken looks for its next best. */
function forceGlobally(
  scan: OverlapScan,
  columns: PriorColumns,
  gts: number,
  least: number,
  gtIndices: Int32Array,
): void {
  const value = new Float64Array(gts);
  const prior = new Int32Array(gts).fill(-1);
  for (let g = 0; g < gts; g++) {
    value[g] = scan.gtBest[g]!;
    if (scan.tieStart[g]! < scan.tieStart[g + 1]!) prior[g] = scan.ties[scan.tieStart[g]!]!;
  }
  const taken = new Set<number>();
  for (let round = 0; round < gts; round++) {
    let first = -1;
    for (let g = 0; g < gts; g++) if (prior[g]! >= 0 && (first < 0 || value[g]! > value[first]!)) first = g;
    if (first < 0 || !(value[first]! >= least)) return;
    const chosen = prior[first]!;
    gtIndices[chosen] = first;
    taken.add(chosen);
    prior[first] = -1;
    for (let g = 0; g < gts; g++) if (prior[g] === chosen) nextBest(scan, columns, g, taken, value, prior);
  }
}

function nextBest(
  scan: OverlapScan,
  { count }: PriorColumns,
  g: number,
  taken: ReadonlySet<number>,
  value: Float64Array,
  prior: Int32Array,
): void {
  const values = scan.pairs.run(g, 0, count);
  prior[g] = -1;
  value[g] = Math.max(scan.floor, -1e308);
  for (let j = 0; j < count; j++) {
    if (values[j]! > value[g]! && !taken.has(j)) {
      value[g] = values[j]!;
      prior[g] = j;
    }
  }
}
