/** Statistics of an assignment, as tables for the terminal and as charts. */
import type { TargetCounts } from '../targets/index.ts';
import type { BarChart } from './dataset-charts.ts';
import { table } from './table.ts';

const percent = (part: number, whole: number): string =>
  whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;

/** `0`, `1`, `2`, `3–4`, `5–8`, … */
const binName = (bin: number): string => {
  if (bin < 3) return String(bin);
  const most = 2 ** (bin - 1);
  return `${most / 2 + 1}–${most}`;
};

/** Objects by how many priors they got, up to the greatest number there is. */
const usedBins = ({ priorsPerObject }: TargetCounts): readonly number[] =>
  priorsPerObject.slice(0, priorsPerObject.findLastIndex((count) => count > 0) + 1);

/** Tables of what matching made. */
export function targetTables(counts: TargetCounts, categories: readonly string[]): string {
  const head = table(
    ['images', 'objects', 'unmatched', 'positives', 'ignored', 'negatives listed', 'regions', 'without area'],
    [
      [
        counts.images,
        counts.objects,
        `${counts.unmatched} (${percent(counts.unmatched, counts.objects)})`,
        counts.positives,
        counts.ignored,
        counts.listedNegatives,
        counts.regions,
        counts.withoutArea,
      ],
    ],
    0,
  );
  const levels = table(
    ['level', ...counts.positivesByLevel.map((_, level) => String(level))],
    [['positives', ...counts.positivesByLevel]],
  );
  const shown = usedBins(counts);
  const matches = table(
    ['priors an object', ...shown.map((_, bin) => binName(bin))],
    [['objects', ...shown]],
  );
  const classes = counts.objectsByLabel
    .map((objects, label) => ({ label, objects, unmatched: counts.unmatchedByLabel[label] ?? 0 }))
    .filter(({ unmatched }) => unmatched > 0)
    .sort((a, b) => b.unmatched - a.unmatched)
    .slice(0, 10);
  const worst = table(
    ['class', 'objects', 'unmatched', ''],
    classes.map(({ label, objects, unmatched }) => [
      categories[label] ?? String(label),
      objects,
      unmatched,
      percent(unmatched, objects),
    ]),
  );
  return [
    head,
    ...(counts.positivesByLevel.length > 0 ? [levels] : []),
    matches,
    ...(classes.length > 0 ? [worst] : []),
  ].join('\n\n');
}

/** The same as charts. */
export function targetCharts(counts: TargetCounts): BarChart[] {
  return [
    {
      title: 'objects by how many priors they got',
      counted: 'objects',
      labels: usedBins(counts).map((_, bin) => binName(bin)),
      values: usedBins(counts),
    },
    {
      title: 'positives a level',
      counted: 'positives',
      labels: counts.positivesByLevel.map((_, level) => `level ${level}`),
      values: counts.positivesByLevel,
    },
    {
      title: 'positives by similarity',
      counted: 'positives',
      labels: counts.positiveOverlaps.map((_, i) => `${(i / 10).toFixed(1)}–${((i + 1) / 10).toFixed(1)}`),
      values: counts.positiveOverlaps,
    },
  ];
}
