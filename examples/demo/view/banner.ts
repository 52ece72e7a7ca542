/** What went wrong, in words, with the one thing that helps. */
import { session } from '../state/session.ts';
import { element, setText } from './dom.ts';

export function bindBanner(): void {
  const banner = element('banner', HTMLElement);
  const action = element('banner-action', HTMLButtonElement);
  element('banner-dismiss', HTMLButtonElement).addEventListener('click', () =>
    session.set({ problem: null }),
  );
  action.addEventListener('click', () => {
    const { problem } = session.get();
    session.set({ problem: null });
    problem?.action?.run();
  });
  session.subscribe(({ problem }, before) => {
    if (problem === before.problem) return;
    banner.hidden = problem === null;
    if (problem === null) return;
    setText(element('banner-title', HTMLElement), problem.title);
    setText(element('banner-message', HTMLElement), problem.message);
    setText(element('banner-code', HTMLElement), problem.code);
    action.hidden = problem.action === null;
    if (problem.action !== null) setText(action, problem.action.label);
  });
}
