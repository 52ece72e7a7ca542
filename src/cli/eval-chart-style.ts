/** Colours, fonts and parts that the pictures of an evaluation share. */
import type { TopLevelSpec } from 'vega-lite';

/** Okabe and Ito's colours, which people with any colour vision tell apart. */
export const palette = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#d55e00',
  '#8c8c8c',
  '#000000',
];
export const [blue, orange, green] = palette as [string, string, string];
/** Lines behind the others. */
export const quiet = '#c8ccd2';

/** How every picture looks. */
export const common = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  background: 'white',
  padding: 12,
  config: {
    font: 'DejaVu Sans, Verdana, Helvetica, Arial, sans-serif',
    title: { fontSize: 14, fontWeight: 'bold', anchor: 'start', offset: 10, subtitleColor: '#555' },
    axis: {
      labelFontSize: 11,
      labelLimit: 220,
      // the first and last number under their ticks, as the others
      labelFlush: false,
      titleFontSize: 12,
      titleFontWeight: 'normal',
      gridColor: '#e8e8e8',
    },
    legend: {
      labelFontSize: 11,
      labelLimit: 260,
      titleFontSize: 11,
      titleFontWeight: 'normal',
      symbolStrokeWidth: 3,
      symbolOpacity: 1,
    },
    view: { stroke: null },
  },
} as const;

/** An axis from 0 to 1. */
export const share = { domain: [0, 1], nice: false } as const;
export const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
/** Four digits are more than a picture shows. */
export const short = (value: number): number => Math.round(1e4 * value) / 1e4;

export type Layer = object;
/** A picture of several layers. */
export const layered = (
  title: { text: string; subtitle?: string },
  size: { width: number; height: number },
  layer: Layer[],
  more: object = {},
): TopLevelSpec => ({ ...common, title, ...size, layer, ...more }) as unknown as TopLevelSpec;

/** A layer of lines over two shares. */
export const lines = (
  values: object[],
  x: { field: string; title: string },
  y: { field: string; title: string },
  mark: object,
  encoding: object,
): Layer => ({
  data: { values },
  mark: { type: 'line', clip: true, ...mark },
  encoding: {
    x: { field: x.field, type: 'quantitative', title: x.title, scale: share },
    y: { field: y.field, type: 'quantitative', title: y.title, scale: share },
    ...encoding,
  },
});

/** Several pictures in one, two a row. */
export function overview(specs: readonly TopLevelSpec[]): TopLevelSpec {
  const concat = specs.map((spec) => {
    const { $schema, background, padding, config, ...part } = spec as unknown as Record<string, unknown>;
    return part;
  });
  return {
    ...common,
    columns: 2,
    spacing: 40,
    concat,
    resolve: { scale: { color: 'independent', x: 'independent', y: 'independent' } },
  } as unknown as TopLevelSpec;
}
