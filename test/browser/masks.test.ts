/** Masks on the GPU in Chromium, whose adapter is required. */
import { maskTests } from '../webgpu/mask-cases.ts';

maskTests(() => navigator.gpu);
