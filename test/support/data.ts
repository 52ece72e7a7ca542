/**
 * Where the real models and annotated data for tests lie: the folder named by `BOXOPS_TEST_DATA`.
 *
 * Tests that need it use {@link describeWithData}, which skips where the variable is not set; where it is set, nothing
 * may be skipped.
 */
import { describe } from 'vitest';

declare const __BOXOPS_TEST_DATA__: string;

/** The data folder, or '' where there is none. */
export const testData: string = typeof __BOXOPS_TEST_DATA__ === 'string' ? __BOXOPS_TEST_DATA__ : '';

/** `describe`, skipped without test data. */
export const describeWithData = testData === '' ? describe.skip : describe;

/** Path of a file below the data folder, e.g. `dataPath('models/yolox_nano_416.onnx')`. */
export function dataPath(name: string): string {
  return `${testData}/${name}`;
}

/** URL under which vite's dev server serves a file of the data folder to a browser test. */
export function dataUrl(name: string): string {
  return `/@fs${testData}/${name}`;
}
