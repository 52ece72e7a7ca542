/** Outputs of a model grouped by the level of the feature pyramid they belong to. */
import { findGrids } from '../grids.ts';
import { type Facts, inputSize, type OutputFacts } from './facts.ts';

export interface LevelOutput extends OutputFacts {
  readonly columns: number;
}

export interface LevelFacts {
  readonly stride: number;
  readonly outputs: readonly LevelOutput[];
}

/** Levels, ascending by stride; empty where the input size is open or no output is a grid of it. */
export function levelsOf(
  facts: Facts,
  perCell = 1,
  strides: readonly number[] = [4, 8, 16, 32, 64, 128],
): LevelFacts[] {
  const size = inputSize(facts);
  if (size === null) return [];
  const levels = new Map<number, LevelOutput[]>();
  // an open batch is one picture
  const list = facts.outputs.map(({ dims }) => dims.map((dim, i) => dim ?? (i === 0 ? 1 : -1)));
  for (const [i, grid] of findGrids(list, size, perCell, strides).entries()) {
    if (grid === null) continue;
    const output = facts.outputs[i]!;
    const level = levels.get(grid.stride);
    const entry = { ...output, columns: grid.columns };
    if (level === undefined) levels.set(grid.stride, [entry]);
    else level.push(entry);
  }
  return [...levels].map(([stride, outputs]) => ({ stride, outputs })).sort((a, b) => a.stride - b.stride);
}

/** Whether every level has outputs of the same columns, and together they are all outputs of the model. */
export function sameEverywhere(facts: Facts, levels: readonly LevelFacts[]): boolean {
  const key = ({ outputs }: LevelFacts) => outputs.map(({ columns }) => columns).join();
  const total = levels.reduce((sum, { outputs }) => sum + outputs.length, 0);
  return total === facts.outputs.length && levels.every((level) => key(level) === key(levels[0]!));
}

/** Strides for a sentence. */
export function strideList(levels: readonly LevelFacts[]): string {
  return levels.map(({ stride }) => stride).join(', ');
}
