/**
 * Class names from `metadata_props`: Ultralytics writes a Python dict literal (`{0: 'person', 1: "driver's seat"}`),
 * others JSON, or a comma-separated list.
 */
const keys = ['names', 'class_names', 'classes', 'labels', 'categories'];

/** Names by class id; null where the metadata hold none. */
export function readClassNames(metadata: Readonly<Record<string, string>>): string[] | null {
  for (const key of keys) {
    const text = metadata[key]?.trim();
    if (text === undefined || text === '') continue;
    const names = /^[{[(]/.test(text) ? literalNames(text) : text.split(/\s*[,\n]\s*/);
    if (names !== null && names.length > 0) return names;
  }
  return null;
}

/** Strings of a Python or JSON dict or list; dict keys are class ids. */
function literalNames(text: string): string[] | null {
  const isDict = text.startsWith('{');
  const names: string[] = [];
  const token = /\s*(?:(?:["']?(-?\d+)["']?\s*:\s*)?(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"))\s*,?/y;
  token.lastIndex = 1;
  while (token.lastIndex < text.length - 1) {
    const match = token.exec(text);
    if (match === null) return null;
    const name = unescapeText(match[2] ?? match[3] ?? '');
    if (!isDict) names.push(name);
    else if (match[1] === undefined) return null;
    else {
      const id = Number(match[1]);
      // an id far beyond the number of names is no class list
      if (!(id >= 0 && id < 100_000)) return null;
      names[id] = name;
    }
  }
  for (let id = 0; id < names.length; id++) names[id] ??= `class ${id}`;
  return names;
}

function unescapeText(text: string): string {
  const simple: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/gs, (_, four, two, one: string) =>
    one === undefined ? String.fromCharCode(Number.parseInt(four ?? two, 16)) : (simple[one] ?? one),
  );
}
