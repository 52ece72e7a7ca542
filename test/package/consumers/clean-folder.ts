/**
 * A folder as a newcomer's: outside the repository, with the packed tarball of boxops and its peers installed by npm.
 *
 * Bundlers, and packages needed for their types only, are the repository's own, linked: installing them again would
 * take a minute and show nothing.
 */
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const repository = resolve(import.meta.dirname, '../../..');

/** What `npm pack --json` says of the tarball. */
export interface Tarball {
  /** Bytes of the .tgz. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

export interface CleanFolder {
  readonly path: string;
  readonly tarball: Tarball;
  /** Runs a program in the folder; rejects, with its output, when it fails or takes longer than a minute. */
  run(program: string, ...parameters: string[]): Promise<string>;
  /** Writes a file below the folder. */
  write(name: string, text: string): void;
  remove(): void;
}

/** The environment without what npm and vitest put there: consumers are started by hand. */
function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(package|lifecycle|command|execpath|node|config_local_prefix)|INIT_CWD$|VITEST|NODE_ENV$|NODE_OPTIONS$)/.test(
        name,
      ),
  );
  return Object.fromEntries(inherited);
}

/** Packs what `dist/` holds now and installs it. */
export async function installTarball(): Promise<CleanFolder> {
  if (!existsSync(join(repository, 'dist/index.d.ts'))) {
    throw new Error('dist/ is not built: run `npm run build` first (`npm test` does)');
  }
  const path = mkdtempSync(join(tmpdir(), 'boxops-consumer-'));
  const start = async (folder: string, program: string, parameters: string[], timeout: number) => {
    const { stdout } = await run(program, parameters, {
      cwd: folder,
      env: environment(),
      timeout,
      maxBuffer: 1e8,
    });
    return stdout;
  };
  const packed = await start(
    repository,
    'npm',
    ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', path],
    120_000,
  );
  const [tarball] = JSON.parse(packed) as [Tarball & { readonly filename: string }];
  writeFileSync(join(path, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  const { devDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const peers = ['onnxruntime-web', 'rxjs'].map((peer) => `${peer}@${devDependencies[peer]}`);
  await start(
    path,
    'npm',
    [
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--loglevel=error',
      `./${tarball.filename}`,
      ...peers,
    ],
    240_000,
  );
  for (const tool of ['vite', 'webpack', 'esbuild', '@webgpu/types', '@tensorflow/tfjs-core']) {
    const link = join(path, 'node_modules', tool);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(repository, 'node_modules', tool), link, 'junction');
  }
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  };
  cpSync(join(repository, 'test/package/fixtures'), path, { recursive: true });
  for (const [name, text] of documentedFiles()) write(name, text);
  return {
    path,
    tarball,
    write,
    run: (program, ...parameters) => start(path, program, parameters, 60_000),
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** The files of docs/bundlers.md: every code block whose first line is a comment with a file's name. */
export function documentedFiles(): Map<string, string> {
  const page = readFileSync(join(repository, 'docs/bundlers.md'), 'utf8');
  const blocks = page.matchAll(/^```js\n\/\/ (\S+)\n([\s\S]*?)^```$/gm);
  return new Map([...blocks].map(([, name, text]) => [name!, text!]));
}

/** The scripts of a page without a bundler, from docs/bundlers.md. */
export function documentedImportMap(): string {
  const page = readFileSync(join(repository, 'docs/bundlers.md'), 'utf8');
  return /^```html\n([\s\S]*?)^```$/m.exec(page)![1]!;
}

/** The content security policy that docs/bundlers.md calls enough. */
export function documentedPolicy(): string {
  const page = readFileSync(join(repository, 'docs/bundlers.md'), 'utf8');
  return /^```\n(script-src [^\n]+)\n```$/m.exec(page)![1]!;
}
