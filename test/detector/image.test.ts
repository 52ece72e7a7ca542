import { createCanvas } from '@napi-rs/canvas';
import { describe, expect, it, vi } from 'vitest';
import { withoutColorProfile } from '../../src/detector/image/color-profile.ts';
import { checkImageBytes } from '../../src/detector/image/container.ts';
import { takeOrientation } from '../../src/detector/image/orientation.ts';
import { readImage } from '../../src/detector/image/read.ts';
import { packSources } from '../../src/detector/remote-sources.ts';
import { ImageError, ShapeError } from '../../src/errors.ts';
import {
  avifOrientations,
  avifTurned,
  chunk,
  cmykJpeg,
  corners,
  join,
  orientedCorners,
  png,
  pngWithOrientation,
  quarters,
  webpWithOrientation,
  withOrientation,
} from './support/pictures.ts';

function canvasOfQuarters(width: number, height: number) {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  const image = context.createImageData(width, height);
  image.data.set(quarters(width, height));
  context.putImageData(image, 0, 0);
  return canvas;
}

const bytesOf = (buffer: Buffer): Uint8Array<ArrayBuffer> => Uint8Array.from(buffer);
const jpeg = bytesOf(canvasOfQuarters(40, 24).toBuffer('image/jpeg'));
const rejection = (source: Parameters<typeof readImage>[0]) =>
  Promise.resolve()
    .then(() => readImage(source))
    .then(
      () => undefined,
      (error: unknown) => error,
    );

describe('readImage in Node', () => {
  it.each(orientedCorners.map((expected, index) => [index + 1, expected] as const))(
    'turns a JPEG of EXIF orientation %d upright',
    async (orientation, expected) => {
      const image = await readImage(withOrientation(jpeg, orientation));
      expect([image.width, image.height]).toEqual(orientation < 5 ? [40, 24] : [24, 40]);
      expect(corners(image)).toEqual(expected);
    },
  );

  it.each(orientedCorners.map((expected, index) => [index + 1, expected] as const))(
    'turns a PNG and a WebP of EXIF orientation %d upright',
    async (orientation, expected) => {
      const lossy = bytesOf(canvasOfQuarters(40, 24).toBuffer('image/webp'));
      const still = png(40, 24, 'rgba', quarters(40, 24));
      for (const little of [false, true]) {
        const webp = webpWithOrientation(lossy, [40, 24], orientation, little);
        for (const file of [webp, pngWithOrientation(still, orientation, little)]) {
          const before = file.slice();
          const image = await readImage(file);
          expect([image.width, image.height]).toEqual(orientation < 5 ? [40, 24] : [24, 40]);
          expect(corners(image)).toEqual(expected);
          expect(file).toEqual(before);
        }
      }
    },
  );

  it('turns and mirrors an AVIF as its properties say', async () => {
    for (const [turns, row] of avifOrientations.entries()) {
      for (const [axis, orientation] of row.entries()) {
        const image = await readImage(avifTurned(turns, axis));
        expect([image.width, image.height]).toEqual(turns % 2 === 0 ? [40, 24] : [24, 40]);
        expect(corners(image)).toEqual(orientedCorners[orientation - 1]);
      }
    }
  });

  it('decodes an AVIF without its turns, which not every browser applies', () => {
    const file = avifTurned(3, 1);
    const before = file.slice();
    const { bytes, orientation } = takeOrientation(file, 'avif');
    expect(orientation).toBe(5);
    expect(file).toEqual(before);
    // of six associated properties the last two, `irot` and `imir`, both essential, are none now
    const changed = [...file.keys()].filter((at) => file[at] !== bytes[at]);
    expect(changed.map((at) => file[at])).toEqual([0x85, 0x86]);
    expect(changed.map((at) => bytes[at])).toEqual([0, 0]);
    expect(takeOrientation(bytes, 'avif').orientation).toBe(5); // the properties themselves stay
    const upright = avifTurned(2, 0);
    upright.set(new TextEncoder().encode('free'), new TextDecoder('latin1').decode(upright).indexOf('imir'));
    upright[new TextDecoder('latin1').decode(upright).indexOf('irot') + 4] = 0;
    expect(takeOrientation(upright, 'avif')).toEqual({ bytes: upright, orientation: 1 });
  });

  it('finds the turns of an AVIF by wide numbers too', () => {
    // ipma of version 1 (32-bit item numbers) with 16-bit indices, of two items
    const box = (type: string, ...content: number[]) => [
      0,
      0,
      0,
      8 + content.length,
      ...new TextEncoder().encode(type),
      ...content,
    ];
    const properties = box('ipco', ...box('ispe', 0), ...box('irot', 1));
    const items = [0, 0, 0, 1, 2, 0x80, 1, 0x80, 2, 0, 0, 0, 2, 1, 0x80, 2];
    const map = box('ipma', 1, 0, 0, 1, 0, 0, 0, 2, ...items);
    const file = Uint8Array.from(box('meta', 0, 0, 0, 0, ...box('iprp', ...properties, ...map)));
    const { bytes, orientation } = takeOrientation(file, 'avif');
    expect(orientation).toBe(8);
    expect([...bytes.slice(-items.length)]).toEqual([0, 0, 0, 1, 2, 0x80, 1, 0, 0, 0, 0, 0, 2, 1, 0, 0]);
  });

  it('reads grey, grey with alpha, RGB, RGBA and 16 bits', async () => {
    const read = async (bytes: Uint8Array<ArrayBuffer>) => [...(await readImage(bytes)).data];
    expect(await read(png(2, 1, 'grey', [0, 77]))).toEqual([0, 0, 0, 255, 77, 77, 77, 255]);
    expect(await read(png(2, 1, 'rgb', [1, 2, 3, 250, 251, 252]))).toEqual([
      1, 2, 3, 255, 250, 251, 252, 255,
    ]);
    // a transparent pixel is the white page, a half transparent one half of it
    expect(await read(png(2, 1, 'greyAlpha', [0, 0, 0, 128]))).toEqual([
      255, 255, 255, 255, 127, 127, 127, 255,
    ]);
    const [r, g, b, a] = await read(png(1, 1, 'rgba', [200, 0, 100, 51]));
    for (const [got, expected] of [
      [r, 244],
      [g, 204],
      [b, 224],
    ])
      expect(Math.abs(got - expected)).toBeLessThanOrEqual(2);
    expect(a).toBe(255);
    expect(await read(png(3, 1, 'grey', [0, 32896, 65535], 16))).toEqual([
      0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255,
    ]);
  });

  it('reads CMYK JPEG, WebP, a Blob and an ArrayBuffer', async () => {
    const cmyk = Uint8Array.from(Buffer.from(cmykJpeg, 'base64'));
    expect(corners(await readImage(cmyk))).toEqual([0, 1, 2, 3]);
    const webp = bytesOf(canvasOfQuarters(40, 24).toBuffer('image/webp'));
    expect(corners(await readImage(webp))).toEqual([0, 1, 2, 3]);
    expect(corners(await readImage(new Blob([jpeg])))).toEqual([0, 1, 2, 3]);
    expect(corners(await readImage(jpeg.buffer))).toEqual([0, 1, 2, 3]);
  });

  it('ignores colour profiles, as OpenCV and Pillow do', async () => {
    const profile = Uint8Array.from('ICC_PROFILE\0\u0001\u0001 any profile', (letter) =>
      letter.charCodeAt(0),
    );
    const segment = join([[0xff, 0xe2, 0, profile.length + 2], profile]);
    const bare = Uint8Array.from(Buffer.from(cmykJpeg, 'base64'));
    const tagged = join([bare.subarray(0, 2), segment, bare.subarray(2)]);
    expect([...withoutColorProfile(tagged, 'jpeg')]).toEqual([...bare]);
    expect(withoutColorProfile(bare, 'jpeg')).toBe(bare);
    const plain = png(3, 1, 'rgb', [10, 100, 200, 1, 2, 3, 90, 80, 70]);
    // a gamma of 1: taken at its word, every value would change
    const gamma = join([plain.subarray(0, 33), chunk('gAMA', [0, 1, 0x86, 0xa0]), plain.subarray(33)]);
    expect([...withoutColorProfile(gamma, 'png')]).toEqual([...plain]);
    expect((await readImage(gamma)).data).toEqual((await readImage(plain)).data);
  });

  it('gives browsers files without profile too, as WebKitGTK would apply it', async () => {
    const plain = png(3, 1, 'rgb', [10, 100, 200, 1, 2, 3, 90, 80, 70]);
    const gamma = join([plain.subarray(0, 33), chunk('gAMA', [0, 1, 0x86, 0xa0]), plain.subarray(33)]);
    const given: Blob[] = [];
    const context = {
      canvas: {},
      drawImage() {},
      getImageData: () => ({ data: new Uint8ClampedArray(12), width: 3, height: 1 }),
    };
    vi.stubGlobal(
      'OffscreenCanvas',
      class {
        getContext = () => context;
      },
    );
    vi.stubGlobal('createImageBitmap', async (blob: Blob) => {
      given.push(blob);
      return { width: 3, height: 1, close() {} };
    });
    try {
      await readImage(gamma);
    } finally {
      vi.unstubAllGlobals();
    }
    expect([...new Uint8Array(await given[0].arrayBuffer())]).toEqual([...plain]);
  });

  it('takes raw pixels at once and a canvas of Node', () => {
    const raw = { data: quarters(8, 6), width: 8, height: 6 };
    expect(readImage(raw)).toBe(raw);
    expect(corners(readImage(canvasOfQuarters(40, 24) as never) as typeof raw)).toEqual([0, 1, 2, 3]);
  });

  it('refuses no bytes, other bytes and damaged files', async () => {
    const webp = bytesOf(canvasOfQuarters(40, 24).toBuffer('image/webp'));
    const whole = png(4, 4, 'rgb', new Uint8Array(48));
    const damaged = whole.slice();
    damaged.set([9, 9, 9, 9], 16);
    const bad: [string, Uint8Array<ArrayBuffer>, RegExp][] = [
      ['zero bytes', new Uint8Array(0), /no bytes/],
      ['text', new TextEncoder().encode('hello, this is no picture'), /Not an image/],
      ['svg', new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>'), /Not an image/],
      ['truncated JPEG', jpeg.slice(0, jpeg.length - 2), /truncated/],
      ['half a JPEG', jpeg.slice(0, jpeg.length >> 1), /truncated/],
      ['two bytes of JPEG', jpeg.slice(0, 2), /truncated/],
      ['truncated PNG', whole.slice(0, whole.length - 12), /truncated/],
      ['truncated WebP', webp.slice(0, webp.length - 20), /truncated/],
      ['PNG with a broken header', damaged, /cannot be decoded|no pixels/],
    ];
    for (const [name, bytes, message] of bad) {
      const error = await rejection(bytes);
      expect(error, name).toBeInstanceOf(ImageError);
      expect((error as Error).message, name).toMatch(message);
    }
    expect(await rejection(new Blob([]))).toBeInstanceOf(ImageError);
  });

  it.each(['here', 'on the way to a worker'])('says what a source is that is none, %s', async (place) => {
    const refuse = () => {
      throw new TypeError("The provided value is not of type '(Blob or HTMLCanvasElement or …)'");
    };
    for (const browser of [false, true]) {
      if (browser) {
        vi.stubGlobal('OffscreenCanvas', class {});
        vi.stubGlobal('createImageBitmap', refuse);
      }
      try {
        for (const [source, kind] of [
          ['/scene.png', 'a string'],
          [undefined, 'undefined'],
          [null, 'null'],
          [7, '7'],
        ] as const) {
          const error =
            place === 'here'
              ? await rejection(source as never)
              : await packSources([source as never], false).catch((reason: unknown) => reason);
          expect(error).toBeInstanceOf(ImageError);
          expect((error as Error).message).toContain(`Not an image source: ${kind}; expected RGBA pixels`);
        }
      } finally {
        vi.unstubAllGlobals();
      }
    }
  });

  it('does not take the end of an embedded thumbnail for the end of the picture', () => {
    const thumbnail = withOrientation(jpeg, 1);
    const segment = Uint8Array.from([
      0xff,
      0xd8,
      0xff,
      0xe2,
      0,
      8,
      1,
      2,
      0xff,
      0xd9,
      3,
      4,
      ...thumbnail.subarray(2),
    ]);
    expect(checkImageBytes(segment)).toBe('jpeg');
    expect(() => checkImageBytes(segment.subarray(0, segment.length - 4))).toThrow(ImageError);
  });

  it('refuses raw pixels that do not add up, and what is no picture', async () => {
    const error = await rejection({ data: new Uint8Array(10), width: 2, height: 2 });
    expect(error).toBeInstanceOf(ShapeError);
    expect((error as Error).message).toContain('16 bytes (RGBA); got 10');
    expect(await rejection({ data: new Uint8Array(0), width: 0, height: 2 })).toBeInstanceOf(ImageError);
    expect(await rejection({ data: [1, 2, 3, 4], width: 1, height: 1 } as never)).toBeInstanceOf(ImageError);
    expect(await rejection('dog.jpg' as never)).toBeInstanceOf(ImageError);
    expect(await rejection(undefined as never)).toBeInstanceOf(ImageError);
  });
});
