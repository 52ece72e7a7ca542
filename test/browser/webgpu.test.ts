/** The WebGPU suite in Chromium, whose adapter is required. */
import { webgpuSuite } from '../webgpu/suite.ts';

webgpuSuite('Chromium', () => navigator.gpu);
