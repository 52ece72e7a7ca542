/** A consumer's page in a real Chromium: one detection, and everything that went over the network meanwhile. */
import { type Browser, chromium } from 'playwright';
import { chromiumFlags, chromiumPath } from '../../../scripts/chromium.ts';

/** What the page answers; see fixtures/main.js. */
export interface Outcome {
  readonly found?: readonly {
    readonly box: readonly number[];
    readonly score: number;
    readonly className?: string;
  }[];
  /** `stats().worker`. */
  readonly worker?: string;
  readonly error?: {
    readonly name: string;
    readonly message: string;
    readonly attempts?: readonly {
      readonly kind: string;
      readonly source: string;
      readonly reason: string;
    }[];
  };
}

/** What one visit showed. */
export interface Visit extends Outcome {
  /** Errors and warnings of the page and its workers, uncaught ones included. */
  readonly complaints: readonly string[];
  /** Requests to the page's own server, as paths; `blob:` and `data:` are not requests. */
  readonly requests: readonly string[];
  /** Requests that went to any other server. */
  readonly foreign: readonly string[];
  /** URLs of the workers that ran. */
  readonly workers: readonly string[];
  /** Workers alive after the detector was disposed. */
  readonly workersLeft: number;
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), args: chromiumFlags });
}

/**
 * Opens the page at `url`, runs one detection and closes the page.
 *
 * @param options of `createDetector`, over the documented ones, as JavaScript: `undefined` must reach the page
 */
export async function visit(browser: Browser, url: string, options = '{}'): Promise<Visit> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  const foreign: string[] = [];
  const workers: string[] = [];
  const { origin } = new URL(url);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('worker', (worker) => workers.push(worker.url()));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  context.on('request', (request) => {
    const asked = new URL(request.url());
    if (!asked.protocol.startsWith('http')) return;
    if (asked.origin === origin) requests.push(asked.pathname);
    else foreign.push(request.url());
  });
  try {
    await page.goto(url);
    await page.waitForFunction('window.detectOnce', undefined, { timeout: 60_000 });
    const outcome = (await page.evaluate(`window.detectOnce(${options})`)) as Outcome;
    // the browser tells of a worker's end a moment later
    for (let wait = 0; wait < 50 && page.workers().length > 0; wait++) await page.waitForTimeout(100);
    return { ...outcome, complaints, requests, foreign, workers, workersLeft: page.workers().length };
  } finally {
    await context.close();
  }
}
