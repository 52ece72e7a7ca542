/**
 * Vega-Lite specifications to SVG, PNG and JSON files. Vega is loaded when the first picture is drawn, so that commands
 * that draw none do not wait for it.
 */

import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import type { TopLevelSpec } from 'vega-lite';
import { write } from './files.ts';

/** The picture as SVG. */
export async function specToSvg(spec: TopLevelSpec): Promise<string> {
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
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
