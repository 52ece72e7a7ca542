/** Commands that a device refuses are told, not run over: without error scopes a job that never ran reads old results. */
import { type ErrorDetails, UnsupportedError } from '../errors.ts';

/**
 * Runs `submit`, which makes and submits commands, and resolves when the device has accepted them. Rejects with
 * {@link UnsupportedError} where it refuses them or has no memory.
 */
export async function checked(device: GPUDevice, details: ErrorDetails, submit: () => void): Promise<void> {
  device.pushErrorScope('validation');
  device.pushErrorScope('out-of-memory');
  let found: Promise<(GPUError | null)[]>;
  try {
    submit();
  } finally {
    // also after a throw: an open scope would swallow the errors of others
    found = Promise.all([device.popErrorScope(), device.popErrorScope()]);
    found.catch(() => {});
  }
  const [full, invalid] = await found;
  const error = full ?? invalid;
  if (error == null) return;
  throw new UnsupportedError(
    `the GPU ${full == null ? 'refused the job' : 'is out of memory'}: ${error.message}`,
    details,
  );
}
