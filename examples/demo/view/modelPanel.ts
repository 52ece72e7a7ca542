/** The model card: name, head with its reasons, input, classes, backend in use, worker facts, and the header's status. */
import type { Preprocessing } from '../../../src/detector/types.ts';
import type { HeadName } from '../../../src/heads/types.ts';
import { type Session, session } from '../state/session.ts';
import { settings } from '../state/settings.ts';
import { element, setText } from './dom.ts';

export interface ModelActions {
  overrideHead(head: HeadName): void;
  /** For models that take any size. */
  setInputSize(side: number): void;
  setProvider(provider: 'wasm' | 'webgpu'): void;
  useEmbedded(): void;
  kill(): void;
}

const providerNames = { wasm: 'WebAssembly', webgpu: 'WebGPU' } as const;

function fileSize(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function showStatus(now: Session): void {
  const provider = now.stats?.executionProvider;
  const place = now.stats?.worker === 'none' ? 'main thread' : 'worker';
  const words = {
    loading: now.progressText,
    running: provider === undefined ? 'Running' : `${providerNames[provider]} in a ${place}`,
    failed: 'Stopped',
  };
  element('status', HTMLElement).dataset.phase = now.phase;
  setText(element('status-text', HTMLElement), words[now.phase]);
}

function showLoading(now: Session): void {
  element('loading', HTMLElement).hidden = now.phase !== 'loading' || now.info !== null;
  setText(element('loading-text', HTMLElement), now.progressText);
  const bar = element('loading-bar', HTMLProgressElement);
  if (now.progress === null) bar.removeAttribute('value');
  else bar.value = now.progress;
}

function showModel(now: Session, heads: readonly HeadName[]): void {
  const { model, info } = now;
  if (model !== null) {
    setText(element('model-name', HTMLElement), model.name);
    element('model-name', HTMLElement).title = `${model.name}, ${fileSize(model.bytes.byteLength)}`;
    element('model-default', HTMLButtonElement).hidden = model.embedded;
  }
  if (info === null) return;
  showInput(now, info.preprocessing);
  const names = info.classNames;
  setText(element('model-classes', HTMLElement), names.length === 0 ? 'unnamed' : classSummary(names));
  element('model-classes', HTMLElement).title = names.join(', ');
  const select = element('head', HTMLSelectElement);
  select.disabled = false;
  const fitting = (model?.candidates ?? []).map(({ head }) => head);
  const ordered = [...new Set([info.head, ...fitting, ...heads])];
  select.replaceChildren(
    ...ordered.map((head) => {
      const fits = fitting.includes(head) || head === info.head;
      return new Option(fits ? head : `${head} (does not fit)`, head, false, head === info.head);
    }),
  );
  const reasons = [...new Set([...(model?.reasons ?? []), ...info.reasons])];
  element('reasons', HTMLUListElement).replaceChildren(
    ...reasons.map((reason) => {
      const item = document.createElement('li');
      item.textContent = reason;
      return item;
    }),
  );
}

/** Sides offered for a model of any input size. */
const sides = [160, 224, 320, 416, 640];

function showInput(
  { model }: Session,
  { size, channelOrder, fit, antialias }: Required<Preprocessing>,
): void {
  const text = element('model-input', HTMLElement);
  const select = element('input-size', HTMLSelectElement);
  const fixed = `${size.width} × ${size.height}`;
  const anySize = model?.anySize === true;
  select.hidden = !anySize;
  setText(text, anySize ? '' : fixed);
  setText(
    element('model-prepared', HTMLElement),
    `${channelOrder.toUpperCase()}, ${fit.replaceAll('-', ' ')}${antialias ? ', antialiased' : ''}`,
  );
  if (!anySize) return;
  const offered = [...new Set([...sides, size.width])].sort((a, b) => a - b);
  select.replaceChildren(
    ...offered.map((side) => new Option(`${side} × ${side}`, String(side), false, side === size.width)),
  );
}

function classSummary(names: readonly string[]): string {
  const few = names.slice(0, 3).join(', ');
  return names.length <= 3 ? few : `${names.length} (${few}, …)`;
}

function showStats(now: Session): void {
  const { stats } = now;
  if (stats === null) return;
  const { preprocess, inference, postprocess } = stats.milliseconds;
  setText(
    element('r-worker', HTMLElement),
    stats.worker === 'none' ? 'main thread' : `worker (${stats.worker})`,
  );
  setText(
    element('r-milliseconds', HTMLElement),
    `${preprocess.toFixed(1)}, ${inference.toFixed(1)}, ${postprocess.toFixed(1)}`,
  );
  setText(element('r-frames', HTMLElement), `${stats.framesOpened}, ${stats.framesClosed}`);
  const refused = stats.fallbacks[0];
  const note = element('backend-note', HTMLElement);
  note.hidden = refused === undefined;
  if (refused !== undefined) {
    setText(
      note,
      `${providerNames[refused.provider]} was refused (${refused.reason}); running on ${providerNames[stats.executionProvider]}.`,
    );
  }
}

export function bindModelPanel(heads: readonly HeadName[], actions: ModelActions): void {
  const head = element('head', HTMLSelectElement);
  head.addEventListener('change', () => actions.overrideHead(head.value as HeadName));
  const size = element('input-size', HTMLSelectElement);
  size.addEventListener('change', () => actions.setInputSize(Number(size.value)));
  const provider = element('provider', HTMLSelectElement);
  provider.value = settings.get().provider;
  provider.addEventListener('change', () => actions.setProvider(provider.value as 'wasm' | 'webgpu'));
  element('model-default', HTMLButtonElement).addEventListener('click', () => actions.useEmbedded());
  element('kill', HTMLButtonElement).addEventListener('click', () => actions.kill());
  session.subscribe((now, before) => {
    showStatus(now);
    showLoading(now);
    if (now.model !== before.model || now.info !== before.info) showModel(now, heads);
    if (now.stats !== before.stats) showStats(now);
  });
}
