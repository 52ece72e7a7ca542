/**
 * Closes a test run with one plain line of counts and the names of what was skipped.
 *
 * Where BOXOPS_TEST_DATA is set nothing may be skipped: a skipped test then fails the run. Tests named `[optional]` may
 * be: they need what the project does not (a Python with numpy, a Vulkan driver for Dawn).
 */
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const skipped: TestCase[] = [];
    for (const module of modules) {
      if (module.state() === 'failed' && [...module.children.allTests()].length === 0) counts.failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') counts.passed++;
        else if (state === 'failed') counts.failed++;
        else {
          counts.skipped++;
          skipped.push(test);
        }
      }
    }
    for (const test of skipped) console.log(`skipped: ${test.module.relativeModuleId} > ${test.fullName}`);
    const needed = skipped.filter((test) => !test.fullName.includes('[optional]'));
    if (needed.length > 0 && (process.env.BOXOPS_TEST_DATA ?? '') !== '') {
      console.log('BOXOPS_TEST_DATA is set: a skipped test is a failure');
      process.exitCode = 1;
    }
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}
