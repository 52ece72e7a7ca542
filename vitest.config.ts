import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { chromiumFlags, chromiumPath } from './scripts/chromium.ts';
import { ClosingReporter } from './scripts/closing-reporter.ts';

const dataFolder = process.env.BOXOPS_TEST_DATA;
const testData = dataFolder !== undefined && existsSync(dataFolder) ? resolve(dataFolder) : '';
const root = import.meta.dirname;

export default defineConfig({
  define: {
    __BOXOPS_TEST_DATA__: JSON.stringify(testData),
    // how many frames the browser's soak takes; see scripts/soak.ts
    __BOXOPS_SOAK_FRAMES__: Number(process.env.BOXOPS_SOAK_FRAMES ?? 300),
  },
  test: {
    reporters: ['default', new ClosingReporter()],
    // the default leaves one core to itself: on two that is half of them
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          setupFiles: ['test/fixed-seed.ts'],
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        server: {
          headers: {
            'Cross-Origin-Opener-Policy': 'same-origin',
            'Cross-Origin-Embedder-Policy': 'require-corp',
          },
          fs: { allow: testData === '' ? [root] : [root, testData] },
        },
        optimizeDeps: { exclude: ['onnxruntime-web'], include: ['comlink', 'rxjs'] },
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: { executablePath: chromiumPath(), args: chromiumFlags } }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
