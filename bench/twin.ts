/**
 * The JavaScript loops as a page without wasm has them: in a process that never ran the kernels. V8 compiles code that
 * both have run to something up to a half slower.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Twin<Question> {
  /** One question at a time. Rejects where the program ends, or cannot be started, instead of answering. */
  ask<Answer>(question: Question): Promise<Answer>;
  dispose(): void;
}

/** Starts a program that answers each message with one. */
export function startTwin<Question extends object>(program: URL): Twin<Question> {
  const path = fileURLToPath(program);
  const child = fork(path, { execArgv: ['--import', 'tsx'], serialization: 'advanced' });
  let waiting: { resolve(answer: unknown): void; reject(error: Error): void } | undefined;
  let ended: Error | undefined;
  const end = (how: string, cause?: Error): void => {
    ended ??= new Error(`the process of ${path} ${how}`, cause && { cause });
    waiting?.reject(ended);
  };
  child.on('message', (answer) => waiting?.resolve(answer));
  child.on('exit', (code, signal) => end(signal === null ? `ended with code ${code}` : `died of ${signal}`));
  child.on('error', (error) => end(`failed: ${error.message}`, error));
  return {
    async ask<Answer>(question: Question): Promise<Answer> {
      if (waiting !== undefined) throw new Error(`the process of ${path} is asked one question at a time`);
      try {
        return await new Promise<Answer>((resolve, reject) => {
          if (ended !== undefined) throw ended;
          waiting = { resolve: resolve as (answer: unknown) => void, reject };
          child.send(question);
        });
      } finally {
        waiting = undefined;
      }
    },
    dispose: () => void child.kill(),
  };
}
