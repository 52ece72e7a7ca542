/**
 * Picture files made on the spot, in Node and in the browser: PNG of every colour type, EXIF orientation put into a
 * JPEG, a CMYK JPEG.
 */

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let k = 0; k < 8; k++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return ((b << 16) | a) >>> 0;
}

/** The parts in one array. */
export function join(parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const word = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];

/** One chunk of a PNG. */
export function chunk(type: string, data: ArrayLike<number>): Uint8Array {
  const body = join([Array.from(type, (letter) => letter.charCodeAt(0)), data]);
  return join([word(data.length), body, word(crc32(body))]);
}

/** PNG colour types: samples a pixel. */
export const pngSamples = { grey: [0, 1], rgb: [2, 3], greyAlpha: [4, 2], rgba: [6, 4] } as const;

/** A PNG, uncompressed, of `samples` in row-major order (each 0–255, or 0–65535 with `bitDepth` 16). */
export function png(
  width: number,
  height: number,
  kind: keyof typeof pngSamples,
  samples: ArrayLike<number>,
  bitDepth: 8 | 16 = 8,
): Uint8Array<ArrayBuffer> {
  const [colorType, count] = pngSamples[kind];
  const rows: number[] = [];
  for (let y = 0; y < height; y++) {
    rows.push(0);
    for (let i = y * width * count; i < (y + 1) * width * count; i++) {
      if (bitDepth === 16) rows.push(samples[i] >>> 8);
      rows.push(samples[i] & 255);
    }
  }
  const data = Uint8Array.from(rows);
  if (data.length > 65535) throw new Error('the picture is too large for one stored block');
  const length = data.length;
  const stored = [0x78, 1, 1, length & 255, length >>> 8, ~length & 255, (~length >>> 8) & 255];
  return join([
    [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    chunk('IHDR', [...word(width), ...word(height), bitDepth, colorType, 0, 0, 0]),
    chunk('IDAT', join([stored, data, word(adler32(data))])),
    chunk('IEND', []),
  ]);
}

/** A TIFF block of one directory with the one entry 0x0112 (short), the EXIF orientation. */
function tiff(orientation: number, little = false): number[] {
  const short = (value: number) => (little ? [value & 255, value >>> 8] : [value >>> 8, value & 255]);
  const long = (value: number) => (little ? [value, 0, 0, 0] : [0, 0, 0, value]);
  const entry = [...short(0x0112), ...short(3), ...long(1), ...short(orientation), 0, 0];
  return [
    ...(little ? [0x49, 0x49] : [0x4d, 0x4d]),
    ...short(42),
    ...long(8),
    ...short(1),
    ...entry,
    ...long(0),
  ];
}

const letters = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0));

/** The JPEG with an EXIF segment that says `orientation` (1–8). */
export function withOrientation(jpeg: Uint8Array, orientation: number): Uint8Array<ArrayBuffer> {
  const body = [...letters('Exif\0\0'), ...tiff(orientation)];
  return join([[0xff, 0xd8, 0xff, 0xe1, 0, body.length + 2], body, jpeg.subarray(2)]);
}

/** The PNG with an `eXIf` chunk before its last one. */
export function pngWithOrientation(file: Uint8Array, orientation: number, little = false) {
  return join([file.subarray(0, -12), chunk('eXIf', tiff(orientation, little)), file.subarray(-12)]);
}

/** The WebP (of that size, without EXIF) with an `EXIF` chunk at its end, and a `VP8X` chunk that announces it. */
export function webpWithOrientation(
  file: Uint8Array,
  [width, height]: readonly [number, number],
  orientation: number,
  little = false,
): Uint8Array<ArrayBuffer> {
  const long = (value: number) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
  const exif = tiff(orientation, little);
  const size = [...long(width - 1).slice(0, 3), ...long(height - 1).slice(0, 3)];
  const extended = String.fromCharCode(...file.subarray(12, 16)) === 'VP8X';
  const body = join([
    letters('WEBPVP8X'),
    [...long(10), 0x08 | (extended ? file[20] : 0), 0, 0, 0, ...size],
    file.subarray(extended ? 30 : 12),
    [...letters('EXIF'), ...long(exif.length)],
    exif,
  ]);
  return join([letters('RIFF'), long(body.length), body]);
}

/** The four quarters of a picture: top left red, top right green, bottom left blue, bottom right yellow. */
export const quarterColors = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 0],
] as const;

/** RGBA of such a picture. */
export function quarters(width: number, height: number): Uint8ClampedArray<ArrayBuffer> {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const color = quarterColors[(y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1)];
      data.set([...color, 255], 4 * (y * width + x));
    }
  }
  return data;
}

/** Which quarter colour lies in each corner (top left, top right, bottom left, bottom right) of RGBA pixels. */
export function corners({
  data,
  width,
  height,
}: {
  data: ArrayLike<number>;
  width: number;
  height: number;
}): number[] {
  return [
    [2, 2],
    [width - 3, 2],
    [2, height - 3],
    [width - 3, height - 3],
  ].map(([x, y]) => {
    const at = 4 * (y * width + x);
    return quarterColors.findIndex((color) => color.every((value, c) => Math.abs(value - data[at + c]) < 40));
  });
}

/** What `corners` should give for each EXIF orientation 1–8 of a picture stored as {@link quarters}. */
export const orientedCorners = [
  [0, 1, 2, 3],
  [1, 0, 3, 2],
  [3, 2, 1, 0],
  [2, 3, 0, 1],
  [0, 2, 1, 3],
  [2, 0, 3, 1],
  [3, 1, 2, 0],
  [1, 3, 0, 2],
] as const;

/** A 16×16 CMYK JPEG of the quarters (Pillow 9.4, quality 90), base64. */
export const cmykJpeg = [
  '/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAWEBET',
  'FBUVFQwPFxgWFBgSFBUU/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAoACf/EABQQAQAAAAAA',
  'AAAAAAAAAAAAAAD/2gAOBEMATQBZAEsAAD8A1TZVMqmqYq5VCSFXKoRVBVAq6f/Z',
].join('');

/** A 40×24 AVIF of the quarters with the properties `irot` and `imir` (Pillow 13.0, quality 70), base64. */
const turnedAvif = [
  'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUEAAAD/bWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAAAAAAAOcGl0',
  'bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAEnAAAAOgAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAAB+aXBy',
  'cAAAAF1pcGNvAAAAFGlzcGUAAAAAAAAAKAAAABgAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBIAAAAAAAE2NvbHJuY2x4AAEADQAGgAAAAAlpcm90',
  'AQAAAAlpbWlyAAAAABlpcG1hAAAAAAAAAAEAAQYBAoMEhYYAAABCbWRhdBIACgk4FSe7aAhoNIAyK0VwmMkoADygAAAAQPCZL0ItJSImN6kXJqM7',
  'l9y1vylNgvHyKXhlvtqKApA=',
].join('');

/** That AVIF with these quarter turns counter-clockwise, then mirrored top to bottom (0) or left to right (1). */
export function avifTurned(quarterTurns: number, axis: number): Uint8Array<ArrayBuffer> {
  const text = atob(turnedAvif);
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  bytes[text.indexOf('irot') + 4] = quarterTurns;
  bytes[text.indexOf('imir') + 4] = axis;
  return bytes;
}

/** EXIF orientation of {@link avifTurned} for 0–3 turns and both axes. */
export const avifOrientations = [
  [4, 2],
  [5, 7],
  [2, 4],
  [7, 5],
] as const;
