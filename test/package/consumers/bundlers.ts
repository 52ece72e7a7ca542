/** The documented builds, each run as its user runs it; the folder of the built page comes back. */
import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'vite';
import type { CleanFolder } from './clean-folder.ts';

/** `dist/` of the folder, put aside under a name of its own. */
function putAside(folder: CleanFolder, name: string): string {
  const place = join(folder.path, `dist-${name}`);
  renameSync(join(folder.path, 'dist'), place);
  return place;
}

export async function buildWithVite(folder: CleanFolder): Promise<string> {
  await folder.run(process.execPath, 'node_modules/vite/bin/vite.js', 'build', '--logLevel', 'error');
  return putAside(folder, 'vite');
}

/** webpack by its API, for want of its command line; minification, most of its time, is left out. */
const webpackScript = `
import webpack from 'webpack';
import config from './webpack.config.js';
webpack({ ...config, optimization: { minimize: false }, performance: { hints: false } }, (error, stats) => {
  const { errors, warnings } = stats?.toJson({ all: false, errors: true, warnings: true }) ?? {};
  console.log(JSON.stringify({ errors: [...(errors ?? []), ...(error ? [error] : [])], warnings }));
});`;

/** What webpack complains of comes back too. */
export async function buildWithWebpack(
  folder: CleanFolder,
): Promise<{ place: string; complaints: string[] }> {
  folder.write('webpack-build.mjs', webpackScript);
  const { errors, warnings } = JSON.parse(await folder.run(process.execPath, 'webpack-build.mjs'));
  const complaints = [...errors, ...warnings].map(({ message }: { message: string }) => message);
  const place = putAside(folder, 'webpack');
  cpSync(join(folder.path, 'classic.html'), join(place, 'index.html'));
  return { place, complaints };
}

export async function buildWithEsbuild(folder: CleanFolder): Promise<string> {
  await folder.run(process.execPath, 'build.mjs');
  const place = putAside(folder, 'esbuild');
  cpSync(join(folder.path, 'index.html'), join(place, 'index.html'));
  return place;
}

/** A copy of a build that lacks one file. */
export function without(place: string, file: string): string {
  const copy = `${place}-without`;
  cpSync(place, copy, { recursive: true });
  rmSync(join(copy, file));
  return copy;
}

/** `vite dev` on a free port. */
export async function startViteDev(folder: CleanFolder): Promise<{ url: string; close(): Promise<void> }> {
  const server = await createServer({
    root: folder.path,
    configFile: join(folder.path, 'vite.config.js'),
    logLevel: 'error',
    server: { port: 0, host: '127.0.0.1', watch: null },
  });
  await server.listen();
  return { url: server.resolvedUrls!.local[0]!, close: () => server.close() };
}
