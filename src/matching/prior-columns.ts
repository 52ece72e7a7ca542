/**
 * Priors in the columns that metrics read. For generated anchors they are made once and kept with them; for plain arrays
 * they are filled again for each call, in memory that is reused.
 */
import type { AnchorLevel, Anchors } from '../anchors/types.ts';
import type { BoxArray } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import type { Column } from '../iou/loops.ts';
import { type BoxSurvey, ColumnStore, countBoxes, isNonFinite, surveyBoxes } from '../iou/pack.ts';
import type { ResolvedMetric } from '../iou/resolve.ts';
import { type Shape, shapesOf } from './grid-scan.ts';
import type { Priors } from './types.ts';

export class PriorColumns {
  boxes: BoxArray = new Float32Array(0);
  levels: readonly AnchorLevel[] | null = null;
  count = 0;
  readonly survey: BoxSurvey = { nonFinite: false, extreme: false };
  private readonly store = new ColumnStore();
  private packed: 'none' | 'single' | 'double' = 'none';
  private shapeStore: readonly Shape[] | null | undefined;
  private termStore: readonly Column[] = [];
  private termOwner: ResolvedMetric | null = null;

  read(boxes: BoxArray, levels: readonly AnchorLevel[] | null): void {
    this.count = countBoxes(boxes, 'priors');
    this.boxes = boxes;
    this.levels = levels;
    this.survey.nonFinite = false;
    this.survey.extreme = false;
    surveyBoxes(boxes, this.survey);
    this.packed = 'none';
    this.termOwner = null;
    this.shapeStore = undefined;
  }

  /** Corners in columns of the wanted precision. */
  columns(float32: boolean): ColumnStore {
    const wanted = float32 ? 'single' : 'double';
    if (this.packed !== wanted) {
      this.store.fill(this.boxes, float32);
      this.packed = wanted;
      this.termOwner = null;
    }
    return this.store;
  }

  /** What the metric computes of one box alone, for every prior; after {@link columns}. */
  terms(metric: ResolvedMetric): readonly Column[] {
    if (metric.termCount === 0) return none;
    if (this.termOwner !== metric) {
      const { x1s, y1s, x2s, y2s } = this.store;
      this.termStore = metric.createTerms(x1s, x1s.length);
      metric.fillTerms(x1s, y1s, x2s, y2s, 0, this.count, this.termStore);
      this.termOwner = metric;
    }
    return this.termStore;
  }

  /** The anchor shapes of a regular grid, or null where there is none. */
  shapes(): readonly Shape[] | null {
    if (this.shapeStore === undefined) {
      const regular = this.levels !== null && !this.survey.nonFinite;
      this.shapeStore = regular ? shapesOf(this.boxes, this.levels!) : null;
    }
    return this.shapeStore;
  }

  /** Whether prior j has a coordinate that is NaN or infinite. */
  isNonFinite(j: number): boolean {
    return this.survey.nonFinite && isNonFinite(this.boxes, 4 * j);
  }
}

const none: readonly Column[] = [];
const kept = new WeakMap<Anchors, PriorColumns>();
const scratch = new PriorColumns();

export function isAnchors(priors: Priors): priors is Anchors {
  return !ArrayBuffer.isView(priors) && typeof priors === 'object' && priors !== null && 'levels' in priors;
}

/** Columns of priors; of a plain array valid until the next call. */
export function priorColumns(priors: Priors): PriorColumns {
  if (!isAnchors(priors)) {
    scratch.read(priors, null);
    return scratch;
  }
  let columns = kept.get(priors);
  if (columns === undefined || columns.boxes !== priors.boxes) {
    checkLevels(priors);
    columns = new PriorColumns();
    columns.read(priors.boxes, priors.levels);
    kept.set(priors, columns);
  }
  return columns;
}

/** The corners of priors, whichever way they are given. */
export function priorBoxes(priors: Priors): BoxArray {
  return isAnchors(priors) ? priors.boxes : priors;
}

function checkLevels({ boxes, levels }: Anchors): void {
  let total = 0;
  for (const level of levels) {
    if (level.start !== total || level.count !== level.width * level.height * level.perCell) {
      throw new OptionError('anchors: levels must follow each other, count = width·height·perCell', {
        start: level.start,
        count: level.count,
      });
    }
    total += level.count;
  }
  if (4 * total !== boxes.length) {
    throw new OptionError(`anchors: levels hold ${total} anchors, boxes ${boxes.length / 4}`, {
      expected: total,
      got: boxes.length / 4,
    });
  }
  for (const level of levels) checkPlaces(boxes, level);
}

/** Throws unless every anchor lies within its level's hull, shifted to its cell: what leaves others out relies on it. */
function checkPlaces(
  boxes: Float32Array,
  { hull, pitchX, pitchY, width, height, perCell, start }: AnchorLevel,
): void {
  let j = start;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const left = x * pitchX;
      const top = y * pitchY;
      const slackX = 1e-3 * pitchX + 1e-6 * Math.abs(left + hull[2]);
      const slackY = 1e-3 * pitchY + 1e-6 * Math.abs(top + hull[3]);
      for (let a = 0; a < perCell; a++, j++) {
        if (
          boxes[4 * j]! >= left + hull[0] - slackX &&
          boxes[4 * j + 1]! >= top + hull[1] - slackY &&
          boxes[4 * j + 2]! <= left + hull[2] + slackX &&
          boxes[4 * j + 3]! <= top + hull[3] + slackY
        ) {
          continue;
        }
        throw new OptionError(
          `anchor ${j} is not where its level says: give plain boxes where there is no grid`,
          {
            anchor: j,
            x,
            y,
          },
        );
      }
    }
  }
}
