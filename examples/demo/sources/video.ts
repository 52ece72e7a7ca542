/** A dropped video or the webcam: whatever a `<video>` element plays, one bitmap a presented frame. */
import { element } from '../view/dom.ts';
import { Alarm } from './alarm.ts';
import type { FrameSource, SourceFrame } from './types.ts';

/** Milliseconds after which the position of a playing video is looked at without an announced frame. */
const unannouncedMs = 100;

export class VideoSource implements FrameSource {
  readonly kind: 'video' | 'webcam';
  readonly label: string;
  readonly mirror: boolean;
  readonly #video: HTMLVideoElement;
  readonly #alarm = new Alarm();
  readonly #release: () => void;
  #disposed = false;

  constructor(kind: 'video' | 'webcam', label: string, video: HTMLVideoElement, release: () => void) {
    this.kind = kind;
    this.label = label;
    this.mirror = kind === 'webcam';
    this.#video = video;
    this.#release = release;
    const onFrame = () => {
      if (this.#disposed) return;
      this.#alarm.ring();
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
    for (const type of ['play', 'seeked']) video.addEventListener(type, () => this.#alarm.ring());
  }

  get playing(): boolean {
    return !this.#video.paused;
  }

  get duration(): number {
    return Number.isFinite(this.#video.duration) ? this.#video.duration : 0;
  }

  get position(): number {
    return this.#video.currentTime;
  }

  play(): void {
    void this.#video.play();
  }

  pause(): void {
    this.#video.pause();
  }

  seek(seconds: number): void {
    if (this.duration > 0) this.#video.currentTime = Math.min(Math.max(seconds, 0), this.duration);
  }

  repeat(): void {
    if (!this.playing) this.#alarm.ring();
  }

  truth(): null {
    return null;
  }

  async *frames(signal: AbortSignal): AsyncGenerator<SourceFrame> {
    for (let index = 0; ; index++) {
      const shown = this.position;
      const image = await this.#grab(signal);
      if (image === null) return;
      yield { image, index, timestamp: performance.now() };
      await this.#untilNext(shown, signal);
    }
  }

  /** The current frame; null when the source ends. A video that plays already may still have none to give. */
  async #grab(signal: AbortSignal): Promise<ImageBitmap | null> {
    while (!signal.aborted && !this.#disposed) {
      try {
        return await createImageBitmap(this.#video);
      } catch (error) {
        if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error;
        await this.#alarm.wait(unannouncedMs, signal);
      }
    }
    return null;
  }

  /**
   * Until a new frame is presented or asked for. A browser that composites nothing (a hidden window) announces no
   * frames; there the position is looked at now and then.
   */
  async #untilNext(shown: number, signal: AbortSignal): Promise<void> {
    do {
      await this.#alarm.wait(this.playing ? unannouncedMs : Number.POSITIVE_INFINITY, signal);
    } while (this.playing && this.position === shown && !signal.aborted && !this.#disposed);
  }

  dispose(): void {
    this.#disposed = true;
    this.#video.remove();
    this.#video.pause();
    this.#video.removeAttribute('src');
    this.#video.srcObject = null;
    this.#release();
    this.#alarm.ring();
  }
}

function quietVideo(): HTMLVideoElement {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.loop = true;
  // in the page, but not seen: browsers play and announce frames of what is in the page
  video.className = 'source-video';
  element('stage', HTMLElement).append(video);
  return video;
}

function firstFrame(video: HTMLVideoElement, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    video.addEventListener('loadeddata', () => resolve(), { once: true });
    video.addEventListener(
      'error',
      () => reject(new Error(`${name} could not be played: ${video.error?.message || 'unknown format'}`)),
      { once: true },
    );
  });
}

/** Opens a video file and starts it, muted, in a loop. */
export async function openVideo(file: File): Promise<VideoSource> {
  const video = quietVideo();
  const url = URL.createObjectURL(file);
  try {
    const ready = firstFrame(video, `the file ${file.name}`);
    video.src = url;
    await ready;
    await video.play();
  } catch (error) {
    URL.revokeObjectURL(url);
    video.remove();
    throw error;
  }
  return new VideoSource('video', file.name, video, () => URL.revokeObjectURL(url));
}

/** Asks for the camera; a refusal says what to do. */
export async function openWebcam(): Promise<VideoSource> {
  const devices = navigator.mediaDevices;
  if (devices?.getUserMedia === undefined) {
    throw new Error('this page may not use a camera: it needs https or localhost');
  }
  let stream: MediaStream;
  try {
    stream = await devices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: 'user' } });
  } catch (cause) {
    // an OverconstrainedError is no DOMException everywhere
    const name = (cause as Partial<Error> | undefined)?.name ?? '';
    const reason =
      name === 'NotAllowedError'
        ? 'the camera was not allowed; allow it in the address bar and try again'
        : // WebKitGTK's word for it: the constraints are wishes, so it is not they that no camera meets
          name === 'NotFoundError' || name === 'OverconstrainedError'
          ? 'no camera was found'
          : `the camera did not start (${name || String(cause)})`;
    throw new Error(reason, { cause });
  }
  const video = quietVideo();
  const ready = firstFrame(video, 'the camera');
  video.srcObject = stream;
  await ready;
  await video.play();
  const label = stream.getVideoTracks()[0]?.label || 'Webcam';
  return new VideoSource('webcam', label, video, () => {
    for (const track of stream.getTracks()) track.stop();
  });
}
