/** Renders the clip into the cache folder, once: its handwriting comes from a dependency and is never committed. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Newest change of a file below these folders, milliseconds. */
function newest(folders: readonly string[]): number {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  );
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

/** The folder with `clip.bin` and `clip.json`; rendered when it is missing or older than the code that renders it. */
export async function ensureClip(project: string): Promise<string> {
  const folder = join(project, '.cache/demo-clip');
  const index = join(folder, 'clip.json');
  const sources = [join(project, 'examples/clip'), join(project, 'models/digits/synthesis')];
  if (!existsSync(index) || statSync(index).mtimeMs < newest(sources)) {
    const { writeClip } = await import('../../clip/write.ts');
    await writeClip(folder);
  }
  return folder;
}
