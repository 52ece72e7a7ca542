/** WGSL of mask decoding: `sum` weighs prototypes inside the boxes, `decide` interpolates and compares, 32 pixels a word. */

/** 32-bit words of one `Mask` below. */
export const wordsPerMask = 14;

const mask = /* wgsl */ `
struct Mask {
  left: u32, top: u32, right: u32, bottom: u32,
  x: f32, y: f32, cellWidth: f32, cellHeight: f32,
  columns: u32, cells: u32, firstColumn: u32, firstRow: u32,
  firstCell: u32, bits: u32,
}
@group(0) @binding(0) var<storage, read> masks: array<Mask>;
`;

export const maskShaders = {
  /** One invocation a cell of a patch. */
  sum: /* wgsl */ `${mask}
@group(0) @binding(1) var<storage, read> size: vec4u;
@group(0) @binding(2) var<storage, read> prototypes: array<f32>;
@group(0) @binding(3) var<storage, read> coefficients: array<f32>;
@group(0) @binding(4) var<storage, read_write> patches: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let own = masks[id.y];
  if (id.x >= own.cells) { return; }
  let column = own.firstColumn + id.x % own.columns;
  let row = own.firstRow + id.x / own.columns;
  let plane = size.y * size.z;
  var at = row * size.y + column;
  var total = 0.0;
  for (var channel = 0u; channel < size.x; channel++) {
    total += coefficients[id.y * size.x + channel] * prototypes[at];
    at += plane;
  }
  patches[own.firstCell + id.x] = total;
}
`,
  /** One invocation 32 pixels of a box's column. */
  decide: /* wgsl */ `${mask}
@group(0) @binding(1) var<storage, read> patches: array<f32>;
@group(0) @binding(2) var<storage, read_write> bits: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let own = masks[id.y];
  let height = own.bottom - own.top;
  let perColumn = (height + 31u) / 32u;
  if (height == 0u || id.x >= (own.right - own.left) * perColumn) { return; }
  let i = id.x / perColumn;
  let first = 32u * (id.x % perColumn);
  let lastColumn = own.columns - 1u;
  let lastRow = own.cells / own.columns - 1u;
  let across = clamp((f32(own.left + i) + 0.5 - own.x) / own.cellWidth, 0.0, f32(lastColumn));
  let a = u32(across);
  let b = min(lastColumn, a + 1u);
  let u = across - f32(a);
  var word = 0u;
  for (var k = 0u; k < min(32u, height - first); k++) {
    let down = clamp((f32(own.top + first + k) + 0.5 - own.y) / own.cellHeight, 0.0, f32(lastRow));
    let low = u32(down);
    let upper = own.firstCell + low * own.columns;
    let lower = own.firstCell + min(lastRow, low + 1u) * own.columns;
    let above = patches[upper + a] + u * (patches[upper + b] - patches[upper + a]);
    let below = patches[lower + a] + u * (patches[lower + b] - patches[lower + a]);
    if (above + (down - f32(low)) * (below - above) > 0.0) { word |= 1u << k; }
  }
  bits[own.bits + id.x] = word;
}
`,
} as const;
