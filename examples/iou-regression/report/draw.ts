/** Charts to SVG and PNG in Node. */
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

export type Rows = Readonly<Record<string, readonly object[]>>;

/** The chart as SVG, with its data under the names the specification gives them. */
export async function toSvg(spec: TopLevelSpec, rows: Rows): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  for (const [name, values] of Object.entries(rows)) view.data(name, [...values]);
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

/** An SVG as PNG, twice its size. */
export async function toPng(svg: string): Promise<Uint8Array> {
  const large = svg.replace(/<svg[^>]*>/, (tag) =>
    tag.replace(
      /(width|height)="([\d.]+)"/g,
      (_, side: string, size: string) => `${side}="${2 * Number(size)}"`,
    ),
  );
  const image = await loadImage(Buffer.from(large));
  const canvas = createCanvas(image.width, image.height);
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toBuffer('image/png');
}
