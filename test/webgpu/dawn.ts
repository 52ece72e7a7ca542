/**
 * Dawn in Node, where it is: the npm package `webgpu` and a Vulkan driver. It is optional. SwiftShader comes with
 * Debian's chromium.
 */
import { existsSync } from 'node:fs';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Dawn's `GPU` if it has an adapter here, else why not. */
export async function openDawn(): Promise<{ readonly gpu: GPU } | { readonly absent: string }> {
  if (process.env.VK_ICD_FILENAMES === undefined && existsSync(swiftShader)) {
    process.env.VK_ICD_FILENAMES = swiftShader;
  }
  try {
    const { create } = await import('webgpu');
    const gpu = create([]);
    const adapter = await gpu.requestAdapter();
    return adapter === null ? { absent: 'Dawn found no adapter' } : { gpu };
  } catch (error) {
    return { absent: (error as Error).message };
  }
}
