/**
 * The linear assignment problem: pairs of rows and columns of least total cost, each row and column at most once.
 *
 * Shortest augmenting paths (Jonker and Volgenant 1987) in the rectangular form of Crouse, "On implementing 2D
 * rectangular assignment algorithms", IEEE TAES 2016, which scipy uses too: O(rows²·columns), exact. The order in which
 * columns are tried is scipy's, so of several optima the same one comes out.
 */
import type { BoxArray } from '../boxes/types.ts';
import { NumericError, OptionError, ShapeError } from '../errors.ts';

export interface LinearAssignmentOptions {
  /** Find the largest total instead. Default false. */
  readonly maximize?: boolean;
}

export interface LinearAssignment {
  /** Matched rows, ascending; min(rows, columns) of them unless pairs are forbidden. */
  readonly rows: Int32Array<ArrayBuffer>;
  /** Their columns. */
  readonly columns: Int32Array<ArrayBuffer>;
  /** Sum of their costs. */
  readonly total: number;
}

/**
 * Solves an assignment problem: `costs` rows·columns, row-major (scipy `linear_sum_assignment`).
 *
 * A NaN or infinite cost (−Infinity when maximizing) forbids the pair: it is never in the result, and as many pairs as
 * possible are made of the others, where scipy throws (their total is then the least within 1e-13 of the costs' range).
 * Throws {@link NumericError} for a cost of −Infinity (+Infinity
 * when maximizing), {@link ShapeError} for a wrong length.
 *
 * @example
 * linearAssignment(Float64Array.of(4, 1, 3, 2, 0, 5, 3, 2, 2), 3, 3); // columns [1, 0, 2], total 5
 */
export function linearAssignment(
  costs: BoxArray,
  rows: number,
  columns: number,
  { maximize = false }: LinearAssignmentOptions = {},
): LinearAssignment {
  if (!(Number.isInteger(rows) && Number.isInteger(columns) && rows >= 0 && columns >= 0)) {
    throw new OptionError(`expected whole numbers of rows and columns, got ${rows} and ${columns}`, {
      rows,
      columns,
    });
  }
  if (costs.length !== rows * columns) {
    throw new ShapeError(`expected ${rows}·${columns} costs, got ${costs.length}`, {
      expected: rows * columns,
      got: costs.length,
    });
  }
  const transposed = rows > columns;
  const [few, many] = transposed ? [columns, rows] : [rows, columns];
  const matrix = prepare(costs, rows, columns, transposed, maximize);
  const columnOf = solve(matrix, few, many) ?? solve(bounded(matrix, few), few, many)!;
  const pairs: [row: number, column: number][] = [];
  for (let i = 0; i < few; i++) {
    const j = columnOf[i]!;
    if (matrix[i * many + j] === Number.POSITIVE_INFINITY) continue;
    pairs.push(transposed ? [j, i] : [i, j]);
  }
  if (transposed) pairs.sort((a, b) => a[0] - b[0]);
  let total = 0;
  for (const [row, column] of pairs) total += costs[row * columns + column]!;
  return {
    rows: Int32Array.from(pairs, ([row]) => row),
    columns: Int32Array.from(pairs, ([, column]) => column),
    total,
  };
}

/** A matrix with no more rows than columns, to be minimised; forbidden pairs cost Infinity. */
function prepare(
  costs: BoxArray,
  rows: number,
  columns: number,
  transposed: boolean,
  maximize: boolean,
): Float64Array {
  const matrix = new Float64Array(rows * columns);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at++) {
      const cost = maximize ? -costs[at]! : costs[at]!;
      if (cost === Number.NEGATIVE_INFINITY) {
        throw new NumericError(`cost of row ${i} and column ${j} is ${costs[at]}: no pair can be better`, {
          row: i,
          column: j,
        });
      }
      matrix[transposed ? j * rows + i : at] = Number.isNaN(cost) ? Number.POSITIVE_INFINITY : cost;
    }
  }
  return matrix;
}

/**
 * The same matrix where not every row can have a column: costs brought into 0 … 1, and a forbidden pair costs more than
 * all others together, so that there are as few of them as possible.
 */
function bounded(matrix: Float64Array, rows: number): Float64Array {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const cost of matrix) {
    if (cost === Number.POSITIVE_INFINITY) continue;
    if (cost < low) low = cost;
    if (cost > high) high = cost;
  }
  // halves, because the range of the largest numbers is none of them
  const range = high / 2 - low / 2;
  return matrix.map((cost) =>
    cost === Number.POSITIVE_INFINITY ? rows + 1 : range > 0 ? (cost / 2 - low / 2) / range : 0,
  );
}

/** Column of each row, for rows ≤ columns; null where some row can have none (or sums overflow). */
function solve(costs: Float64Array, rows: number, columns: number): Int32Array | null {
  const columnOf = new Int32Array(rows).fill(-1);
  const rowOf = new Int32Array(columns).fill(-1);
  const u = new Float64Array(rows);
  const v = new Float64Array(columns);
  const shortest = new Float64Array(columns);
  const path = new Int32Array(columns);
  const remaining = new Int32Array(columns);
  const rowsSeen = new Uint8Array(rows);
  const columnsSeen = new Uint8Array(columns);
  for (let start = 0; start < rows; start++) {
    // shortest path from the row to a free column
    for (let k = 0; k < columns; k++) remaining[k] = columns - k - 1;
    rowsSeen.fill(0);
    columnsSeen.fill(0);
    shortest.fill(Number.POSITIVE_INFINITY);
    let open = columns;
    let distance = 0;
    let sink = -1;
    for (let i = start; sink < 0; ) {
      rowsSeen[i] = 1;
      let nearest = -1;
      let lowest = Number.POSITIVE_INFINITY;
      const offset = i * columns;
      const ui = u[i]!;
      for (let k = 0; k < open; k++) {
        const j = remaining[k]!;
        const reduced = distance + costs[offset + j]! - ui - v[j]!;
        if (reduced < shortest[j]!) {
          path[j] = i;
          shortest[j] = reduced;
        }
        if (shortest[j]! < lowest || (shortest[j]! === lowest && rowOf[j] === -1)) {
          lowest = shortest[j]!;
          nearest = k;
        }
      }
      if (lowest === Number.POSITIVE_INFINITY) return null;
      distance = lowest;
      const j = remaining[nearest]!;
      columnsSeen[j] = 1;
      remaining[nearest] = remaining[--open]!;
      if (rowOf[j] === -1) sink = j;
      else i = rowOf[j]!;
    }
    u[start]! += distance;
    for (let i = 0; i < rows; i++) {
      if (rowsSeen[i] === 1 && i !== start) u[i]! += distance - shortest[columnOf[i]!]!;
    }
    for (let j = 0; j < columns; j++) if (columnsSeen[j] === 1) v[j]! -= distance - shortest[j]!;
    for (let j = sink; ; ) {
      const i = path[j]!;
      rowOf[j] = i;
      const next = columnOf[i]!;
      columnOf[i] = j;
      if (i === start) break;
      j = next;
    }
  }
  return columnOf;
}
