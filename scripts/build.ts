/** Builds `dist/`: cleans first, then every entry of tsup.config.ts (tsup's own `clean` deletes a sibling config's types). */
import { rmSync } from 'node:fs';
import { build } from 'tsup';

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
await build({ config: true, silent: true });
