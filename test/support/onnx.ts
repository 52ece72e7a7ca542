/**
 * Writing ONNX files in tests: small graphs from a description, and real files with everything a person could read
 * removed. Encodes protobuf by itself, so that it shares no code with the reader under test.
 */

/** A protobuf field: number, and a varint, bytes, or text. */
type Field = readonly [number, number | string | Uint8Array];

function varint(value: number): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const byte = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? byte | 128 : byte);
  } while (rest > 0n);
  return bytes;
}

/** Encodes fields in order. */
export function message(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (const [field, value] of fields) {
    if (typeof value === 'number') {
      parts.push(Uint8Array.from([...varint(field * 8), ...varint(value)]));
      continue;
    }
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
    parts.push(Uint8Array.from([...varint(field * 8 + 2), ...varint(bytes.length)]), bytes);
  }
  return concat(parts);
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export type TestDims = readonly (number | string)[];

/** A value of the graph: dims, and float32 (1) unless `type` says otherwise. */
export interface TestValue {
  readonly name: string;
  readonly dims: TestDims;
  readonly type?: number;
}

export interface TestGraph {
  readonly inputs?: readonly TestValue[];
  readonly outputs: readonly TestValue[];
  readonly nodes?: readonly {
    readonly op: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
  }[];
  /** Constants; float32 data, zeros when left out. */
  readonly initializers?: readonly {
    readonly name: string;
    readonly dims: readonly number[];
    readonly data?: Float32Array;
  }[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Bytes of a model with this graph. */
export function writeOnnx(graph: TestGraph): Uint8Array<ArrayBuffer> {
  const value = ({ name, dims, type = 1 }: TestValue) => {
    const shape = message(
      dims.map((dim) => [1, message([typeof dim === 'number' ? [1, dim] : [2, dim]])] as const),
    );
    return message([
      [1, name],
      [
        2,
        message([
          [
            1,
            message([
              [1, type],
              [2, shape],
            ]),
          ],
        ]),
      ],
    ]);
  };
  const picture: TestValue = { name: 'images', dims: [1, 3, 640, 640] };
  const body: Field[] = [
    ...(graph.nodes ?? []).map(
      ({ op, inputs, outputs }) =>
        [
          1,
          message([
            ...inputs.map((name) => [1, name] as const),
            ...outputs.map((name) => [2, name] as const),
            [4, op],
          ]),
        ] as const,
    ),
    [2, 'test'],
    ...(graph.initializers ?? []).map(({ name, dims, data }) => {
      const values = data ?? new Float32Array(dims.reduce((product, dim) => product * dim, 1));
      const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      return [5, message([...dims.map((dim) => [1, dim] as const), [2, 1], [8, name], [9, raw]])] as const;
    }),
    ...(graph.inputs ?? [picture]).map((input) => [11, value(input)] as const),
    ...graph.outputs.map((output) => [12, value(output)] as const),
  ];
  const metadata = Object.entries(graph.metadata ?? {}).map(
    ([key, text]) =>
      [
        14,
        message([
          [1, key],
          [2, text],
        ]),
      ] as const,
  );
  return message([[1, 8], [2, 'boxops-test'], [7, message(body)], [8, message([[2, 17]])], ...metadata]);
}

/** What survives of each message when a file is stripped: kept fields, value names to rename, messages to go into. */
interface Rule {
  readonly drop?: readonly number[];
  readonly names?: readonly number[];
  readonly into?: Readonly<Record<number, Rule>>;
}

const tensorRule: Rule = { names: [8], drop: [12] };
const valueRule: Rule = {
  names: [1],
  drop: [3],
  into: { 2: { into: { 1: { into: { 2: { into: { 1: { drop: [2, 3] } } } } } } } },
};
const modelRule: Rule = {
  drop: [2, 3, 4, 5, 6, 14],
  into: {
    7: {
      drop: [2, 10, 13, 14],
      into: {
        1: { names: [1, 2], drop: [3, 6], into: { 5: { drop: [13], into: { 5: { drop: [8, 12] } } } } },
        5: tensorRule,
        11: valueRule,
        12: valueRule,
      },
    },
  },
};

/**
 * The same model without producer, metadata, documentation, node names, intermediate shapes and symbolic dims, and
 * with every value renamed `t0`, `t1`, … in the order of appearance.
 */
export function stripOnnx(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const renamed = new Map<string, string>([['', '']]);
  const rename = (name: string) => {
    if (!renamed.has(name)) renamed.set(name, `t${renamed.size}`);
    return renamed.get(name)!;
  };
  return rewrite(bytes, modelRule, rename);
}

function rewrite(bytes: Uint8Array, rule: Rule, rename: (name: string) => string): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let at = 0;
  const read = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value & 0x1fffffffffffffn);
    }
  };
  while (at < bytes.length) {
    const start = at;
    const tag = read();
    const field = tag >> 3;
    const wire = tag & 7;
    let content: Uint8Array | null = null;
    if (wire === 0) read();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else {
      const length = read();
      content = bytes.subarray(at, at + length);
      at += length;
    }
    if (rule.drop?.includes(field)) continue;
    const inner = rule.into?.[field];
    if (content !== null && rule.names?.includes(field)) {
      parts.push(message([[field, rename(new TextDecoder().decode(content))]]));
    } else if (content !== null && inner !== undefined)
      parts.push(message([[field, rewrite(content, inner, rename)]]));
    else parts.push(bytes.subarray(start, at));
  }
  return concat(parts);
}
