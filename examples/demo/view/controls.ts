/** The post-processing card and the switches under the picture: each writes one setting and shows its value. */
import { type DemoMetric, defaults, type Settings, settings } from '../state/settings.ts';
import { element, paintRange, setText } from './dom.ts';

const metricNames: Record<DemoMetric, string> = { iou: 'IoU', giou: 'GIoU', diou: 'DIoU', ciou: 'CIoU' };

type Key<V> = { [K in keyof Settings]: Settings[K] extends V ? K : never }[keyof Settings];

function bindRange(id: string, key: Key<number>): (now: Settings) => void {
  const input = element(id, HTMLInputElement);
  const output = element(`${id}-value`, HTMLOutputElement);
  input.addEventListener('input', () => settings.set({ [key]: Number(input.value) }));
  return (now) => {
    const value = String(now[key]);
    if (input.value !== value) input.value = value;
    setText(output, now[key].toFixed(2));
    paintRange(input);
  };
}

function bindSwitch(id: string, key: Key<boolean>): (now: Settings) => void {
  const input = element(id, HTMLInputElement);
  input.addEventListener('change', () => settings.set({ [key]: input.checked }));
  return (now) => {
    input.checked = now[key];
  };
}

function bindMetric(): (now: Settings) => void {
  const group = element('metric', HTMLElement);
  const radios = [...group.querySelectorAll('input')];
  const label = element('iou-label', HTMLElement);
  group.addEventListener('change', (event) => {
    if (event.target instanceof HTMLInputElement) settings.set({ metric: event.target.value as DemoMetric });
  });
  return (now) => {
    for (const radio of radios) radio.checked = radio.value === now.metric;
    setText(label, `Suppress above ${metricNames[now.metric]}`);
  };
}

export function bindControls(): void {
  const show = [
    bindRange('score', 'scoreThreshold'),
    bindRange('iou', 'iouThreshold'),
    bindMetric(),
    bindSwitch('class-aware', 'classAware'),
    bindSwitch('truth', 'showTruth'),
    bindSwitch('synced', 'synced'),
  ];
  const showAll = (now: Settings) => {
    for (const update of show) update(now);
  };
  settings.subscribe(showAll);
  showAll(settings.get());
  element('defaults', HTMLButtonElement).addEventListener('click', () => {
    const { scoreThreshold, iouThreshold, metric, classAware } = defaults;
    settings.set({ scoreThreshold, iouThreshold, metric, classAware });
  });
}
