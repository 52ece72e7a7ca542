/** Asks which head a model has, where its bytes fit several. */
import type { HeadName } from '../../../src/heads/types.ts';
import { element, setText } from './dom.ts';

export interface HeadChoice {
  readonly head: HeadName;
  readonly reasons: readonly string[];
}

/** The chosen head, or null when the dialog was cancelled. */
export function askHead(file: string, choices: readonly HeadChoice[]): Promise<HeadName | null> {
  const dialog = element('head-dialog', HTMLDialogElement);
  setText(
    element('head-dialog-text', HTMLElement),
    `The shapes in ${file} fit ${choices.length} heads, and nothing else in the file tells them apart. ` +
      'A wrong choice gives boxes in wrong places; you can change it later.',
  );
  const labels = choices.map(({ head, reasons }, index) => {
    const label = document.createElement('label');
    label.className = 'choice';
    const radio = document.createElement('input');
    radio.type = 'radio';
    radio.name = 'head';
    radio.value = head;
    radio.checked = index === 0;
    const name = document.createElement('b');
    name.textContent = head;
    const why = document.createElement('small');
    why.textContent = reasons.join('; ');
    label.append(radio, name, why);
    return label;
  });
  element('head-choices', HTMLFieldSetElement).replaceChildren(...labels);
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      'close',
      () => {
        const chosen = dialog.querySelector<HTMLInputElement>('input[name="head"]:checked');
        const choice = choices.find(({ head }) => head === chosen?.value);
        resolve(dialog.returnValue === 'use' && choice !== undefined ? choice.head : null);
      },
      { once: true },
    );
  });
}
