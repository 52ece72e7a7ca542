/** The smallest store that serves a page: one immutable value, patches, listeners that see before and after. */
export interface Store<T extends object> {
  get(): T;
  /** Merges and tells the listeners, but only when something differs. */
  set(patch: Partial<T>): void;
  subscribe(listener: (now: T, before: T) => void): void;
}

export function createStore<T extends object>(initial: T): Store<T> {
  let value = initial;
  const listeners: ((now: T, before: T) => void)[] = [];
  return {
    get: () => value,
    set(patch) {
      const before = value;
      const keys = Object.keys(patch) as (keyof T)[];
      if (keys.every((key) => before[key] === patch[key])) return;
      value = { ...before, ...patch };
      for (const listener of listeners) listener(value, before);
    },
    subscribe(listener) {
      listeners.push(listener);
    },
  };
}
