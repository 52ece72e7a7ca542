/** What a thread starts with: it inherits no loader for TypeScript, so it registers one. */
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
