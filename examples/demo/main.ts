/** Wires the page: sources and models in, pictures, boxes and figures out. Everything heavy happens in the worker. */
import type { Detections } from '../../src/boxes/detections.ts';
import { headNames } from '../../src/heads/index.ts';
import type { FrameResult } from '../../src/stream/index.ts';
import { LivePrecision } from './score/precision.ts';
import { Engine } from './session/engine.ts';
import { fetchEmbedded, openModel } from './session/model.ts';
import { loadClip } from './sources/clip.ts';
import { openStill } from './sources/still.ts';
import type { FrameSource } from './sources/types.ts';
import { openVideo, openWebcam } from './sources/video.ts';
import { describeError, type ModelFile, type Problem, session } from './state/session.ts';
import { settings } from './state/settings.ts';
import { bindBanner } from './view/banner.ts';
import { bindControls } from './view/controls.ts';
import { DetectionList } from './view/detectionList.ts';
import { element, setText } from './view/dom.ts';
import { bindFiles } from './view/dropZone.ts';
import { MetricsView } from './view/metrics.ts';
import { bindModelPanel } from './view/modelPanel.ts';
import { Overlay } from './view/overlay.ts';
import { Stage } from './view/stage.ts';
import { bindTheme } from './view/theme.ts';
import { Transport } from './view/transport.ts';

/** Figures and lists change this often: fast enough to follow, slow enough to read. */
const refreshMs = 200;

const stage = new Stage();
const overlay = new Overlay(redraw);
const metrics = new MetricsView();
const precision = new LivePrecision();
const transport = new Transport();
const list = new DetectionList((index) => {
  highlight = index;
  redraw();
});
const engine = new Engine({
  produced(image) {
    frames.produced++;
    stage.produced(image);
  },
  preview: (image) => stage.preview(image),
  dropped() {
    frames.dropped++;
  },
  handedOver: (image, index) => stage.handedOver(image, index),
  result: show,
  reset: () => stage.reset(),
});

/** Counts since the source or the model changed. */
const frames = { produced: 0, dropped: 0 };
let shown: { detections: Detections; index: number } | null = null;
let highlight = -1;

function show({ detections, queueMs, computeMs }: FrameResult): void {
  const index = stage.returned();
  shown = { detections, index };
  metrics.add({ queueMs, computeMs, arrived: performance.now() });
  const truth = engine.source?.truth(index) ?? null;
  if (truth !== null) precision.add(detections, truth);
  redraw();
}

function redraw(): void {
  const source = engine?.source ?? null;
  const truth = settings.get().showTruth && shown !== null ? (source?.truth(shown.index) ?? null) : null;
  overlay.draw({
    detections: shown?.detections ?? null,
    truth,
    width: stage.width,
    height: stage.height,
    mirror: source?.mirror ?? false,
    highlight,
  });
}

function refresh(): void {
  const now = performance.now();
  // the truth of the clip is digits: of a model with other classes it says nothing
  const known = engine.source?.kind === 'clip' && session.get().info?.classNames.join('') === '0123456789';
  metrics.draw(now, frames, precision, known);
  list.draw(shown?.detections ?? null);
  transport.draw();
}

function startCounting(): void {
  frames.produced = 0;
  frames.dropped = 0;
  metrics.clear();
  precision.clear();
}

function fail(title: string, error: unknown, action: Problem['action'] = null): void {
  session.set({ problem: { title, ...describeError(error), action } });
}

async function useSource(open: () => Promise<FrameSource>, title: string): Promise<void> {
  let source: FrameSource;
  try {
    source = await open();
  } catch (error) {
    fail(title, error);
    return;
  }
  shown = null;
  await engine.setSource(source);
  startCounting();
  stage.setMirror(source.mirror);
  transport.setSource(source);
  const caption = element('caption', HTMLElement);
  setText(caption, source.label);
  caption.hidden = false;
}

const useClip = () =>
  useSource(() => loadClip(new URL('clip/', document.baseURI).href), 'The clip could not be loaded');

async function useModel(
  name: string,
  read: () => Promise<Uint8Array<ArrayBuffer>>,
  embedded: boolean,
): Promise<void> {
  try {
    const model = await openModel(name, await read(), embedded);
    if (model !== null && (await engine.load(model))) startCounting();
  } catch (error) {
    fail(`${name} was not loaded`, error);
  }
}

const useEmbedded = () => useModel('digits.onnx', fetchEmbedded, true);

function openFile(file: File): void {
  if (file.name.toLowerCase().endsWith('.onnx')) {
    void useModel(file.name, async () => new Uint8Array(await file.arrayBuffer()), false);
  } else if (file.type.startsWith('video/')) {
    void useSource(() => openVideo(file), 'The video could not be opened');
  } else if (file.type.startsWith('image/')) {
    void useSource(() => openStill(file), 'The image could not be opened');
  } else {
    fail(
      'This file is of another kind',
      new Error(`${file.name}: expected an image, a video or an .onnx model.`),
    );
  }
}

async function reload(patch: Partial<Pick<ModelFile, 'head' | 'preprocessing'>>): Promise<void> {
  const { model } = session.get();
  if (model !== null && (await engine.load({ ...model, ...patch }))) startCounting();
}

bindTheme();
bindBanner();
bindControls();
bindFiles(openFile);
bindModelPanel(headNames, {
  overrideHead: (head) => void reload({ head, preprocessing: {} }),
  setInputSize(side) {
    const kept = session.get().model?.preprocessing ?? {};
    void reload({ preprocessing: { ...kept, size: { width: side, height: side } } });
  },
  setProvider(provider) {
    settings.set({ provider });
    void reload({});
  },
  useEmbedded: () => void useEmbedded(),
  kill: () => engine.kill(),
});
element('source-clip', HTMLButtonElement).addEventListener('click', () => void useClip());
element('source-webcam', HTMLButtonElement).addEventListener('click', () => {
  void useSource(openWebcam, 'The webcam is not available');
});
settings.subscribe(() => {
  engine.source?.repeat();
  redraw();
});
setInterval(refresh, refreshMs);
setInterval(() => void engine.refreshStats(), 1000);

await Promise.all([useClip(), useEmbedded()]);
