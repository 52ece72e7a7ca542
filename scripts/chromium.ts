/**
 * Finds a Chromium to test with, or installs Debian's when it may, or says exactly what to run.
 *
 * Order: BOXOPS_CHROMIUM, the usual names on PATH, Playwright's download folder, `apt-get` as root.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Flags under which headless Chromium offers WebGPU (SwiftShader where there is no GPU), lets the soak collect garbage
 * and read exact heap sizes, and makes no background traffic.
 */
export const chromiumFlags = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--js-flags=--expose-gc',
  '--enable-precise-memory-info',
];

const namesOnPath = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];

function onPath(name: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    const path = join(folder, name);
    if (folder !== '' && existsSync(path)) return path;
  }
  return undefined;
}

function fromPlaywright(): string | undefined {
  const root = process.env.PLAYWRIGHT_BROWSERS_PATH ?? join(homedir(), '.cache', 'ms-playwright');
  if (!existsSync(root)) return undefined;
  for (const folder of readdirSync(root).sort().reverse()) {
    for (const inside of [
      'chrome-linux/chrome',
      'chrome-linux64/chrome',
      'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
    ]) {
      const path = join(root, folder, inside);
      if (folder.startsWith('chromium-') && existsSync(path)) return path;
    }
  }
  return undefined;
}

function find(): string | undefined {
  const named = process.env.BOXOPS_CHROMIUM;
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`BOXOPS_CHROMIUM names ${named}, which does not exist`);
    return named;
  }
  for (const name of namesOnPath) {
    const path = onPath(name);
    if (path !== undefined) return path;
  }
  return fromPlaywright();
}

/** The path of a Chromium; installs Debian's package when run as root without one. Throws with the command to run. */
export function chromiumPath(): string {
  const found = find();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && onPath('apt-get') !== undefined) {
    console.error('no Chromium found: installing the Debian package (apt-get install chromium)');
    const quiet = { stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'] };
    execFileSync('apt-get', ['update', '-qq'], quiet);
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], quiet);
    const installed = find();
    if (installed !== undefined) return installed;
  }
  throw new Error(
    'no Chromium found, and the browser tests need one. Run `sudo apt-get install -y chromium` (Debian, Ubuntu) ' +
      'or `npx playwright-core install chromium`, or set BOXOPS_CHROMIUM to the path of an executable.',
  );
}
