/**
 * Options of a detector as callers without types give them: a name that is misspelt, or a text where a number is
 * expected, is an {@link OptionError} and not a default in silence.
 */
import { checkSize } from '../boxes/check.ts';
import { OptionError } from '../errors.ts';
import { checkOptionKinds, choiceOption, type OptionKinds } from '../options.ts';
import type { PostprocessOptions } from './standalone.ts';
import type { TiledOptions } from './tiled/detect-tiled.ts';
import type { DetectNms, DetectOptions, Detector, DetectorOptions, Preprocessing } from './types.ts';

const detectKinds: OptionKinds<DetectOptions> = {
  scoreThreshold: 'number',
  nms: 'any',
  preset: 'any',
  masks: 'boolean',
  classes: 'any',
  multiLabel: 'boolean',
  clip: 'boolean',
  signal: 'signal',
  transfer: 'boolean',
};

const nmsKinds: OptionKinds<DetectNms> = {
  metric: 'any',
  iouThreshold: 'any',
  comparator: 'any',
  scope: 'any',
  maxCandidates: 'any',
  maxDetections: 'any',
  pixelOffset: 'any',
  preset: 'any',
  rotated: 'any',
};

const preprocessingKinds: OptionKinds<Preprocessing> = {
  size: 'object',
  fit: 'any',
  padValue: 'any',
  channelOrder: 'any',
  mean: 'any',
  std: 'any',
  layout: 'any',
  antialias: 'any',
};

const { signal: _, transfer: __, ...runKinds } = detectKinds;

const postprocessKinds: OptionKinds<PostprocessOptions> = {
  head: 'any',
  input: 'object',
  transform: 'object',
  headOptions: 'object',
  classNames: 'object',
  image: 'number',
  ...runKinds,
};

const tiledKinds: OptionKinds<TiledOptions> = {
  tile: 'any',
  overlap: 'number',
  wholeImage: 'boolean',
  batch: 'any',
  onProgress: 'function',
  merge: 'any',
  mergeMetric: 'any',
  mergeThreshold: 'number',
  mergeScope: 'any',
  maxDetections: 'any',
  signal: 'signal',
  ...runKinds,
};

const detectorKinds: OptionKinds<DetectorOptions> = {
  model: 'any',
  worker: 'any',
  readyTimeout: 'number',
  head: 'any',
  preprocessing: 'object',
  classNames: 'object',
  executionProviders: 'any',
  wasmPaths: 'any',
  runtimeUrl: 'any',
  threads: 'any',
  ...runKinds,
  postprocessing: 'any',
  warmUp: 'boolean',
  cache: 'string',
  onProgress: 'function',
  signal: 'signal',
};

/** Checks the names and kinds of the options of one `detect` call. */
export function checkDetectOptions(options: DetectOptions): void {
  checkOptionKinds('options of detect', options, detectKinds);
  checkNms(options.nms);
}

/** Checks that there is a detector, and the names and kinds of the options of `detectTiled`. */
export function checkTiledOptions(detector: Detector, options: TiledOptions): void {
  if (typeof detector?.detect !== 'function') {
    throw new OptionError(`detector: expected an object with a method detect, got ${detector}`);
  }
  checkOptionKinds('options of detectTiled', options, tiledKinds);
  checkNms(options.nms);
}

/** Checks the names and kinds of the options of `postprocess`. */
export function checkPostprocessOptions(options: PostprocessOptions): void {
  checkOptionKinds('options of postprocess', options, postprocessKinds);
  checkNms(options.nms);
  checkSize('input', options.input ?? {});
}

/** Checks the names and kinds of the options of `createDetector`; their values are checked where they are used. */
export function checkDetectorOptions(options: DetectorOptions): void {
  checkOptionKinds('options of createDetector', options, detectorKinds);
  checkNms(options.nms);
  const { classNames, preprocessing, wasmPaths } = options;
  if (preprocessing !== undefined) checkOptionKinds('preprocessing', preprocessing, preprocessingKinds);
  if (typeof wasmPaths !== 'string' && wasmPaths !== undefined) {
    checkOptionKinds('wasmPaths', wasmPaths, { wasm: 'any', mjs: 'any' });
  }
  if (classNames === undefined) return;
  if (!Array.isArray(classNames) || classNames.some((name) => typeof name !== 'string')) {
    throw new OptionError('classNames: expected an array of texts, one a class', { classNames });
  }
}

function checkNms(nms: DetectOptions['nms']): void {
  if (nms === undefined || nms === false) return;
  checkOptionKinds('nms', nms, nmsKinds);
  choiceOption('nms.rotated', nms.rotated, ['polygon', 'probiou']);
}
