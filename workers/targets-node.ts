/** Entry of the worker_threads worker of `boxops targets` (`dist/worker-targets.js`): shards behind the worker client's protocol. */
import { parentPort } from 'node:worker_threads';
import { serveWorker } from '../src/client/index.ts';
import { targetMethods } from '../src/targets/node/worker-methods.ts';

serveWorker(targetMethods(), parentPort);
