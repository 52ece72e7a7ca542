/** How a page talks to a worker: start it, call it, end it; every call settles. */
export { type CallOptions, liveWorkers, WorkerClient, type WorkerKind } from './client.ts';
export { type ConnectOptions, connectWorker, type WorkerAttempt, type WorkerLauncher } from './connect.ts';
export { type CallContext, serveWorker, type WorkerMethods } from './host.ts';
export { factoryLauncher, inlineLauncher, isNode, threadLauncher, urlLauncher } from './launchers.ts';
export { closeAll, transferring } from './transfer.ts';
