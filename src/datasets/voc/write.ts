/** Pascal VOC annotation files from columns. */
import { annotationFlag, type Dataset } from '../types.ts';
import { type VocOrigin, vocOffsets } from './parse.ts';

export interface VocWriteOptions {
  /** How the file counts pixels. Default `'inclusive'`, as the devkit's. */
  readonly origin?: VocOrigin;
  /** Decimals of a coordinate. Default 0, as the devkit's files and the readers that take whole numbers only: half a pixel of precision. */
  readonly decimals?: number;
  /** `<database>` of `<source>`. Default `'Unknown'`. */
  readonly database?: string;
}

/** What a file cannot say, by kind; the boxes are written. */
export interface VocLosses {
  /** Crowd regions, left out: VOC has none. */
  crowd: number;
  /** Outlines, run-length masks and keypoints left out. */
  shapes: number;
}

/**
 * The XML of the image of that index: boxes by `origin`, difficult and truncated. Crowd regions and outlines are left out and
 * counted in `losses`.
 */
export function writeVoc(
  dataset: Dataset,
  image: number,
  options: VocWriteOptions = {},
  losses: VocLosses = { crowd: 0, shapes: 0 },
): string {
  const { origin = 'inclusive', decimals = 0, database = 'Unknown' } = options;
  const { annotations, categories, images } = dataset;
  const [low, high] = vocOffsets[origin];
  const path = images.fileNames[image]!.split('/');
  const lines = [
    '<annotation>',
    `\t<folder>${escapeXml(path.slice(0, -1).join('/'))}</folder>`,
    `\t<filename>${escapeXml(path.at(-1)!)}</filename>`,
    `\t<source><database>${escapeXml(database)}</database></source>`,
    `\t<size><width>${images.widths[image]}</width><height>${images.heights[image]}</height><depth>3</depth></size>`,
    '\t<segmented>0</segmented>',
  ];
  const bit = (row: number, flag: number): number => ((annotations.flags[row]! & flag) === 0 ? 0 : 1);
  for (let row = annotations.offsets[image]!; row < annotations.offsets[image + 1]!; row++) {
    if (bit(row, annotationFlag.crowd) === 1) {
      losses.crowd++;
      continue;
    }
    const { polygons, keypoints, masks } = annotations;
    if (
      masks.has(row) ||
      polygons.rings[row + 1]! > polygons.rings[row]! ||
      keypoints.offsets[row + 1]! > keypoints.offsets[row]!
    ) {
      losses.shapes++;
    }
    // rounded before it is shifted, so that both edges of a box round the same way
    const coordinate = (k: number, offset: number): string =>
      String(Number((Number(annotations.boxes[4 * row + k]!.toFixed(decimals)) + offset).toFixed(decimals)));
    lines.push(
      '\t<object>',
      `\t\t<name>${escapeXml(categories[annotations.labels[row]!]!.name)}</name>`,
      '\t\t<pose>Unspecified</pose>',
      `\t\t<truncated>${bit(row, annotationFlag.truncated)}</truncated>`,
      `\t\t<difficult>${bit(row, annotationFlag.difficult)}</difficult>`,
      '\t\t<bndbox>',
      `\t\t\t<xmin>${coordinate(0, low)}</xmin>`,
      `\t\t\t<ymin>${coordinate(1, low)}</ymin>`,
      `\t\t\t<xmax>${coordinate(2, high)}</xmax>`,
      `\t\t\t<ymax>${coordinate(3, high)}</ymax>`,
      '\t\t</bndbox>',
      '\t</object>',
    );
  }
  lines.push('</annotation>', '');
  return lines.join('\n');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Characters XML 1.0 can hold. */
const isXmlCharacter = (character: string): boolean => {
  const code = character.codePointAt(0)!;
  return code >= 32 || code === 9 || code === 10 || code === 13;
};

/** Text as XML content: markup escaped, control characters left out. */
function escapeXml(text: string): string {
  return [...text]
    .filter(isXmlCharacter)
    .map((character) => entities[character] ?? character)
    .join('');
}
