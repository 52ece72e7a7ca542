/** Typed look-up of the page's elements, and writes that touch the document only when something changed. */

/** The element with this id; a missing one or one of another kind is a mistake in index.html. */
export function element<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} with the id ${id}`);
  return found;
}

export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Paints the filled part of a range input's track. */
export function paintRange(input: HTMLInputElement): void {
  const { min, max, value } = input;
  const filled = ((Number(value) - Number(min)) / (Number(max) - Number(min))) * 100;
  input.style.setProperty('--fill', `${filled.toFixed(1)}%`);
}
