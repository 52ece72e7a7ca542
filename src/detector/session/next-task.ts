/** Lets everything that is due run first: messages, timers, input. A message, not a timer: timers of hidden pages run once a second. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const scope: { setImmediate?: (task: () => void) => void } = globalThis;
    if (scope.setImmediate !== undefined) {
      scope.setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
