/** Wires the page: settings in; curves, map and table out. The losses run one after another. */
import { curveRows, curveSpec, mapSpec, pointRows } from '../report/charts.ts';
import { casesPerPoint, type Parametrisation, spreadPoints } from '../simulation/cases.ts';
import { lossNames, lossTitle, paperLosses } from '../simulation/metrics.ts';
import { LiveChart } from './live-chart.ts';
import { type LiveRun, openGpu, runInWorker } from './runs.ts';

const iterations = 200;

function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return found;
}

const form = element('settings', HTMLFormElement);
const status = element('status', HTMLParagraphElement);
const backend = element('backend', HTMLSelectElement);
const pointsInput = element('points', HTMLInputElement);
const button = element('run', HTMLButtonElement);
const bar = element('progress', HTMLProgressElement);
const rows = element('results', HTMLTableSectionElement);

element('losses', HTMLFieldSetElement).append(
  ...lossNames.map((name) => {
    const label = document.createElement('label');
    const box = document.createElement('input');
    box.type = 'checkbox';
    box.name = 'loss';
    box.value = name;
    box.checked = (paperLosses as readonly string[]).includes(name);
    label.append(box, lossTitle(name));
    return label;
  }),
);

const showCount = (): void => {
  const cases = Number(pointsInput.value) * casesPerPoint;
  element('cases', HTMLOutputElement).value =
    `${pointsInput.value} points, ${cases.toLocaleString('en')} cases a loss`;
};
pointsInput.addEventListener('input', showCount);
showCount();

const gpu = await openGpu().catch(() => null);
if (gpu === null) {
  element('gpu-option', HTMLOptionElement).disabled = true;
  backend.value = 'cpu';
}
status.textContent = gpu === null ? 'No WebGPU here: runs in a worker.' : `WebGPU: ${gpu.name}`;

let charts: LiveChart[] = [];
let running: AbortController | null = null;

async function start(signal: AbortSignal): Promise<void> {
  const settings = new FormData(form);
  const losses = settings.getAll('loss').map(String);
  const points = Number(settings.get('points'));
  const parametrisation = settings.get('parametrisation') as Parametrisation;
  if (losses.length === 0) {
    status.textContent = 'Choose at least one loss.';
    return;
  }
  const onGpu = settings.get('backend') === 'gpu' && gpu !== null;
  const run: LiveRun = onGpu ? gpu.run : runInWorker;
  for (const chart of charts) chart.dispose();
  const curve = new LiveChart(element('curve', HTMLDivElement), 'curve', curveSpec(losses, iterations, 500));
  const map = new LiveChart(element('map', HTMLDivElement), 'points', mapSpec(losses, points, 190));
  charts = [curve, map];
  rows.replaceChildren();
  bar.max = losses.length * iterations;
  const places = spreadPoints(points);
  for (const [index, loss] of losses.entries()) {
    status.textContent = `${lossTitle(loss)} on ${onGpu ? 'the GPU' : 'the CPU'}`;
    const began = performance.now();
    let last = 0;
    const final = await run(
      { loss, parametrisation, points, iterations },
      (iteration, error) => {
        last = error;
        bar.value = index * iterations + iteration;
        curve.add(curveRows(loss, [error], points).map((row) => ({ ...row, iteration })));
      },
      signal,
    );
    if (signal.aborted) return;
    map.add(pointRows(loss, places, final));
    const row = rows.insertRow();
    const seconds = (performance.now() - began) / 1000;
    for (const text of [
      lossTitle(loss),
      last.toFixed(1),
      (last / (points * casesPerPoint)).toFixed(6),
      seconds.toFixed(1),
    ]) {
      row.insertCell().textContent = text;
    }
  }
  status.textContent = 'Done.';
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (running !== null) {
    running.abort();
    return;
  }
  running = new AbortController();
  button.textContent = 'Stop';
  document.body.dataset.phase = 'running';
  try {
    await start(running.signal);
    if (running.signal.aborted) status.textContent = 'Stopped.';
    document.body.dataset.phase = 'done';
  } catch (error) {
    status.textContent = (error as Error).message;
    document.body.dataset.phase = 'failed';
  } finally {
    running = null;
    button.textContent = 'Run';
  }
});
document.body.dataset.phase = 'ready';
