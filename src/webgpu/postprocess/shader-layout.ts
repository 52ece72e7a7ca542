/** What the kernels of post-processing share with their host: limits, the job's fields, the words of a record. */

/** Candidates that may pass the threshold; above, the CPU takes over. */
export const candidateLimit = 4096;
/** Rows that may be kept; above, the CPU takes over. */
export const recordLimit = 1024;
/** Words of a record before its extra columns: row, class, score, aux, box. */
export const recordWords = 8;
/** Words before the records: candidates, broken rows, listed. */
export const resultHeader = 4;

/** Fields of `job` in order; all are 4 bytes. `strides` are 4. */
export const jobFields = [
  ['rows', 'u32'],
  ['classes', 'u32'],
  ['scoreBase', 'u32'],
  ['scoreRow', 'u32'],
  ['scoreColumn', 'u32'],
  ['firstClass', 'u32'],
  ['aux', 'u32'],
  ['boxBase', 'u32'],
  ['boxRow', 'u32'],
  ['boxColumn', 'u32'],
  ['extraFrom', 'u32'],
  ['extraCount', 'u32'],
  ['floor', 'i32'],
  ['everyClass', 'u32'],
  ['filtered', 'u32'],
  ['suppress', 'u32'],
  ['maxCandidates', 'u32'],
  ['maxDetections', 'u32'],
  ['maxRecords', 'u32'],
  ['classAware', 'u32'],
  ['threshold', 'f32'],
  ['slack', 'f32'],
  ['pixelOffset', 'f32'],
  ['width', 'u32'],
  ['height', 'u32'],
  ['levels', 'u32'],
] as const;

/** Most words of metric parameters and of the bit set of allowed classes. */
export const metricSlots = 16;

/** The job as every kernel reads it. */
export const common = `
struct Job {
  ${jobFields.map(([name, type]) => `${name}: ${type},`).join('\n  ')}
  strides: array<u32, 4>,
  metric: array<f32, ${metricSlots}>,
  allowed: array<u32>,
}
const lowest = i32(-0x7fffffff - 1);
`;

/** Declares a storage buffer. */
export const bind = (at: number, access: 'read' | 'read_write', name: string, type: string): string =>
  `@group(0) @binding(${at}) var<storage, ${access}> ${name}: ${type};`;
