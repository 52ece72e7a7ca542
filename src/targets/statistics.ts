/** What matching made of a dataset: counts that add up over shards, so that any split of the work gives the same. */
import type { Anchors } from '../anchors/index.ts';
import { levelOf } from './priors.ts';
import type { TargetRows } from './rows.ts';

/** Objects by how many priors they got: 0, 1, 2, 3–4, 5–8, … */
const matchBins = 12;
/** Overlap of positives, tenths. */
const overlapBins = 10;

/** Counts of one shard or of everything; plain numbers. */
export interface TargetCounts {
  readonly images: number;
  readonly objects: number;
  /** Objects no prior was matched with. */
  readonly unmatched: number;
  readonly unmatchedByLabel: readonly number[];
  readonly objectsByLabel: readonly number[];
  readonly rows: number;
  readonly positives: number;
  readonly ignored: number;
  /** Negatives that are listed: sampled ones, or all when dense. */
  readonly listedNegatives: number;
  readonly positivesByLevel: readonly number[];
  /** Objects that got 0, 1, 2, 3–4, 5–8, 9–16, … priors. */
  readonly priorsPerObject: readonly number[];
  /** Positives of overlap 0–0.1, 0.1–0.2, … */
  readonly positiveOverlaps: readonly number[];
  /** Annotations without area, left out. */
  readonly withoutArea: number;
  /** Crowd regions and difficult objects. */
  readonly regions: number;
}

const raise = (counts: number[], index: number, by = 1): void => {
  while (counts.length <= index) counts.push(0);
  counts[index]! += by;
};

const binOfMatches = (count: number): number =>
  count === 0 ? 0 : Math.min(matchBins - 1, 1 + Math.ceil(Math.log2(count)));

/** Counts that grow image by image; `counts()` gives them as plain numbers. */
export class TargetStatistics {
  images = 0;
  objects = 0;
  unmatched = 0;
  readonly unmatchedByLabel: number[] = [];
  readonly objectsByLabel: number[] = [];
  rows = 0;
  positives = 0;
  ignored = 0;
  listedNegatives = 0;
  readonly positivesByLevel: number[] = [];
  readonly priorsPerObject: number[] = new Array(matchBins).fill(0);
  readonly positiveOverlaps: number[] = new Array(overlapBins).fill(0);
  withoutArea = 0;
  regions = 0;

  /** Counts the rows of one image from `from` on. */
  count(
    rows: TargetRows,
    from: number,
    boxes: Float32Array,
    priors: Anchors | null,
    labels: Int32Array,
  ): void {
    const objects = boxes.length / 4;
    const matches = new Int32Array(objects);
    this.images++;
    this.objects += objects;
    this.rows += rows.anchors.length - from;
    const [gts, anchors, overlaps] = [
      rows.gtIndices.from(from),
      rows.anchors.from(from),
      rows.overlaps.from(from),
    ];
    for (let i = 0; i < gts.length; i++) {
      const gt = gts[i]!;
      if (gt === -1) this.listedNegatives++;
      else if (gt < 0) this.ignored++;
      else {
        this.positives++;
        matches[gt]!++;
        if (priors !== null) raise(this.positivesByLevel, levelOf(priors, anchors[i]!));
        const overlap = Math.floor(overlaps[i]! * overlapBins);
        raise(this.positiveOverlaps, Math.min(overlapBins - 1, Math.max(0, overlap)));
      }
    }
    for (let g = 0; g < objects; g++) {
      raise(this.objectsByLabel, labels[g]!);
      raise(this.priorsPerObject, binOfMatches(matches[g]!));
      if (matches[g] === 0) {
        this.unmatched++;
        raise(this.unmatchedByLabel, labels[g]!);
      }
    }
  }

  /** Adds the counts of another part. */
  merge(other: TargetCounts): void {
    for (const [key, value] of Object.entries(other) as [keyof TargetCounts, number | readonly number[]][]) {
      if (typeof value === 'number') (this as unknown as Record<string, number>)[key]! += value;
      else for (const [i, count] of value.entries()) raise(this[key] as number[], i, count);
    }
  }

  counts(): TargetCounts {
    return { ...this };
  }
}
