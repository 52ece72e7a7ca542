/** The features of every loss in the plane, a panel a loss, a colour a digit. */
import type { TopLevelSpec } from 'vega-lite';
import type { FeatureSet } from './verification.ts';

export interface FeatureRow {
  readonly loss: string;
  readonly digit: number;
  readonly x: number;
  readonly y: number;
}

/** Features over the size of the cloud, so that every panel is drawn to its own scale: its 99th percentile is 1. */
export function featureRows(loss: string, { features, labels }: FeatureSet): FeatureRow[] {
  const sizes = Array.from(labels, (_, i) => Math.hypot(features[2 * i]!, features[2 * i + 1]!)).sort(
    (a, b) => a - b,
  );
  const size = sizes[Math.floor(0.99 * (sizes.length - 1))] || 1;
  return Array.from(labels, (digit, i) => ({
    loss,
    digit,
    x: features[2 * i]! / size,
    y: features[2 * i + 1]! / size,
  })).filter(({ x, y }) => Math.abs(x) <= 1.25 && Math.abs(y) <= 1.25);
}

/** Data come under the name `features`; a panel a name, four in a row. */
export function featureSpec(losses: readonly string[]): TopLevelSpec {
  const scale = { domain: [-1.25, 1.25], nice: false };
  const axis = {
    values: [0],
    labels: false,
    ticks: false,
    domain: false,
    gridColor: '#e3e6eb',
    titleFontSize: 10,
    titleFontWeight: 'normal' as const,
    titleColor: '#5b6270',
  };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    config: {
      font: 'Liberation Sans, Helvetica, Arial, sans-serif',
      view: { stroke: '#d5d9e0' },
      legend: { labelFontSize: 12, titleFontSize: 12 },
      title: { fontSize: 13 },
    },
    data: { name: 'features' },
    columns: Math.min(4, losses.length),
    bounds: 'flush',
    spacing: { row: 54, column: 34 },
    concat: losses.map((loss) => ({
      title: loss,
      width: 210,
      height: 210,
      transform: [{ filter: { field: 'loss', equal: loss } }],
      mark: { type: 'circle', size: 6, opacity: 0.65 },
      encoding: {
        x: { field: 'x', type: 'quantitative', title: 'first feature', scale, axis },
        y: { field: 'y', type: 'quantitative', title: 'second feature', scale, axis },
        color: {
          field: 'digit',
          type: 'nominal',
          scale: { scheme: 'tableau10', domain: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
          legend: { symbolSize: 60, symbolOpacity: 1 },
        },
      },
    })),
  };
}
