#!/usr/bin/env node
/** `boxops`: detection, inspection and evaluation from a terminal. Each command is a file beside this one. */
import { run } from './program.ts';

process.exitCode = await run(process.argv.slice(2));
