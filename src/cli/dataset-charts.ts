/** A dataset's numbers as bar charts: one SVG, or the same as PNG. */
import { extname } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import type { DatasetStats, Histogram } from '../datasets/index.ts';
import { escapeXml, writeFileWhole } from '../datasets/node/index.ts';
import { colorOf } from '../draw/index.ts';
import { OptionError } from '../errors.ts';

/** One chart: a bar a label. */
export interface BarChart {
  readonly title: string;
  readonly labels: readonly string[];
  readonly values: readonly number[];
  /** A colour a bar; default: one for all. */
  readonly colors?: readonly string[];
}

const width = 460;
const height = 280;
const margin = { left: 52, right: 14, top: 34, bottom: 58 };
const font = 'font-family="sans-serif"';
/** More classes than this do not fit side by side; the rest are summed up. */
const mostClasses = 24;

/** A round number of at least `value`: 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((round) => round >= value)!;
}

function barChart({ title, labels, values, colors }: BarChart, x: number, y: number): string {
  const top = roundUp(Math.max(1, ...values));
  const inner = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
  const step = inner.width / Math.max(1, values.length);
  const parts = [`<g transform="translate(${x} ${y})">`];
  parts.push(
    `<text x="${margin.left}" y="20" font-size="14" font-weight="bold" fill="#222" ${font}>${escapeXml(title)}</text>`,
  );
  for (let tick = 0; tick <= 4; tick++) {
    const at = margin.top + inner.height * (1 - tick / 4);
    parts.push(
      `<line x1="${margin.left}" y1="${at}" x2="${width - margin.right}" y2="${at}" stroke="#ddd"/>`,
      `<text x="${margin.left - 6}" y="${at + 4}" font-size="11" text-anchor="end" fill="#555" ${font}>${Number(((top * tick) / 4).toPrecision(3))}</text>`,
    );
  }
  for (const [i, value] of values.entries()) {
    const tall = (inner.height * value) / top;
    const left = margin.left + i * step;
    const base = margin.top + inner.height;
    parts.push(
      `<rect x="${left + 0.1 * step}" y="${base - tall}" width="${0.8 * step}" height="${tall}" fill="${colors?.[i] ?? '#4878a8'}"><title>${escapeXml(labels[i]!)}: ${value}</title></rect>`,
      `<text transform="translate(${left + 0.5 * step + 3} ${base + 10}) rotate(-40)" font-size="10" text-anchor="end" fill="#333" ${font}>${escapeXml(short(labels[i]!))}</text>`,
    );
  }
  parts.push('</g>');
  return parts.join('\n');
}

const short = (label: string): string => (label.length > 14 ? `${label.slice(0, 13)}…` : label);

/** The charts two a row, as an SVG picture. */
export function chartsToSvg(charts: readonly BarChart[]): string {
  const columns = Math.min(2, charts.length);
  const rows = Math.ceil(charts.length / columns);
  const [w, h] = [columns * width, rows * height];
  const body = charts.map((chart, i) =>
    barChart(chart, (i % columns) * width, Math.floor(i / columns) * height),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}">\n<rect width="${w}" height="${h}" fill="#fff"/>\n${body.join('\n')}\n</svg>\n`;
}

/** A histogram as a chart; empty bins at both ends are left out. */
export function histogramChart(
  title: string,
  { edges, counts }: Histogram,
  format: (edge: number) => string,
): BarChart {
  const first = Math.max(
    0,
    counts.findIndex((count) => count > 0),
  );
  const end = counts.findLastIndex((count) => count > 0) + 1;
  return {
    title,
    labels: counts
      .slice(first, end)
      .map((_, i) => `${format(edges[first + i]!)}–${format(edges[first + i + 1]!)}`),
    values: counts.slice(first, end),
  };
}

/** Charts of everything in the statistics. */
export function datasetCharts(stats: DatasetStats): BarChart[] {
  const sorted = stats.categories
    .map((category, label) => ({ ...category, label }))
    .sort((a, b) => b.objects - a.objects);
  const shown = sorted.slice(0, mostClasses);
  const rest = sorted.slice(mostClasses).reduce((sum, { objects }) => sum + objects, 0);
  const others = sorted.length > mostClasses ? [`${sorted.length - mostClasses} others`] : [];
  const whole = (edge: number): string => String(Math.round(edge));
  return [
    {
      title: 'objects a class',
      labels: [...shown.map(({ name }) => name), ...others],
      values: [...shown.map(({ objects }) => objects), ...others.map(() => rest)],
      colors: [...shown.map(({ label }) => colorOf(label)), ...others.map(() => '#999999')],
    },
    histogramChart('objects an image', stats.objectsPerImage, whole),
    histogramChart('box size √(w·h), pixels', stats.boxSize, whole),
    histogramChart('height / width of the boxes', stats.aspectRatio, (edge) => edge.toFixed(2)),
    histogramChart('box size √(share of the image)', stats.relativeSize, (edge) => edge.toFixed(1)),
  ];
}

/** Writes charts as `.svg` or `.png`. */
export async function saveCharts(path: string, charts: readonly BarChart[]): Promise<void> {
  const svg = chartsToSvg(charts);
  const extension = extname(path).toLowerCase();
  if (extension === '.svg') return writeFileWhole(path, [svg]);
  if (extension !== '.png') throw new OptionError(`expected a .svg or .png file, got ${path}`, { path });
  const image = await loadImage(Buffer.from(svg));
  const canvas = createCanvas(image.width, image.height);
  canvas.getContext('2d').drawImage(image, 0, 0);
  writeFileWhole(path, [await canvas.encode('png')]);
}
