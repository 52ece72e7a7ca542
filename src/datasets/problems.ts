/**
 * What is wrong with a dataset, each finding with its place.
 *
 * An error means that the annotations cannot be trusted (nothing is made from them); a warning is something a person
 * should look at, which the readers and the target writer handle in a documented way.
 */
import { DatasetError } from '../errors.ts';

/** Every kind of finding, with its severity. */
export const problemKinds = {
  /** The file ends in the middle. */
  'truncated-file': 'error',
  'malformed-json': 'error',
  'malformed-xml': 'error',
  'malformed-yaml': 'error',
  /** A number that is none: `abc`, NaN, infinity. */
  'malformed-number': 'error',
  /** A line or element without the fields its format has. */
  'malformed-row': 'error',
  'missing-key': 'error',
  'wrong-type': 'error',
  'duplicate-image-id': 'error',
  'duplicate-annotation-id': 'error',
  'duplicate-category-id': 'error',
  'duplicate-category-name': 'error',
  'duplicate-file-name': 'error',
  'unknown-image': 'error',
  'unknown-category': 'error',
  /** Width or height below 0 (xmax < xmin). */
  'negative-size': 'error',
  /** A side of 0: cannot be matched, left out of targets. */
  'zero-area': 'warning',
  /** More than the tolerance beyond the border. */
  'box-outside': 'warning',
  'bad-segmentation': 'error',
  'bad-keypoints': 'error',
  /** `num_keypoints` is not the number of labelled keypoints. */
  'keypoint-count': 'warning',
  'duplicate-annotation': 'warning',
  'missing-image-file': 'error',
  'unreadable-image': 'error',
  'image-size-mismatch': 'error',
  'unknown-image-size': 'error',
  /** A label file without an image. */
  'orphan-label': 'warning',
} as const satisfies Record<string, 'error' | 'warning'>;

export type ProblemCode = keyof typeof problemKinds;

/** Where something is. Lines and columns count from 1, columns in bytes. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** Inside the file: `annotations[3].bbox`, `object[2]/bndbox/xmin`. */
  readonly path?: string;
}

export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly code: ProblemCode;
  readonly message: string;
  readonly place: Place;
}

/** `file:line:column path: message [code]` on one line, the form editors and terminals make a link of. */
export function formatProblem(problem: Problem): string {
  const { file, line, column, path } = problem.place;
  const where = [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined);
  // a message or a key may quote the file, line ends too
  const oneLine = (text: string): string => text.replace(/\s+/g, ' ');
  const place = [where.join(':'), path && oneLine(path)]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
  const severity = problem.severity === 'warning' ? 'warning: ' : '';
  return `${place === '' ? '' : `${place}: `}${severity}${oneLine(problem.message)} [${problem.code}]`;
}

/**
 * Findings in the order they were made. Past `limit` they are only counted, so that a file with millions of mistakes
 * does not fill the memory.
 */
export class ProblemReport {
  readonly problems: Problem[] = [];
  readonly counts = new Map<ProblemCode, number>();
  readonly limit: number;

  constructor(limit = 100_000) {
    this.limit = limit;
  }

  add(code: ProblemCode, message: string, place: Place): void {
    this.counts.set(code, (this.counts.get(code) ?? 0) + 1);
    if (this.problems.length < this.limit) {
      this.problems.push({ severity: problemKinds[code], code, message, place });
    }
  }

  #count(severity: 'error' | 'warning'): number {
    let total = 0;
    for (const [code, count] of this.counts) if (problemKinds[code] === severity) total += count;
    return total;
  }

  get errors(): number {
    return this.#count('error');
  }

  get warnings(): number {
    return this.#count('warning');
  }

  /** Throws {@link DatasetError} with every finding in its message where there is an error. */
  throwOnErrors(what: string): void {
    if (this.errors === 0) return;
    const listed = this.problems.filter(({ severity }) => severity === 'error');
    const rest = this.errors - listed.length;
    const lines = listed.map((problem) => `  ${formatProblem(problem)}`);
    if (rest > 0) lines.push(`  … and ${rest} more`);
    throw new DatasetError(
      `${what}: ${this.errors} ${this.errors === 1 ? 'error' : 'errors'}\n${lines.join('\n')}`,
      {
        errors: this.errors,
        warnings: this.warnings,
        problems: this.problems,
      },
    );
  }
}
