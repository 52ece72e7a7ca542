/**
 * The two pictures as Vega-Lite specifications, for the command line and the page alike.
 *
 * Vega-Lite draws without a DOM in Node and with live data in a page from one description; it is maintained by the group
 * that made it, typed and under the BSD licence.
 */
import type { TopLevelSpec } from 'vega-lite';
import { casesPerPoint } from '../simulation/cases.ts';
import { lossTitle } from '../simulation/metrics.ts';

/** Mean error of a case after an iteration. */
export interface CurveRow {
  readonly loss: string;
  readonly iteration: number;
  readonly error: number;
}

/** Mean final error of the cases of a point. */
export interface PointRow {
  readonly loss: string;
  readonly x: number;
  readonly y: number;
  readonly error: number;
}

const config = {
  font: 'Liberation Sans, Helvetica, Arial, sans-serif',
  background: 'white',
  axis: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: 'normal', gridColor: '#e6e6e6' },
  legend: { labelFontSize: 12, titleFontSize: 12 },
  view: { stroke: null },
} as const;

const palette = ['#4269d0', '#efb118', '#d6453d', '#2f9e6e', '#8c5fc4', '#9c6b4e', '#e377a2', '#5f6b73'];

/** Readable steps of a logarithmic scale over three decades. */
const errorTicks = [0.001, 0.01, 0.1].flatMap((d) =>
  [10, 12, 15, 20, 25, 30, 40, 50, 60, 80].map((n) => n * d),
);

/** Error over the iterations, a line a loss; data come under the name `curve`. */
export function curveSpec(losses: readonly string[], iterations: number, width = 560): TopLevelSpec {
  const titles = losses.map(lossTitle);
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    width,
    height: 340,
    config,
    data: { name: 'curve' },
    mark: { type: 'line', strokeWidth: 2, interpolate: 'linear' },
    encoding: {
      x: {
        field: 'iteration',
        type: 'quantitative',
        title: 'iteration',
        scale: { domain: [0, iterations], nice: false },
      },
      y: {
        field: 'error',
        type: 'quantitative',
        title: 'mean error of a case, log scale',
        scale: { type: 'log', nice: false },
        axis: { format: '~g', values: errorTicks },
      },
      color: {
        field: 'loss',
        type: 'nominal',
        title: null,
        sort: titles,
        scale: { domain: titles, range: titles.map((_, i) => palette[i % palette.length]!) },
        legend: { orient: 'top', symbolStrokeWidth: 3 },
      },
    },
  };
}

/** Where the errors are left: a dot a point, a panel a loss, one colour scale; data come under the name `points`. */
export function mapSpec(losses: readonly string[], points: number, size = 210): TopLevelSpec {
  const place = { domain: [7, 13], nice: false };
  const axis = { tickCount: 4 } as const;
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    config,
    data: { name: 'points' },
    columns: Math.min(4, losses.length),
    facet: {
      field: 'loss',
      type: 'nominal',
      title: null,
      sort: losses.map(lossTitle),
      header: { labelFontSize: 13, labelFontWeight: 'bold' },
    },
    spec: {
      width: size,
      height: size,
      mark: { type: 'circle', size: Math.max(7, 3000 / points), opacity: 1 },
      encoding: {
        x: { field: 'x', type: 'quantitative', title: 'x of the first box', scale: place, axis },
        y: { field: 'y', type: 'quantitative', title: 'y of the first box', scale: place, axis },
        color: {
          field: 'error',
          type: 'quantitative',
          title: 'final error',
          scale: { scheme: 'viridis', domainMin: 0, nice: true },
          legend: { gradientLength: size, tickMinStep: 1 },
        },
      },
    },
  };
}

export function curveRows(loss: string, curve: ArrayLike<number>, points: number): CurveRow[] {
  const cases = points * casesPerPoint;
  return Array.from(curve, (error, iteration) => ({
    loss: lossTitle(loss),
    iteration,
    error: error / cases,
  }));
}

export function pointRows(loss: string, points: Float64Array, final: ArrayLike<number>): PointRow[] {
  return Array.from(final, (error, i) => ({
    loss: lossTitle(loss),
    x: points[2 * i]!,
    y: points[2 * i + 1]!,
    error: error / casesPerPoint,
  }));
}
