/** Entry of the web worker (`dist/worker.js`, and inline): a detector behind the worker client's protocol. */
import { serveWorker } from '../src/client/index.ts';
import { createDetector } from '../src/detector/create.ts';
import { detectorMethods } from '../src/detector/remote-host.ts';

serveWorker(detectorMethods(createDetector));
