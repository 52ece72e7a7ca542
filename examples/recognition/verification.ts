/**
 * Verification as in face recognition: are two digits the same? Pairs of images the network never saw, half of them of
 * one class, told apart by a threshold that pairs of training images gave.
 */
import { Random } from '../../models/digits/synthesis/random.ts';
import { dimensions, type Objective } from './objectives.ts';

interface Pairs {
  /** Indices of the two, one pair after another. */
  readonly indices: Int32Array;
  readonly same: Uint8Array;
}

function drawPairs(labels: Int32Array, count: number, seed: number): Pairs {
  const random = new Random(seed);
  const indices = new Int32Array(2 * count);
  const same = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    same[i] = i % 2;
    const first = random.integer([0, labels.length - 1]);
    let second = first;
    while (second === first || (labels[second] === labels[first]) !== (same[i] === 1)) {
      second = random.integer([0, labels.length - 1]);
    }
    indices[2 * i] = first;
    indices[2 * i + 1] = second;
  }
  return { indices, same };
}

function similarities(
  features: Float32Array,
  { indices, same }: Pairs,
  compare: Objective['compare'],
): Float64Array {
  return Float64Array.from(same, (_, i) => {
    let dot = 0;
    let a2 = 0;
    let b2 = 0;
    let squares = 0;
    for (let k = 0; k < dimensions; k++) {
      const a = features[indices[2 * i]! * dimensions + k]!;
      const b = features[indices[2 * i + 1]! * dimensions + k]!;
      dot += a * b;
      a2 += a * a;
      b2 += b * b;
      squares += (a - b) ** 2;
    }
    return compare === 'angle' ? dot / Math.max(Math.sqrt(a2 * b2), 1e-12) : -Math.sqrt(squares);
  });
}

/** The threshold that tells the most pairs right. */
function bestThreshold(values: Float64Array, same: Uint8Array): number {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[b]! - values[a]!);
  let right = same.reduce((count, value) => count + (1 - value), 0);
  let best = right;
  let threshold = Number.POSITIVE_INFINITY;
  order.forEach((index, i) => {
    right += same[index] === 1 ? 1 : -1;
    const next = order[i + 1];
    if (right > best && (next === undefined || values[next]! < values[index]!)) {
      best = right;
      threshold = next === undefined ? values[index]! : (values[index]! + values[next]!) / 2;
    }
  });
  return threshold;
}

export interface FeatureSet {
  readonly features: Float32Array;
  readonly labels: Int32Array;
}

/** Share of `count` pairs of `tested` told right, the threshold chosen on as many pairs of `known`. */
export function verificationAccuracy(
  known: FeatureSet,
  tested: FeatureSet,
  compare: Objective['compare'],
  count = 6000,
): number {
  const choosing = drawPairs(known.labels, count, 11);
  const threshold = bestThreshold(similarities(known.features, choosing, compare), choosing.same);
  const asked = drawPairs(tested.labels, count, 12);
  const values = similarities(tested.features, asked, compare);
  return (
    asked.same.reduce((right, same, i) => right + (values[i]! > threshold === (same === 1) ? 1 : 0), 0) /
    count
  );
}

/** Share of `tested` whose nearest class mean (of `known`, by angle or distance) is its own class's. */
export function nearestMeanAccuracy(
  known: FeatureSet,
  tested: FeatureSet,
  compare: Objective['compare'],
  classes: number,
): number {
  const unit = ({ features }: FeatureSet, i: number): [number, number] => {
    const x = features[2 * i]!;
    const y = features[2 * i + 1]!;
    const length = compare === 'angle' ? Math.max(Math.hypot(x, y), 1e-12) : 1;
    return [x / length, y / length];
  };
  const means = new Float64Array(2 * classes);
  const members = new Int32Array(classes);
  known.labels.forEach((label, i) => {
    const [x, y] = unit(known, i);
    means[2 * label]! += x;
    means[2 * label + 1]! += y;
    members[label]!++;
  });
  let right = 0;
  tested.labels.forEach((label, i) => {
    const [x, y] = unit(tested, i);
    let nearest = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let c = 0; c < classes; c++) {
      const distance = Math.hypot(x - means[2 * c]! / members[c]!, y - means[2 * c + 1]! / members[c]!);
      if (distance < least) {
        least = distance;
        nearest = c;
      }
    }
    if (nearest === label) right++;
  });
  return right / tested.labels.length;
}
