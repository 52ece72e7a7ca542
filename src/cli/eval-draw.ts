/**
 * Vega-Lite specifications to SVG, PNG and JSON files. Vega is loaded when the first picture is drawn, so that commands
 * that draw none do not wait for it.
 */

import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import type { TopLevelSpec } from 'vega-lite';
import { write } from './files.ts';

/** What Vega asks for the width of a text; not in its types. */
interface TextMetrics {
  estimateWidth(item: TextItem, text: unknown): number;
  width(item: TextItem, text: unknown): number;
}
interface TextItem {
  readonly font?: string;
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
  readonly limit?: number;
}

/**
 * Vega guesses eight tenths of the font's size a letter where it finds no canvas of its own: legends are cut too early
 * and titles of axes stand far off. Here texts are measured, with a little room for the fonts of another machine.
 */
function measureTexts(metrics: TextMetrics): void {
  const context = createCanvas(1, 1).getContext('2d');
  metrics.width = (item, text) => {
    const { font = 'sans-serif', fontSize = 11, fontWeight = 'normal', limit = 0 } = item;
    const line = text === null || text === undefined ? '' : String(text).trim();
    context.font = `${fontWeight} ${fontSize}px ${font}`;
    const measured = 1.05 * context.measureText(line).width;
    // no font at all measures nothing
    const width = measured > 0 ? measured : metrics.estimateWidth(item, line);
    return limit > 0 ? Math.min(width, limit) : width;
  };
}

/** The picture as SVG. */
export async function specToSvg(spec: TopLevelSpec): Promise<string> {
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  measureTexts((vega as unknown as { textMetrics: TextMetrics }).textMetrics);
  const { parse, View } = vega;
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** An SVG as PNG, `scale` pixels a unit. */
export async function svgToPng(svg: string, scale = 2): Promise<Uint8Array> {
  // scaled in the SVG, so that it is drawn at full resolution
  const larger = svg.replace(
    /<svg([^>]*?) width="([\d.]+)" height="([\d.]+)"/,
    (_, rest: string, width: string, height: string) =>
      `<svg${rest} width="${scale * Number(width)}" height="${scale * Number(height)}"`,
  );
  const image = await loadImage(Buffer.from(larger));
  const canvas = createCanvas(image.width, image.height);
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toBuffer('image/png');
}

/** Writes `name.svg`, `name.png` and `name.json` (the specification, which any Vega-Lite editor opens). */
export async function saveCharts(
  folder: string,
  charts: Readonly<Record<string, TopLevelSpec>>,
): Promise<string[]> {
  const written: string[] = [];
  for (const [name, spec] of Object.entries(charts)) {
    const svg = await specToSvg(spec);
    write(join(folder, `${name}.svg`), svg);
    write(join(folder, `${name}.png`), await svgToPng(svg));
    write(join(folder, `${name}.json`), `${JSON.stringify(spec)}\n`);
    written.push(join(folder, `${name}.svg`));
  }
  return written;
}
