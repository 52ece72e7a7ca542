/**
 * The two pictures as Vega-Lite specifications, for the command line and the page alike.
 *
 * Vega-Lite draws without a DOM in Node and with live data in a page from one description; it is maintained by the group
 * that made it, typed and under the BSD licence.
 */
import type { TopLevelSpec } from 'vega-lite';
import { casesPerPoint } from '../simulation/cases.ts';

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

/** Error over the iterations, a line a loss; data come under the name `curve`. */
export function curveSpec(losses: readonly string[], iterations: number, width = 560): TopLevelSpec {
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
        title: 'mean L1 error of a case (x, y, w, h)',
        scale: { type: 'log', nice: false },
        axis: { format: '~g' },
      },
      color: {
        field: 'loss',
        type: 'nominal',
        title: null,
        sort: [...losses],
        scale: { domain: [...losses], range: losses.map((_, i) => palette[i % palette.length]!) },
        legend: { orient: 'top', symbolStrokeWidth: 3 },
      },
    },
  };
}

/** Where the errors are left: a dot a point, a panel a loss, one colour scale; data come under the name `points`. */
export function mapSpec(losses: readonly string[], points: number, size = 210): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    config,
    data: { name: 'points' },
    columns: Math.min(4, losses.length),
    facet: {
      field: 'loss',
      type: 'nominal',
      title: null,
      sort: [...losses],
      header: { labelFontSize: 13, labelFontWeight: 'bold' },
    },
    spec: {
      width: size,
      height: size,
      mark: { type: 'circle', size: Math.max(7, 3000 / points), opacity: 1 },
      encoding: {
        x: { field: 'x', type: 'quantitative', title: null, scale: { domain: [7, 13], nice: false } },
        y: { field: 'y', type: 'quantitative', title: null, scale: { domain: [7, 13], nice: false } },
        color: {
          field: 'error',
          type: 'quantitative',
          title: 'final error',
          scale: { scheme: 'viridis' },
          legend: { gradientLength: size },
        },
      },
    },
  };
}

export function curveRows(loss: string, curve: ArrayLike<number>, points: number): CurveRow[] {
  const cases = points * casesPerPoint;
  return Array.from(curve, (error, iteration) => ({ loss, iteration, error: error / cases }));
}

export function pointRows(loss: string, points: Float64Array, final: ArrayLike<number>): PointRow[] {
  return Array.from(final, (error, i) => ({
    loss,
    x: points[2 * i]!,
    y: points[2 * i + 1]!,
    error: error / casesPerPoint,
  }));
}
