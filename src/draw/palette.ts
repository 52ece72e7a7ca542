/**
 * A colour for every class id: the same on every machine and run, neighbouring ids far apart.
 *
 * Hues step by the golden angle through OKLCH, a space where equal steps look equal, and lightness alternates, so that
 * hues that come close again (8 steps later) still differ. Text on a colour is black or white, whichever reads better.
 */

/** Red, green and blue, 0–255. */
export type Rgb = readonly [red: number, green: number, blue: number];

const goldenAngle = 137.50776405003785;
/** Light enough for black text, strong enough to stand out of a photo. */
const lightnesses = [0.76, 0.66, 0.85];
const chroma = 0.17;

const known = new Map<number, string>();

/**
 * Colour of a class, track or index as `#rrggbb`; any whole number, also a negative one.
 *
 * @example
 * colorOf(0) === colorOf(0); // true
 */
export function colorOf(id: number): string {
  let color = known.get(id);
  if (color === undefined) {
    const turn = ((id % 360) + 360) % 360;
    const hue = (25 + turn * goldenAngle) % 360;
    color = toHex(oklchToRgb(lightnesses[turn % lightnesses.length], chroma, hue));
    known.set(id, color);
  }
  return color;
}

/** `#000000` or `#ffffff`, whichever has the higher WCAG contrast against a `#rrggbb` colour. */
export function textColorOn(background: string): '#000000' | '#ffffff' {
  const luminance = relativeLuminance(parseHex(background) ?? [0, 0, 0]);
  return luminance + 0.05 > 0.2291 ? '#000000' : '#ffffff'; // √(0.05 · 1.05): both contrasts are equal there
}

/** WCAG contrast ratio of two `#rrggbb` colours, 1–21. */
export function contrastRatio(a: string, b: string): number {
  const first = relativeLuminance(parseHex(a) ?? [0, 0, 0]) + 0.05;
  const second = relativeLuminance(parseHex(b) ?? [0, 0, 0]) + 0.05;
  return Math.max(first, second) / Math.min(first, second);
}

function parseHex(color: string): Rgb | undefined {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  if (match === null) return undefined;
  return [Number.parseInt(match[1], 16), Number.parseInt(match[2], 16), Number.parseInt(match[3], 16)];
}

function toHex(rgb: Rgb): string {
  return `#${rgb.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

function relativeLuminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Björn Ottosson, "A perceptual color space for image processing" (2020); out-of-gamut channels are clamped. */
function oklchToRgb(lightness: number, colorfulness: number, hue: number): Rgb {
  const radians = (hue * Math.PI) / 180;
  const a = colorfulness * Math.cos(radians);
  const b = colorfulness * Math.sin(radians);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const [red, green, blue] = linear.map((value) => {
    const clamped = Math.min(Math.max(value, 0), 1);
    const encoded = clamped <= 0.0031308 ? 12.92 * clamped : 1.055 * clamped ** (1 / 2.4) - 0.055;
    return Math.round(255 * encoded);
  });
  return [red, green, blue];
}
