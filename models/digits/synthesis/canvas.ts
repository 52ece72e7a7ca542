/**
 * The picture being synthesised: red, green and blue as float planes, drawn on and quantised once at the end.
 *
 * Planes of floats keep blending simple and exact; the buffers are reused from scene to scene.
 */
import { normalTable, type Random } from './random.ts';

export type Colour = readonly [red: number, green: number, blue: number];

export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly planes: readonly [Float32Array, Float32Array, Float32Array];
  #scratch: Float32Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.planes = [
      new Float32Array(width * height),
      new Float32Array(width * height),
      new Float32Array(width * height),
    ];
    this.#scratch = new Float32Array(width * height);
  }

  /** Lays `colour` over one pixel; the caller keeps x and y inside. */
  blend(x: number, y: number, colour: Colour, alpha: number): void {
    const at = y * this.width + x;
    const [red, green, blue] = this.planes;
    red[at] += (colour[0] - red[at]) * alpha;
    green[at] += (colour[1] - green[at]) * alpha;
    blue[at] += (colour[2] - blue[at]) * alpha;
  }

  /** Mean grey level of a rectangle (clipped), from every second pixel. */
  meanGrey(x1: number, y1: number, x2: number, y2: number): number {
    const [red, green, blue] = this.planes;
    let sum = 0;
    let count = 0;
    for (let y = Math.max(0, Math.floor(y1)); y < Math.min(this.height, y2); y += 2) {
      for (let x = Math.max(0, Math.floor(x1)); x < Math.min(this.width, x2); x += 2) {
        const at = y * this.width + x;
        sum += 0.299 * red[at] + 0.587 * green[at] + 0.114 * blue[at];
        count++;
      }
    }
    return count === 0 ? 128 : sum / count;
  }

  /** Three-tap blur along both axes; `weight` 0–1 is the part taken from the two neighbours. */
  blur(weight: number): void {
    const { width, height } = this;
    const side = weight / 3;
    const centre = 1 - 2 * side;
    const scratch = this.#scratch;
    for (const plane of this.planes) {
      for (let y = 0; y < height; y++) {
        const row = y * width;
        scratch[row] = plane[row];
        scratch[row + width - 1] = plane[row + width - 1];
        for (let at = row + 1; at < row + width - 1; at++) {
          scratch[at] = plane[at] * centre + (plane[at - 1] + plane[at + 1]) * side;
        }
      }
      for (let at = width; at < width * (height - 1); at++) {
        plane[at] = scratch[at] * centre + (scratch[at - width] + scratch[at + width]) * side;
      }
    }
  }

  /** Applies `value · gain + offset`, adds noise, rounds and writes interleaved RGB. */
  write(target: Uint8Array | Uint8ClampedArray, channels: 3 | 4, tone: Tone, random: Random): void {
    const table = normalTable;
    const mask = table.length - 1;
    const [red, green, blue] = this.planes;
    // Odd strides keep the three channels' noise apart though they read one table.
    let from = Math.floor(random.next() * table.length);
    const { gain, noise } = tone;
    const offset = tone.offset + 0.5;
    for (let at = 0, out = 0; at < red.length; at++, out += channels) {
      target[out] = clampByte(red[at] * gain + offset + noise * table[from & mask]);
      target[out + 1] = clampByte(green[at] * gain + offset + noise * table[(from + 7919) & mask]);
      target[out + 2] = clampByte(blue[at] * gain + offset + noise * table[(from + 27449) & mask]);
      if (channels === 4) target[out + 3] = 255;
      from += 3;
    }
  }
}

/** The last step of a picture: a linear change of tone and additive noise. */
export interface Tone {
  readonly gain: number;
  readonly offset: number;
  /** Standard deviation of the noise, grey levels. */
  readonly noise: number;
}

function clampByte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value | 0;
}
