/** The targets of one image: annotations into the input, matched, sampled, coded. */
import type { Anchors } from '../anchors/index.ts';
import type { Size } from '../boxes/types.ts';
import { ignoredFlags } from '../datasets/types.ts';
import { OptionError, ShapeError } from '../errors.ts';
import {
  type Assignment,
  ignored,
  lastMatch,
  type PairAssignment,
  type SparseAssignment,
} from '../matching/index.ts';
import { type BoxEncoding, boxEncoding } from './coding.ts';
import type { TargetConfig } from './config.ts';
import type { AnnotatedImage } from './image.ts';
import { inputTransform } from './input.ts';
import { Listing, type SampledList, sampledList, sampledPriors } from './listing.ts';
import { type ImagePredictions, type Matching, matching, needsPredictions } from './matching.ts';
import { levelOf, PriorSource } from './priors.ts';
import type { TargetRows } from './rows.ts';
import type { TargetStatistics } from './statistics.ts';

export interface TargetMakerOptions {
  /** Every prior gets a row, not the positive and ignored ones only. Default false. */
  readonly dense?: boolean;
}

/** An image's annotations in the network's input. */
interface Placed {
  readonly input: Size;
  readonly boxes: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
  readonly ids: Float64Array;
  readonly ignore: Float32Array<ArrayBuffer>;
  readonly transform: readonly [number, number, number, number];
}

/** Makes targets by one configuration; keeps priors and scratch memory between images. */
export class TargetMaker {
  readonly config: TargetConfig;
  readonly priors: PriorSource;
  readonly #dense: boolean;
  readonly #match: Matching;
  readonly #encode: BoxEncoding;
  readonly #listing: Listing;
  /** Reused results, by number of priors. */
  readonly #results = new Map<number, Assignment>();

  constructor(config: TargetConfig, options: TargetMakerOptions = {}) {
    this.config = config;
    this.priors = new PriorSource(config.priors);
    this.#dense = options.dense ?? false;
    this.#listing = new Listing(this.#dense);
    this.#match = matching(config, !this.#dense);
    this.#encode = named('coder', () => boxEncoding(config.coder));
  }

  /** Throws what the first image would: options of a part that do not go together. */
  check(input: Size): void {
    const none = new Float32Array(0);
    const priors = named('priors', () => this.priors.of(input));
    const boxes = priors?.boxes ?? none;
    const predictions = needsPredictions(this.config)
      ? { boxes, scores: new Float32Array(boxes.length / 4) }
      : null;
    named('matcher', () =>
      this.#match({ priors, boxes: none, labels: new Int32Array(0), ignore: none, input, predictions }),
    );
  }

  /** Appends the rows of one image and counts them. */
  add(
    image: AnnotatedImage,
    rows: TargetRows,
    statistics: TargetStatistics,
    predictions: ImagePredictions | null = null,
  ): void {
    const placed = this.#place(image, statistics);
    const priors = this.priors.of(placed.input);
    const boxes = priors?.boxes ?? predictions?.boxes ?? new Float32Array(0);
    if (predictions !== null) checkPredictions(predictions, boxes.length / 4, image.fileName);
    const count = boxes.length / 4;
    const matched = this.#match({
      priors,
      boxes: placed.boxes,
      labels: placed.labels,
      ignore: placed.ignore,
      input: placed.input,
      predictions,
      ...this.#reused(count),
    });
    this.#begin(image, placed, rows);
    const from = rows.anchors.length;
    if ('priorIndices' in matched && !this.#dense) {
      const { sampler, seed } = this.config;
      const sampled = sampler.kind === 'random' && 'overlaps' in matched;
      const list = sampled ? sampledList(matched, boxes, placed.boxes, sampler, seed, image.index) : matched;
      this.#addList(list, rows, placed.labels);
    } else {
      const assignment = 'priorIndices' in matched ? lastMatch(matched, count) : matched;
      this.#keep(count, assignment);
      this.#addAssignment(assignment, rows, image.index, placed.labels);
    }
    this.#encodeRows(rows, from, placed, boxes, priors);
    rows.rowOffsets.push(rows.anchors.length);
    statistics.count(rows, from, placed.boxes, priors, placed.labels);
  }

  #reused(count: number): { out?: Assignment } {
    const out = this.#results.get(count);
    return out === undefined ? {} : { out };
  }

  #keep(count: number, assignment: Assignment): void {
    if (assignment.weights === undefined) this.#results.set(count, assignment);
  }

  /** Boxes in the input; those without area or that are not finite are left out and counted. */
  #place(image: AnnotatedImage, statistics: TargetStatistics): Placed {
    const transform = inputTransform(this.config.input, image);
    const { scaleX, scaleY, offsetX, offsetY } = transform;
    const objects: number[] = [];
    const regions: number[] = [];
    const moved = transform.toModel(Float64Array.from(image.boxes));
    for (let i = 0; i < image.labels.length; i++) {
      const width = moved[4 * i + 2]! - moved[4 * i]!;
      const height = moved[4 * i + 3]! - moved[4 * i + 1]!;
      if ((image.flags[i]! & ignoredFlags) !== 0) regions.push(i);
      else if (width > 0 && height > 0 && Number.isFinite(width + height)) objects.push(i);
      else statistics.withoutArea++;
    }
    const ignoring = this.config.regions.mode === 'ignore' ? regions : [];
    statistics.regions += regions.length;
    return {
      input: transform.target,
      boxes: gatherBoxes(moved, objects),
      labels: Int32Array.from(objects, (i) => image.labels[i]!),
      ids: Float64Array.from(objects, (i) => image.ids[i]!),
      ignore: gatherBoxes(moved, ignoring),
      transform: [scaleX, scaleY, offsetX, offsetY],
    };
  }

  #begin(image: AnnotatedImage, placed: Placed, rows: TargetRows): void {
    rows.imageIds.push(image.id);
    rows.fileNames.push(image.fileName);
    rows.imageSizes.append([image.width, image.height]);
    rows.inputSizes.append([placed.input.width, placed.input.height]);
    rows.transforms.append(placed.transform);
    rows.gtIds.append(placed.ids);
    rows.gtLabels.append(placed.labels);
    rows.gtBoxes.append(placed.boxes);
    rows.ignoreBoxes.append(placed.ignore);
    rows.gtOffsets.push(rows.gtIds.length);
    rows.ignoreOffsets.push(rows.ignoreBoxes.length / 4);
  }

  /** What the matcher lists, in its order: of pairs, a prior may stand several times. */
  #addList(
    list: PairAssignment | SparseAssignment | SampledList,
    rows: TargetRows,
    labels: Int32Array,
  ): void {
    const { priorIndices, gtIndices } = list;
    const count = priorIndices.length;
    rows.anchors.append(priorIndices);
    rows.gtIndices.append(gtIndices);
    if ('overlaps' in list) rows.overlaps.append(list.overlaps);
    else rows.overlaps.extend(count).fill(1);
    const classes = rows.labels.extend(count);
    const shares = rows.weights.extend(count);
    for (let i = 0; i < count; i++) {
      const gt = gtIndices[i]!;
      classes[i] = gt >= 0 ? labels[gt]! : gt;
      shares[i] = gt === ignored ? 0 : 1;
    }
    if ('weights' in list) shares.set(list.weights);
  }

  /** Positive and ignored priors (and sampled negatives), ascending; every prior when dense. */
  #addAssignment(assignment: Assignment, rows: TargetRows, index: number, labels: Int32Array): void {
    const { gtIndices, overlaps, weights } = assignment;
    const { sampler, seed } = this.config;
    const sampled = sampler.kind === 'none' ? null : sampledPriors(assignment, sampler, seed, index);
    const listed = this.#listing.of(gtIndices, sampled);
    const count = listed.length;
    rows.anchors.append(listed);
    const gts = rows.gtIndices.extend(count);
    const classes = rows.labels.extend(count);
    const similarities = rows.overlaps.extend(count);
    const shares = rows.weights.extend(count);
    for (let i = 0; i < count; i++) {
      const j = listed[i]!;
      const gt = gtIndices[j]!;
      gts[i] = gt;
      classes[i] = gt >= 0 ? labels[gt]! : gt;
      similarities[i] = overlaps[j]!;
      const counts = gt !== ignored && (sampled === null || sampled[j] === 1);
      shares[i] = !counts ? 0 : gt >= 0 && weights !== undefined ? weights[j]! : 1;
    }
  }

  /** Box targets of the rows from `from` on; zeros where nothing is matched. */
  #encodeRows(
    rows: TargetRows,
    from: number,
    placed: Placed,
    priorBoxes: Float32Array<ArrayBuffer>,
    priors: Anchors | null,
  ): void {
    const count = rows.anchors.length - from;
    const gts = rows.gtIndices.from(from);
    const anchors = rows.anchors.from(from);
    let positives = 0;
    for (let i = 0; i < count; i++) if (gts[i]! >= 0) positives++;
    const boxes = new Float32Array(4 * positives);
    const own = new Float32Array(4 * positives);
    const strides = new Float32Array(positives);
    let at = 0;
    for (let i = 0; i < count; i++) {
      const gt = gts[i]!;
      if (gt < 0) continue;
      const anchor = anchors[i]!;
      for (let k = 0; k < 4; k++) {
        boxes[4 * at + k] = placed.boxes[4 * gt + k]!;
        own[4 * at + k] = priorBoxes[4 * anchor + k]!;
      }
      strides[at++] = priors === null ? 1 : strideOf(priors, anchor);
    }
    const encoded = new Float32Array(4 * positives);
    this.#encode({ boxes, priors: own, strides, input: placed.input }, encoded);
    const targets = rows.boxTargets.extend(4 * count).fill(0);
    at = 0;
    for (let i = 0; i < count; i++) {
      if (gts[i]! < 0) continue;
      for (let k = 0; k < 4; k++) targets[4 * i + k] = encoded[at++]!;
    }
  }
}

/** Names the part of the configuration whose options are wrong. */
function named<T>(part: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new OptionError(`${part}: ${error.message}`, error.details, { cause: error });
  }
}

function gatherBoxes(boxes: Float64Array, order: readonly number[]): Float32Array<ArrayBuffer> {
  const out = new Float32Array(4 * order.length);
  for (let i = 0; i < order.length; i++) {
    out.set(boxes.subarray(4 * order[i]!, 4 * order[i]! + 4), 4 * i);
  }
  return out;
}

const strideOf = (priors: Anchors, anchor: number): number => priors.levels[levelOf(priors, anchor)]!.stride;

function checkPredictions({ boxes, scores }: ImagePredictions, priors: number, name: string): void {
  if (boxes.length !== 4 * priors || (priors > 0 && scores.length % priors !== 0)) {
    throw new ShapeError(
      `the predictions of ${name} have ${boxes.length / 4} boxes and ${scores.length} scores; the priors are ${priors}`,
      { fileName: name, priors, boxes: boxes.length / 4, scores: scores.length },
    );
  }
}
