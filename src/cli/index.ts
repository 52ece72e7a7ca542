#!/usr/bin/env node
/** `boxops`: detection, inspection and evaluation from a terminal. Each command is a file beside this one. */
import { run } from './program.ts';

// a reader that has enough (`boxops … | head`) is no error: files are written to the end all the same
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await run(process.argv.slice(2));
