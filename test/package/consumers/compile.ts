/**
 * TypeScript as a consumer runs it, the declarations of boxops checked with the consumer's files; those of TypeScript
 * and of other packages are taken for right.
 */
import { resolve } from 'node:path';
import ts from 'typescript';

export interface CompileOptions {
  readonly resolution: 'bundler' | 'nodenext';
  /** Names as in tsconfig.json, e.g. `es2022`, `dom`. */
  readonly lib: readonly string[];
  readonly types?: readonly string[];
  /** Whether the consumer is a library, which writes declarations of its own. Default false. */
  readonly declaration?: boolean;
}

/** What the compiler has to say of the files, one line each; empty when they compile. */
export function compile(
  folder: string,
  files: readonly string[],
  { resolution, lib, types = [], declaration = false }: CompileOptions,
): string[] {
  const { options, errors } = ts.convertCompilerOptionsFromJson(
    {
      strict: true,
      noEmit: true,
      declaration,
      exactOptionalPropertyTypes: true,
      verbatimModuleSyntax: true,
      target: 'es2022',
      module: resolution === 'bundler' ? 'esnext' : 'nodenext',
      moduleResolution: resolution,
      lib,
      types,
      skipLibCheck: false,
      skipDefaultLibCheck: true,
    },
    folder,
  );
  const program = ts.createProgram(
    files.map((file) => resolve(folder, file)),
    options,
  );
  const ours = ({ file }: ts.Diagnostic) => !/\/node_modules\/(?!boxops\/)/.test(file?.fileName ?? '');
  const found = [...errors, ...ts.getPreEmitDiagnostics(program).filter(ours)];
  return found.map(({ file, start, messageText }) => {
    const place =
      file && start !== undefined
        ? `${file.fileName}:${file.getLineAndCharacterOfPosition(start).line + 1} `
        : '';
    return place + ts.flattenDiagnosticMessageText(messageText, '\n');
  });
}
