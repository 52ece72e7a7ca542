/** Masks on the GPU in Node. Dawn is optional: where it is not, Chromium alone runs these. */
import { expect, it } from 'vitest';
import { openDawn } from './dawn.ts';
import { maskTests } from './mask-cases.ts';

const dawn = await openDawn();

if ('gpu' in dawn) maskTests(() => dawn.gpu);
else it('Dawn is absent here', () => expect(dawn.absent).not.toBe(''));
