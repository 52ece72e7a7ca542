/** Where the embedded detector of handwritten digits lies, in the package and in a checkout alike. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ModelError } from '../errors.ts';

export function defaultModel(): string {
  for (const place of ['../models/digits/digits.onnx', '../../models/digits/digits.onnx']) {
    const path = fileURLToPath(new URL(place, import.meta.url));
    if (existsSync(path)) return path;
  }
  throw new ModelError('the embedded model models/digits/digits.onnx is missing from this installation');
}
