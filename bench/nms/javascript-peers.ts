/** Peers a page can load: onnxruntime (native and wasm) and tfjs-wasm. Those that are not installed are left out. */
import { decodeModel, nmsModel } from './onnx-model.ts';
import { type BenchSet, type Peer, sample } from './peer.ts';

interface OrtLike {
  readonly InferenceSession: {
    create(
      bytes: Uint8Array,
      options: object,
    ): Promise<{ run(feeds: object): Promise<Record<string, { data: ArrayLike<bigint> }>> }>;
  };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => object;
  readonly env?: { wasm?: { numThreads?: number } };
}

/** Imports a peer by a name that is not resolved before it is needed. */
export async function load(module: string): Promise<unknown> {
  try {
    return await import(module);
  } catch {
    return null;
  }
}

export const oneThread = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 };

export async function loadOrt(module: 'onnxruntime-node' | 'onnxruntime-web'): Promise<OrtLike | null> {
  const found = (await load(module)) as (OrtLike & { default?: OrtLike }) | null;
  if (found === null) return null;
  const ort = found.InferenceSession === undefined ? found.default! : found;
  if (ort.env?.wasm !== undefined) ort.env.wasm.numThreads = 1;
  return ort;
}

/** NonMaxSuppression with one class. */
export async function ortPeer(module: 'onnxruntime-node' | 'onnxruntime-web'): Promise<Peer | null> {
  const ort = await loadOrt(module);
  if (ort === null) return null;
  const sessions = new Map<number, Awaited<ReturnType<OrtLike['InferenceSession']['create']>>>();
  return {
    name: module,
    async measure(sets, budget) {
      const { classIds, threshold } = sets[0]!;
      if (classIds !== undefined) return null;
      let session = sessions.get(threshold);
      if (session === undefined) {
        session = await ort.InferenceSession.create(nmsModel(threshold), oneThread);
        sessions.set(threshold, session);
      }
      const run = session.run.bind(session);
      const runs = sets.map(({ boxes, scores }) => {
        const swapped = boxes.map((_, i) => boxes[i ^ 1]!);
        const feeds = {
          boxes: new ort.Tensor('float32', swapped, [1, scores.length, 4]),
          scores: new ort.Tensor('float32', scores, [1, 1, scores.length]),
        };
        return async () => {
          const { selected } = await run(feeds);
          return Array.from({ length: selected!.data.length / 3 }, (_, i) =>
            Number(selected!.data[3 * i + 2]!),
          );
        };
      });
      return sample(runs, budget);
    },
  };
}

/** Split, transpose and per-class NonMaxSuppression of a YOLOv8 output; gives box indices. */
export async function ortDecode(
  module: 'onnxruntime-node' | 'onnxruntime-web',
  threshold: number,
  confidence: number,
): Promise<((output: Float32Array, budget: number) => ReturnType<Peer['measure']>) | null> {
  const ort = await loadOrt(module);
  if (ort === null) return null;
  const session = await ort.InferenceSession.create(decodeModel(threshold, confidence), oneThread);
  return (output, budget) => {
    const feeds = { output: new ort.Tensor('float32', output, [1, 84, output.length / 84]) };
    const run = async () => {
      const { selected } = await session.run(feeds);
      return Array.from({ length: selected!.data.length / 3 }, (_, i) => Number(selected!.data[3 * i + 2]!));
    };
    return sample([run], budget);
  };
}

interface TfLike {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor2d(data: Float32Array, shape: [number, number]): object;
  tensor1d(data: Float32Array): object;
  dispose(tensors: readonly object[]): void;
  readonly image: {
    nonMaxSuppression(
      b: object,
      s: object,
      limit: number,
      iou: number,
    ): { data(): Promise<Int32Array>; dispose(): void };
  };
}

export async function tfjsPeer(): Promise<Peer | null> {
  const tf = (await load('@tensorflow/tfjs-core')) as TfLike | null;
  const wasm = (await load('@tensorflow/tfjs-backend-wasm')) as {
    setThreadsCount?(count: number): void;
  } | null;
  if (tf === null || wasm === null) return null;
  wasm.setThreadsCount?.(1);
  await tf.setBackend('wasm');
  await tf.ready();
  return {
    name: 'tfjs-wasm',
    async measure(sets: readonly BenchSet[], budget) {
      if (sets.some(({ classIds }) => classIds !== undefined)) return null;
      const tensors: object[] = [];
      const runs = sets.map(({ boxes, scores, threshold }) => {
        const corners = tf.tensor2d(
          boxes.map((_, i) => boxes[i ^ 1]!),
          [scores.length, 4],
        );
        const values = tf.tensor1d(scores);
        tensors.push(corners, values);
        return async () => {
          const kept = tf.image.nonMaxSuppression(corners, values, scores.length, threshold);
          const data = await kept.data();
          kept.dispose();
          return data;
        };
      });
      const result = await sample(runs, budget);
      tf.dispose(tensors);
      return result;
    },
  };
}
