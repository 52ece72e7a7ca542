/** Asks which head a model has, where its bytes fit several. */
import type { HeadCandidate } from '../../../src/heads/index.ts';
import { element, setText } from './dom.ts';

function choiceLabel({ head, family, reasons }: HeadCandidate, index: number): HTMLLabelElement {
  const label = document.createElement('label');
  label.className = 'choice';
  const radio = document.createElement('input');
  radio.type = 'radio';
  radio.name = 'head';
  radio.value = String(index);
  radio.checked = index === 0;
  const name = document.createElement('b');
  name.textContent = family;
  const decoder = document.createElement('code');
  decoder.textContent = head;
  name.append(' ', decoder);
  const why = document.createElement('small');
  // the first reasons tell the readings apart, the rest are the habits of the family
  why.textContent = reasons.slice(0, 2).join('; ');
  label.append(radio, name, why);
  return label;
}

/** The chosen candidate, or null when the dialog was cancelled. */
export function askHead(file: string, candidates: readonly HeadCandidate[]): Promise<HeadCandidate | null> {
  const dialog = element('head-dialog', HTMLDialogElement);
  const question =
    candidates.length === 1
      ? `One head barely fits the shapes in ${file}; nothing in the file confirms it.`
      : `${candidates.length} readings fit the shapes in ${file}, and nothing in the file tells them apart.`;
  setText(
    element('head-dialog-text', HTMLElement),
    `${question} A wrong choice puts boxes in wrong places; you can change it later.`,
  );
  element('head-choices', HTMLFieldSetElement).replaceChildren(...candidates.map(choiceLabel));
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    const done = () => {
      const chosen = dialog.querySelector<HTMLInputElement>('input[name="head"]:checked');
      resolve(dialog.returnValue === 'use' ? (candidates[Number(chosen?.value)] ?? null) : null);
    };
    dialog.addEventListener('close', done, { once: true });
  });
}
