/**
 * Letters as strokes, for machines without a font: a bare container has none, and a canvas there measures every text as
 * 0 wide and draws nothing. Printable ASCII on a grid 4 wide; capitals reach from line 0 to the baseline 6, descenders
 * to 8. Accents are dropped, anything else is an empty box.
 */
import type { Canvas2D } from './context.ts';

/** Polylines of each character: two digits a point (x, y), a space between polylines. */
const glyphs: Readonly<Record<string, string>> = {
  A: '062046 1434',
  B: '06003041423303 3344453606',
  C: '4130100105163645',
  D: '00062644422000',
  E: '40000646 0333',
  F: '400006 0333',
  G: '41301001051636454323',
  H: '0006 4046 0343',
  I: '1030 2026 1636',
  J: '4045361605',
  K: '0006 400346',
  L: '000646',
  M: '0600234046',
  N: '06004640',
  O: '103041453616050110',
  P: '06003041423303',
  Q: '103041453616050110 2446',
  R: '06003041423303 2346',
  S: '413010010213334445361605',
  T: '0040 2026',
  U: '000516364540',
  V: '002640',
  W: '0016233640',
  X: '0046 4006',
  Y: '002340 2326',
  Z: '00400646',
  a: '12324346 441405163645',
  b: '0006 0312324345361605',
  c: '4332120305163645',
  d: '4046 4332120305163645',
  e: '04444332120305163645',
  f: '40302126 1343',
  g: '4247381807 4332120305163645',
  h: '0006 0312324346',
  i: '122226 1636 2020',
  j: '2232372818 3030',
  k: '0006 420446',
  l: '102026 1636',
  m: '0602 03122326 23324346',
  n: '0602 0312324346',
  o: '123243453616050312',
  p: '0208 0312324345361605',
  q: '4248 4332120305163645',
  r: '0602 03123243',
  s: '43321203143445361605',
  t: '1015263645 0232',
  u: '0205163645 4246',
  v: '022642',
  w: '0216233642',
  x: '0246 4206',
  y: '0226 4218',
  z: '02420646',
  '0': '103041453616050110 1531',
  '1': '112026 1636',
  '2': '01103041420646',
  '3': '01103041423313 334445361605',
  '4': '36300444',
  '5': '400002324345361605',
  '6': '413010010516364544331304',
  '7': '004016',
  '8': '103041423313020110 3344453616050413',
  '9': '051636454130100102133342',
  ' ': '',
  '%': '4006 0010110100 3545463635',
  '#': '1016 3036 0242 0444',
  '.': '2626',
  ',': '2617',
  ':': '2323 2626',
  ';': '2323 2617',
  '-': '1333',
  _: '0747',
  '+': '2125 0343',
  '=': '0242 0444',
  '/': '4006',
  '\\': '0046',
  '|': '2027',
  '(': '30212536',
  ')': '10212516',
  '[': '30202636',
  ']': '10202616',
  '<': '410345',
  '>': '014305',
  "'": '2021',
  '"': '1011 3031',
  '!': '2024 2626',
  '?': '01103041422324 2626',
  '&': '4612112031320405162644',
  '*': '2125 0244 4204',
  '@': '33241322334245 361605011030',
};
const unknown = '0040460600';

/** Capitals are 0.7 of the font size high, as in most typefaces. */
const unitsAnEm = 6 / 0.7;
const narrow = 0.82;
const advance = 5.6 * narrow;

function characters(text: string): string[] {
  return [...text.normalize('NFD').replace(/\p{Mark}/gu, '')];
}

/** Width of a text, in the unit of `fontSize`. */
export function strokeTextWidth(text: string, fontSize: number): number {
  return (characters(text).length * advance * fontSize) / unitsAnEm;
}

/** Draws a text from `x` on, the middle of its capitals at `y`, in `color`. */
export function strokeText(
  context: Canvas2D,
  text: string,
  x: number,
  y: number,
  style: { readonly fontSize: number; readonly color: string },
): void {
  const unit = style.fontSize / unitsAnEm;
  const top = y - 3 * unit;
  context.beginPath();
  characters(text).forEach((character, index) => {
    const left = x + (index * advance + narrow * 0.8) * unit;
    for (const line of (glyphs[character] ?? unknown).split(' ')) {
      for (let i = 0; i < line.length; i += 2) {
        const px = left + narrow * unit * Number(line[i]);
        const py = top + unit * Number(line[i + 1]);
        if (i === 0) context.moveTo(px, py);
        // a line of no length is not drawn everywhere: a dot is a tenth of a unit
        else
          context.lineTo(
            px,
            line.length === 4 && line[1] === line[3] && line[0] === line[2] ? py + 0.1 * unit : py,
          );
      }
    }
  });
  context.strokeStyle = style.color;
  context.lineWidth = Math.max(1, 0.9 * unit);
  context.stroke();
}
