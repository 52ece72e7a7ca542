/** The way in: opens a device and gives the object that works on it. */
import { BatchIou } from './batch-iou.ts';
import type { BatchIouOptions } from './types.ts';

/**
 * Opens the GPU for batch IoU: an own device, or a given one (shared with onnxruntime-web, say), which is never destroyed.
 *
 * Rejects with UnsupportedError where there is no WebGPU; with `backend: 'auto'` or `'cpu'` it then works on the CPU.
 *
 * @example
 * const gpu = await createBatchIou({ powerPreference: 'high-performance' });
 * const { values, indices } = await gpu.bestMatch(anchors, groundTruth, { metric: 'giou' });
 * gpu.dispose();
 */
export async function createBatchIou(options: BatchIouOptions = {}): Promise<BatchIou> {
  return new BatchIou(options).open();
}
