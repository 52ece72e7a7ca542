/**
 * What does boxops add to the model? The bare `session.run` of a prepared tensor against the whole `detect` of raw
 * pixels (resize, letterbox, tensor, run, decode, NMS, back to the image), in turn in one process.
 *
 *   npx tsx bench/detector-overhead.ts --model yolox_nano_416.onnx --image dog.jpg [--rounds 60] [--head yolox]
 *
 * Without paths, the two files of the folder BOXOPS_TEST_DATA. Each round runs both, in alternating order. What counts is
 * the processor time of this process (the runtime has one thread; garbage collection and compilation are in it), because
 * it does not change with what else the machine does; the time on the clock is printed beside it. Exits with 1 when more
 * than 10 % is added.
 */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { LocalDetector } from '../src/detector/detector.ts';
import { readImage } from '../src/detector/image/read.ts';
import type { DetectorOptions } from '../src/detector/index.ts';
import { planDetector } from '../src/detector/plan-model.ts';
import { InputBuffer } from '../src/detector/preprocess/input.ts';
import { type Feeds, openSession } from '../src/detector/session/session.ts';

const limit = 0.1;
const folder = process.env.BOXOPS_TEST_DATA ?? '.';
const { values: args } = parseArgs({
  options: {
    model: { type: 'string', default: `${folder}/models/yolox_nano_416.onnx` },
    image: { type: 'string', default: `${folder}/data/photos/dog.jpg` },
    head: { type: 'string' },
    rounds: { type: 'string', default: '60' },
  },
});

const bytes = Uint8Array.from(readFileSync(args.model));
const plan = planDetector(
  bytes,
  args.head === undefined ? {} : { head: args.head as NonNullable<DetectorOptions['head']> },
);
const session = await openSession(bytes);
const detector = new LocalDetector(plan, session, {});
const image = await readImage(Uint8Array.from(readFileSync(args.image)));

const buffer = new InputBuffer(plan.preprocessing, plan.image.type);
buffer.reserve(1);
buffer.fill(0, image);
const tensor = new session.ort.Tensor(plan.image.type, buffer.data() as Float32Array, [...buffer.dims(1)]);
const feeds: Feeds = { [plan.image.name]: tensor };

let found = 0;
interface Cost {
  readonly processor: number;
  readonly clock: number;
}

/** Milliseconds of one call. */
async function measure(call: () => Promise<unknown>): Promise<Cost> {
  const clock = performance.now();
  const usage = process.cpuUsage();
  await call();
  const { user, system } = process.cpuUsage(usage);
  return { processor: (user + system) / 1000, clock: performance.now() - clock };
}
const bare = () => measure(() => session.run(feeds));
const whole = () =>
  measure(async () => {
    found = (await detector.detect(image)).count;
  });

const rounds = Number(args.rounds);
const warmUp = 10;
const alone: Cost[] = [];
const all: Cost[] = [];
for (let round = 0; round < warmUp + rounds; round++) {
  const order = round % 2 === 0 ? ([bare, whole] as const) : ([whole, bare] as const);
  const costs = [await order[0](), await order[1]()];
  if (round < warmUp) continue;
  alone.push(costs[round % 2]);
  all.push(costs[1 - (round % 2)]);
}
detector.dispose();

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1];
const { size } = plan.preprocessing;
console.log(
  `${plan.head}, ${image.width}×${image.height} → ${size.width}×${size.height}, ${found} detections`,
);
console.log(`Node ${process.versions.node}, ${cpus()[0]?.model}, ${rounds} rounds; medians in milliseconds`);
const shares = (['processor', 'clock'] as const).map((kind) => {
  const model = median(alone.map((cost) => cost[kind]));
  const extra = median(all.map((cost, i) => cost[kind] - alone[i][kind]));
  const share = extra / model;
  const row = [kind.padEnd(10), `session.run ${model.toFixed(2)}`, `detect adds ${extra.toFixed(2)}`];
  console.log(`${row.join('  ')}  ${(100 * share).toFixed(1)} %`);
  return share;
});
const share = shares[0];
if (!(share <= limit)) {
  console.error(`More than ${100 * limit} % is added.`);
  process.exitCode = 1;
}
