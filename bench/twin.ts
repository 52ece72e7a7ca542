/**
 * The JavaScript loops as a page without wasm has them: in a process that never ran the kernels. V8 compiles code that
 * both have run to something up to a half slower.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Twin<Question> {
  /** One question at a time. */
  ask<Answer>(question: Question): Promise<Answer>;
  dispose(): void;
}

/** Starts a program that answers each message with one. */
export function startTwin<Question extends object>(program: URL): Twin<Question> {
  const child = fork(fileURLToPath(program), { execArgv: ['--import', 'tsx'], serialization: 'advanced' });
  return {
    async ask<Answer>(question: Question): Promise<Answer> {
      const reply = once(child, 'message') as Promise<[Answer]>;
      child.send(question);
      return (await reply)[0];
    },
    dispose: () => void child.kill(),
  };
}
