/** This core's SIMD multiply-add peak in wasm: independent chains of a mul and an add in registers, no memory at all. */
import asc from 'assemblyscript/asc';

/** Enough chains to hide the latency of both operations, few enough to stay in sixteen registers. */
const CHAINS = 10;
const UNROLLED = 4;

const chains = Array.from({ length: CHAINS }, (_, i) => `a${i}`);
const source = `export function run(turns: i32): f32 {
  const scale = f32x4.splat(0.999);
  const shift = f32x4.splat(0.001);
  ${chains.map((name, i) => `let ${name} = f32x4.splat(${i + 1});`).join('\n')}
  for (let i = 0; i < turns; i++) {
    ${Array.from({ length: UNROLLED }, () =>
      chains.map((name) => `${name} = f32x4.add(f32x4.mul(${name}, scale), shift);`).join('\n'),
    ).join('\n')}
  }
  return f32x4.extract_lane(${chains.reduce((sum, name) => `f32x4.add(${sum}, ${name})`)}, 0);
}`;

/** Runs `turns` turns. */
export type PeakKernel = (turns: number) => number;

/** Floating-point operations a turn. */
export const operationsPerTurn = CHAINS * UNROLLED * 4 * 2;

export async function peakKernel(): Promise<PeakKernel> {
  let wasm: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await asc.main(
    ['peak.ts', '--outFile', 'peak.wasm', '-O3', '--runtime', 'stub', '--enable', 'simd'],
    {
      readFile: (name) => (name === 'peak.ts' ? source : null),
      writeFile(name, contents) {
        if (name.endsWith('.wasm')) wasm = contents as Uint8Array<ArrayBuffer>;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || wasm === undefined) throw new Error(stderr.toString());
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { abort() {} } });
  return exports.run as PeakKernel;
}
