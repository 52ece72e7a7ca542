/** Files from the outside: dropped anywhere on the page, chosen by the button, or pasted. */
import { element } from './dom.ts';

export function bindFiles(onFile: (file: File) => void): void {
  const zone = element('drop-zone', HTMLElement);
  const input = element('file-input', HTMLInputElement);
  // dragenter and dragleave come for every element crossed: only the balance says whether the pointer is inside
  let depth = 0;
  const show = (inside: number) => {
    depth = Math.max(0, inside);
    zone.hidden = depth === 0;
  };
  const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;
  window.addEventListener('dragenter', (event) => {
    if (carriesFiles(event)) show(depth + 1);
  });
  window.addEventListener('dragleave', (event) => {
    if (carriesFiles(event)) show(depth - 1);
  });
  window.addEventListener('dragover', (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  window.addEventListener('drop', (event) => {
    show(0);
    const file = event.dataTransfer?.files[0];
    if (file === undefined) return;
    event.preventDefault();
    onFile(file);
  });
  window.addEventListener('paste', (event) => {
    const file = event.clipboardData?.files[0];
    if (file !== undefined) onFile(file);
  });
  element('source-file', HTMLButtonElement).addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    // the same file chosen twice should load twice
    input.value = '';
    if (file !== undefined) onFile(file);
  });
}
