/**
 * Does the demo keep its main thread free? Traces the page in Chromium while the clip plays and lists every task of the
 * main thread, with the functions of ours that ran in it.
 *
 *   npx tsx bench/demo-long-tasks.ts [--seconds 20] [--json out/long-tasks.json]
 *
 * Exits with 1 when a task in steady state took more than 50 ms, the web's definition of a long task, of a core's time.
 * Tasks that were longer only because other processes held the core are listed apart; a quiet machine has none.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { chromiumFlags, chromiumPath } from '../scripts/chromium.ts';
import { serveDemo } from '../scripts/serve-demo.ts';

const longTaskMs = 50;
const categories = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', '__metadata'];

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  readonly dur?: number;
  /** Microseconds on a core, without what other processes took. */
  readonly tdur?: number;
  readonly args?: { readonly data?: { readonly url?: string; readonly functionName?: string } };
}

export interface MainThreadTask {
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
  /** `function (file)` of every entry into our code, longest first; empty where only the browser worked. */
  readonly functions: readonly string[];
}

export interface LongTaskReport {
  readonly seconds: number;
  readonly framesPerSecond: number;
  readonly tasks: number;
  /** By a core's time, as `p99`. */
  readonly longest: MainThreadTask | null;
  readonly p99: number;
  /** Tasks with more than 50 ms of a core's time. */
  readonly long: readonly MainThreadTask[];
  /** Tasks that took longer than 50 ms, but not of a core's time: other processes ran meanwhile. */
  readonly heldUp: readonly MainThreadTask[];
  /** Total and longest milliseconds on a core by entry function. */
  readonly functions: readonly { readonly name: string; readonly total: number; readonly longest: number }[];
  /** Part of the time the main thread was busy, 0–1. */
  readonly busy: number;
}

/** Plays the clip for a while and reports on the main thread's tasks. */
export async function traceDemo(seconds: number): Promise<LongTaskReport> {
  const demo = await serveDemo({ port: 0, minify: false });
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumFlags });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(demo.url);
    await page.locator('#status[data-phase="running"]').waitFor({ timeout: 120_000 });
    await page.waitForFunction(() => document.querySelectorAll('#list li:not([hidden])').length > 0);
    // steady state: compiled, warmed up, histories full
    await page.waitForTimeout(5000);
    await browser.startTracing(page, { categories });
    await page.waitForTimeout(seconds * 1000);
    const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
    const framesPerSecond = Number(await page.locator('#m-fps').textContent());
    return summarise(trace.traceEvents, demo.url, seconds, framesPerSecond);
  } finally {
    await browser.close();
    await demo.close();
  }
}

function summarise(
  events: readonly TraceEvent[],
  origin: string,
  seconds: number,
  framesPerSecond: number,
): LongTaskReport {
  const calls = events.filter((event) => event.name === 'FunctionCall' && event.dur !== undefined);
  const ours = calls.filter((event) => event.args?.data?.url?.startsWith(origin));
  const main = mainThread(events, ours);
  const own = ours.filter(main);
  const tasks = events
    .filter((event) => main(event) && event.ph === 'X' && event.name.endsWith('RunTask'))
    .filter((event, _, all) => !all.some((other) => other !== event && contains(other, event)))
    .map((event) => describeTask(event, own));
  const sorted = tasks.toSorted((a, b) => b.cpuMilliseconds - a.cpuMilliseconds);
  const total = tasks.reduce((sum, task) => sum + task.cpuMilliseconds, 0);
  return {
    seconds,
    framesPerSecond,
    tasks: tasks.length,
    longest: sorted[0] ?? null,
    p99: sorted[Math.floor(sorted.length / 100)]?.cpuMilliseconds ?? 0,
    long: sorted.filter((task) => task.cpuMilliseconds > longTaskMs),
    heldUp: sorted.filter((task) => task.milliseconds > longTaskMs && task.cpuMilliseconds <= longTaskMs),
    functions: byFunction(own),
    busy: total / (seconds * 1000),
  };
}

/** The page's main thread: the renderer main thread that ran our functions (workers have threads of their own). */
function mainThread(
  events: readonly TraceEvent[],
  ours: readonly TraceEvent[],
): (event: TraceEvent) => boolean {
  const named = events.filter(
    (event) => event.name === 'thread_name' && JSON.stringify(event.args).includes('CrRendererMain'),
  );
  const chosen = named.find(({ pid, tid }) => ours.some((event) => event.pid === pid && event.tid === tid));
  if (chosen === undefined) throw new Error('the trace shows no main thread that ran the page');
  return (event) => event.pid === chosen.pid && event.tid === chosen.tid;
}

function contains(outer: TraceEvent, inner: TraceEvent): boolean {
  return outer.ts <= inner.ts && outer.ts + (outer.dur ?? 0) > inner.ts + (inner.dur ?? 0);
}

function nameOf({ args }: TraceEvent): string {
  const file = args?.data?.url?.split('/').at(-1) ?? '';
  return `${args?.data?.functionName || '(anonymous)'} (${file})`;
}

function describeTask(task: TraceEvent, calls: readonly TraceEvent[]): MainThreadTask {
  const end = task.ts + (task.dur ?? 0);
  const inside = calls
    .filter((call) => call.ts >= task.ts && call.ts < end)
    .toSorted((a, b) => b.dur! - a.dur!);
  return {
    milliseconds: (task.dur ?? 0) / 1000,
    cpuMilliseconds: (task.tdur ?? task.dur ?? 0) / 1000,
    functions: [...new Set(inside.map(nameOf))],
  };
}

function byFunction(calls: readonly TraceEvent[]): LongTaskReport['functions'] {
  const sums = new Map<string, { total: number; longest: number }>();
  for (const call of calls) {
    const name = nameOf(call);
    const sum = sums.get(name) ?? { total: 0, longest: 0 };
    const milliseconds = (call.tdur ?? call.dur!) / 1000;
    sums.set(name, { total: sum.total + milliseconds, longest: Math.max(sum.longest, milliseconds) });
  }
  return [...sums].map(([name, sum]) => ({ name, ...sum })).toSorted((a, b) => b.total - a.total);
}

function describe({ milliseconds, cpuMilliseconds, functions }: MainThreadTask): string {
  const who = functions.join(', ') || 'the browser alone';
  return `${cpuMilliseconds.toFixed(1)} ms (${milliseconds.toFixed(1)} ms in all): ${who}`;
}

function print(report: LongTaskReport): void {
  const { longest } = report;
  const lines = [
    `${report.tasks} main-thread tasks in ${report.seconds} s at ${report.framesPerSecond} detected frames a second`,
    `on a core: busy ${(report.busy * 100).toFixed(1)} %, 99th percentile ${report.p99.toFixed(1)} ms, longest ${longest === null ? '-' : describe(longest)}`,
    '',
    'our functions, by total time:',
    ...report.functions
      .slice(0, 12)
      .map(
        ({ name, total, longest: worst }) =>
          `  ${total.toFixed(0).padStart(6)} ms  longest ${worst.toFixed(1).padStart(5)} ms  ${name}`,
      ),
    '',
    `tasks with more than ${longTaskMs} ms on a core: ${report.long.length}`,
    ...report.long.map((task) => `  ${describe(task)}`),
    `tasks that other processes held up beyond ${longTaskMs} ms: ${report.heldUp.length}`,
    ...report.heldUp.slice(0, 5).map((task) => `  ${describe(task)}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '20' }, json: { type: 'string' } },
  });
  const report = await traceDemo(Number(values.seconds));
  print(report);
  if (values.json !== undefined) {
    mkdirSync(dirname(values.json), { recursive: true });
    writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  }
  process.exitCode = report.long.length > 0 ? 1 : 0;
}
