import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startProgress } from '../../src/cli/progress.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('tells a log every ten seconds how far it is, and nothing of short work', () => {
  const lines: string[] = [];
  const terminal = { out: () => {}, err: (text: string) => lines.push(text), interactive: false };
  const progress = startProgress(terminal, 'images', 1000, 100);
  for (let second = 1; second <= 25; second++) {
    vi.advanceTimersByTime(1000);
    progress.update(100 + 20 * second);
  }
  progress.stop();
  expect(lines).toEqual([
    '300/1000 images · 20 a second · 35 s left',
    '500/1000 images · 20 a second · 25 s left',
  ]);
});
