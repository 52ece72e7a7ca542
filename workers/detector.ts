/** Entry of the web worker (`dist/worker.js`, and inline): a detector behind the worker client's protocol. */
import { serveWorker } from '../src/client/index.ts';
import { createLocalDetector } from '../src/detector/create-local.ts';
import { detectorMethods } from '../src/detector/remote-host.ts';

serveWorker(detectorMethods(createLocalDetector));
