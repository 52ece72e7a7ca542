/** Peers a page can load: onnxruntime (native and wasm) and tfjs-wasm, one thread each. Those not installed are left out. */
import { load, loadOrt, oneThread } from '../nms/javascript-peers.ts';
import { iouModel } from './onnx-graph.ts';
import { type Answer, type BenchJob, type IouPeer, timed } from './peer.ts';

export async function ortPeer(module: 'onnxruntime-node' | 'onnxruntime-web'): Promise<IouPeer | null> {
  const ort = await loadOrt(module);
  if (ort === null) return null;
  const sessions = new Map<string, ReturnType<typeof ort.InferenceSession.create>>();
  const sessionOf = ({ kind, metric }: BenchJob) => {
    const key = `${kind} ${metric}`;
    let session = sessions.get(key);
    if (session === undefined) {
      session = ort.InferenceSession.create(iouModel(kind, metric), oneThread);
      sessions.set(key, session);
    }
    return session;
  };
  const feedsOf = ({ a, b, rows, columns }: BenchJob) => ({
    a: new ort.Tensor('float32', a, [rows, 4]),
    b: new ort.Tensor('float32', b, [columns, 4]),
  });
  // onnxruntime-web's memory of a run on the largest matrices reaches a gigabyte.
  const canRun = ({ rows, columns }: BenchJob) => module === 'onnxruntime-node' || rows * columns <= 3e6;
  return {
    name: module,
    async answer(job) {
      if (!canRun(job)) return null;
      const result = (await (await sessionOf(job)).run(feedsOf(job))) as Record<string, { data: unknown }>;
      const values = (result[job.kind === 'pairwise' ? job.metric : 'best']!.data as Float32Array).slice();
      const index = result.index?.data as BigInt64Array | undefined;
      return { values, ...(index !== undefined && { indices: Array.from(index, Number) }) };
    },
    async measure(job, budget) {
      const session = await sessionOf(job);
      const feeds = feedsOf(job);
      return timed(() => session.run(feeds), budget);
    },
  };
}

interface TfTensor {
  data(): Promise<Float32Array | Int32Array>;
}

/** The operations of tfjs-core that the formulas need. */
interface TfLike {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor2d(data: Float32Array, shape: [number, number]): TfTensor;
  tidy<T>(work: () => T): T;
  dispose(tensors: unknown): void;
  split(tensor: TfTensor, parts: number, axis: number): TfTensor[];
  transpose(tensor: TfTensor): TfTensor;
  add(x: TfTensor, y: TfTensor | number): TfTensor;
  sub(x: TfTensor | number, y: TfTensor): TfTensor;
  mul(x: TfTensor, y: TfTensor | number): TfTensor;
  div(x: TfTensor, y: TfTensor): TfTensor;
  minimum(x: TfTensor, y: TfTensor): TfTensor;
  maximum(x: TfTensor, y: TfTensor): TfTensor;
  relu(x: TfTensor): TfTensor;
  square(x: TfTensor): TfTensor;
  atan(x: TfTensor): TfTensor;
  max(x: TfTensor, axis: number): TfTensor;
  argMax(x: TfTensor, axis: number): TfTensor;
}

function tfFormula(tf: TfLike, metric: BenchJob['metric'], a: TfTensor, b: TfTensor): TfTensor {
  const [ax1, ay1, ax2, ay2] = tf.split(a, 4, 1) as [TfTensor, TfTensor, TfTensor, TfTensor];
  const [bx1, by1, bx2, by2] = tf.split(tf.transpose(b), 4, 0) as [TfTensor, TfTensor, TfTensor, TfTensor];
  const [aw, ah, bw, bh] = [tf.sub(ax2, ax1), tf.sub(ay2, ay1), tf.sub(bx2, bx1), tf.sub(by2, by1)];
  const side = (a1: TfTensor, a2: TfTensor, b1: TfTensor, b2: TfTensor) =>
    tf.relu(tf.sub(tf.minimum(a2, b2), tf.maximum(a1, b1)));
  const intersection = tf.mul(side(ax1, ax2, bx1, bx2), side(ay1, ay2, by1, by2));
  const union = tf.sub(tf.add(tf.mul(aw, ah), tf.mul(bw, bh)), intersection);
  const iou = tf.div(intersection, union);
  if (metric === 'iou') return iou;
  const cw = tf.sub(tf.maximum(ax2, bx2), tf.minimum(ax1, bx1));
  const ch = tf.sub(tf.maximum(ay2, by2), tf.minimum(ay1, by1));
  if (metric === 'giou') {
    const enclosing = tf.mul(cw, ch);
    return tf.sub(iou, tf.div(tf.sub(enclosing, union), enclosing));
  }
  const delta = (a1: TfTensor, a2: TfTensor, b1: TfTensor, b2: TfTensor) =>
    tf.square(tf.mul(tf.sub(tf.add(a1, a2), tf.add(b1, b2)), 0.5));
  const distance = tf.add(delta(ax1, ax2, bx1, bx2), delta(ay1, ay2, by1, by2));
  const diou = tf.sub(iou, tf.div(distance, tf.add(tf.add(tf.square(cw), tf.square(ch)), 1e-7)));
  if (metric === 'diou') return diou;
  const turn = tf.sub(tf.atan(tf.div(bw, bh)), tf.atan(tf.div(aw, ah)));
  const v = tf.mul(tf.square(turn), 4 / Math.PI ** 2);
  const alpha = tf.div(v, tf.add(tf.add(tf.sub(1, iou), v), 1e-7));
  return tf.sub(diou, tf.mul(alpha, v));
}

export async function tfjsPeer(): Promise<IouPeer | null> {
  const tf = (await load('@tensorflow/tfjs-core')) as TfLike | null;
  const wasm = (await load('@tensorflow/tfjs-backend-wasm')) as {
    setThreadsCount?(count: number): void;
  } | null;
  if (tf === null || wasm === null) return null;
  wasm.setThreadsCount?.(1);
  await tf.setBackend('wasm');
  await tf.ready();
  const run = async ({ kind, metric, a, b, rows, columns }: BenchJob): Promise<Answer> => {
    const results = tf.tidy(() => {
      const matrix = tfFormula(tf, metric, tf.tensor2d(a, [rows, 4]), tf.tensor2d(b, [columns, 4]));
      return kind === 'pairwise' ? [matrix] : [tf.max(matrix, 1), tf.argMax(matrix, 1)];
    });
    const [values, indices] = await Promise.all(results.map((tensor) => tensor.data()));
    tf.dispose(results);
    return { values: values as Float32Array, ...(indices !== undefined && { indices }) };
  };
  return {
    name: 'tfjs-wasm',
    async answer(job) {
      if (job.rows * job.columns > 3e6) return null;
      try {
        return await run(job);
      } catch (error) {
        // An operation that the wasm backend does not have.
        if (/not registered|not found/i.test((error as Error).message)) return null;
        throw error;
      }
    },
    measure: (job, budget) => timed(() => run(job), budget),
  };
}
