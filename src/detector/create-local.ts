/**
 * A detector in this thread: model bytes → inspection → session → warm-up. Workers use it as it is, so it must not
 * reach the code that starts workers: a bundler would put the worker into itself without end.
 */
import { ModelError } from '../errors.ts';
import { choiceOption } from '../options.ts';
import { LocalDetector } from './detector.ts';
import type { DetectorPlan } from './plan.ts';
import { planDetector } from './plan-model.ts';
import { loadModelBytes } from './session/model-bytes.ts';
import { openSession } from './session/session.ts';
import type { Detector, DetectorOptions } from './types.ts';

/** See `createDetector`, with `worker` left out. */
export async function createLocalDetector(options: DetectorOptions): Promise<Detector> {
  const { signal, onProgress, executionProviders, postprocessing = 'auto' } = options;
  choiceOption('postprocessing', postprocessing, ['auto', 'cpu']);
  const bytes = await loadModelBytes(options.model, options);
  const plan = planNamed(bytes, options);
  onProgress?.({ phase: 'session', loaded: 0, total: 1 });
  const head = postprocessing === 'cpu' ? undefined : plan.head;
  const session = await openSession(bytes, { ...options, executionProviders, head });
  let detector: LocalDetector | undefined;
  try {
    onProgress?.({ phase: 'session', loaded: 1, total: 1 });
    detector = new LocalDetector(plan, session, options);
    if (options.warmUp !== false) {
      onProgress?.({ phase: 'warm-up', loaded: 0, total: 1 });
      await detector.warmUp();
      onProgress?.({ phase: 'warm-up', loaded: 1, total: 1 });
    }
    signal?.throwIfAborted();
    return detector;
  } catch (error) {
    if (detector === undefined) await session.release().catch(() => undefined);
    else detector.dispose();
    throw error;
  }
}

/** Names the file that is no model: a page that a server sends for every address is found by this one. */
function planNamed(bytes: Uint8Array<ArrayBuffer>, options: DetectorOptions): DetectorPlan {
  try {
    return planDetector(bytes, options);
  } catch (error) {
    const { model } = options;
    if (!(error instanceof ModelError) || !(typeof model === 'string' || model instanceof URL)) throw error;
    throw new ModelError(
      `${model}: ${error.message}`,
      { ...error.details, url: String(model) },
      { cause: error },
    );
  }
}
