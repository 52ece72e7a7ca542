/** One set of tests for every WebGPU: Chromium runs it in test/browser/webgpu.test.ts, Dawn in dawn.test.ts. */
import { describe } from 'vitest';
import { deviceTests } from './device-cases.ts';
import { inputTests } from './input-cases.ts';
import { jobTests } from './job-cases.ts';
import { valueTests } from './value-cases.ts';

/** Gives a `GPU`; asked once a test. */
export type OpenGpu = () => GPU;

export function webgpuSuite(backend: string, gpu: OpenGpu): void {
  describe(`WebGPU in ${backend}`, () => {
    valueTests(gpu);
    jobTests(gpu);
    inputTests(gpu);
    deviceTests(gpu);
  });
}
