/** Entry of the worker_threads worker (`dist/worker-node.js`): a detector behind the worker client's protocol. */
import { parentPort } from 'node:worker_threads';
import { serveWorker } from '../src/client/index.ts';
import { createLocalDetector } from '../src/detector/create-local.ts';
import { detectorMethods } from '../src/detector/remote-host.ts';

serveWorker(detectorMethods(createLocalDetector), parentPort);
