/** What runs: the model, where it runs, how far loading is, and what went wrong. Views only read this. */
import type { DetectorInfo, DetectorStats, Preprocessing } from '../../../src/detector/types.ts';
import type { HeadCandidate, HeadName } from '../../../src/heads/index.ts';
import { createStore } from './store.ts';

export type Phase = 'loading' | 'running' | 'failed';

/** A model file and how to read it. */
export interface ModelFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The default model that came with the page. */
  readonly embedded: boolean;
  /** The head chosen by hand; null leaves the choice to the inspection. */
  readonly head: HeadName | null;
  /** Parts of the pre-processing chosen by hand: what a chosen candidate brings, the input size. */
  readonly preprocessing: Preprocessing;
  /** Heads that fit the file, best first. */
  readonly candidates: readonly HeadCandidate[];
  readonly reasons: readonly string[];
  /** Whether the model takes pictures of any size. */
  readonly anySize: boolean;
}

export interface Problem {
  readonly title: string;
  readonly message: string;
  /** The error's class and code, for whoever reports it. */
  readonly code: string;
  readonly action: { readonly label: string; readonly run: () => void } | null;
}

export interface Session {
  readonly phase: Phase;
  /** What is being waited for, in words, and how far it is (0–1, or null where unknown). */
  readonly progressText: string;
  readonly progress: number | null;
  readonly model: ModelFile | null;
  readonly info: DetectorInfo | null;
  readonly stats: DetectorStats | null;
  readonly problem: Problem | null;
}

export const session = createStore<Session>({
  phase: 'loading',
  progressText: 'Starting',
  progress: null,
  model: null,
  info: null,
  stats: null,
  problem: null,
});

/** A caught value as text for the banner. */
export function describeError(error: unknown): { readonly message: string; readonly code: string } {
  if (!(error instanceof Error)) return { message: String(error), code: '' };
  const code = 'code' in error && typeof error.code === 'string' ? `${error.name} · ${error.code}` : '';
  // a sentence, but for a file's name at its beginning
  const message = error.message.replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase());
  return { message, code };
}
