/** A benchmark's second process answers, or says that it will not: a benchmark never waits for a dead one. */
import { afterEach, describe, expect, it } from 'vitest';
import { startTwin, type Twin } from '../../bench/twin.ts';

const program = new URL('./fixtures/twin-process.ts', import.meta.url);
const started: Twin<object>[] = [];
function start(url = program): Twin<object> {
  const twin = startTwin<object>(url);
  started.push(twin);
  return twin;
}
afterEach(() => {
  for (const twin of started.splice(0)) twin.dispose();
});

describe('startTwin', () => {
  it('gives the answers, one question at a time', async () => {
    const twin = start();
    const first = twin.ask({ double: 4 });
    await expect(twin.ask({ double: 1 })).rejects.toThrow('one question at a time');
    expect(await first).toBe(8);
    expect(await twin.ask({ double: 21 })).toBe(42);
  });

  it.each([
    [{ exit: 3 }, 'twin-process.ts ended with code 3'],
    [{ kill: 'SIGKILL' }, 'twin-process.ts died of SIGKILL'],
  ])('rejects where the process ends instead: %j', async (question, message) => {
    const twin = start();
    await expect(twin.ask(question)).rejects.toThrow(message);
    // also what is asked afterwards
    await expect(twin.ask({ double: 1 })).rejects.toThrow(message);
  });

  it('rejects where there is no such program', async () => {
    const missing = start(new URL('./fixtures/no-such.ts', import.meta.url));
    await expect(missing.ask({ double: 1 })).rejects.toThrow('no-such.ts ended with code 1');
  });

  it('rejects what is pending when it is disposed', async () => {
    const twin = start();
    await twin.ask({ double: 1 });
    const pending = twin.ask({ fault: 'late' });
    twin.dispose();
    await expect(pending).rejects.toThrow(/died of SIGTERM|ended with code 1/);
  });
});
