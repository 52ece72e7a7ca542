/**
 * Frames of a camera, a shared screen, or any other video track.
 */
import { UnsupportedError } from '../../errors.ts';
import { closeFrame, type TimedFrame } from '../frames.ts';
import { type FrameFeed, feedFrames } from './feed.ts';
import { type VideoFramesOptions, videoFrames } from './video.ts';

/** What a track yields. */
export type TrackFrame = Required<TimedFrame<VideoFrame | ImageBitmap>>;

/** Milliseconds between looks at a track: one that is stopped here tells no one. */
const watchPeriod = 200;

/** Chromium and Safari (there in workers) hand a track's frames over without an element. */
type TrackProcessor = new (init: {
  readonly track: MediaStreamTrack;
  readonly maxBufferSize?: number;
}) => {
  readonly readable: ReadableStream<VideoFrame>;
};

export interface CameraFramesOptions extends VideoFramesOptions {
  /** As for `getUserMedia`, e.g. `{ video: { facingMode: 'environment', width: 1280 } }`. Default `{ video: true }`. */
  readonly constraints?: MediaStreamConstraints;
}

/**
 * Frames of a video track until it ends: through `MediaStreamTrackProcessor` where the browser has it, else through a
 * `<video>` that is not in the page. At most one frame waits in the browser. The track stays the caller's to stop.
 *
 * @throws UnsupportedError in a worker without `MediaStreamTrackProcessor`
 */
export function mediaStreamFrames(
  track: MediaStreamTrack,
  options: VideoFramesOptions = {},
): AsyncIterableIterator<TrackFrame> {
  return feedFrames(
    () => openTrack(track),
    ({ frame }) => closeFrame(frame),
    options.signal,
  );
}

/** Frames of a camera, which is opened with the first frame asked for and stopped when the source is closed. */
export function cameraFrames(options: CameraFramesOptions = {}): AsyncIterableIterator<TrackFrame> {
  const { constraints = { video: true } } = options;
  return feedFrames(
    () => openCamera(constraints),
    ({ frame }) => closeFrame(frame),
    options.signal,
  );
}

async function openCamera(constraints: MediaStreamConstraints): Promise<FrameFeed<TrackFrame>> {
  const scope: { navigator?: { mediaDevices?: MediaDevices } } = globalThis;
  const devices = scope.navigator?.mediaDevices;
  if (devices === undefined)
    throw new UnsupportedError('there is no camera here (navigator.mediaDevices is missing)');
  const stream = await devices.getUserMedia(constraints);
  const stop = () => {
    for (const track of stream.getTracks()) track.stop();
  };
  const [track] = stream.getVideoTracks();
  if (track === undefined) {
    stop();
    throw new UnsupportedError('the camera gave no video track');
  }
  const feed = await openTrack(track).catch((error: unknown) => {
    stop();
    throw error;
  });
  return {
    next: feed.next,
    close() {
      feed.close();
      stop();
    },
  };
}

async function openTrack(track: MediaStreamTrack): Promise<FrameFeed<TrackFrame>> {
  const Processor = (globalThis as { MediaStreamTrackProcessor?: TrackProcessor }).MediaStreamTrackProcessor;
  if (Processor !== undefined) return processTrack(new Processor({ track, maxBufferSize: 1 }).readable);
  if (typeof document === 'undefined') {
    throw new UnsupportedError('this worker has no MediaStreamTrackProcessor; read the track on the page');
  }
  return playTrack(track);
}

function processTrack(readable: ReadableStream<VideoFrame>): FrameFeed<TrackFrame> {
  const reader = readable.getReader();
  return {
    async next() {
      const { value } = await reader.read();
      return value === undefined ? undefined : { frame: value, timestamp: value.timestamp / 1000 };
    },
    close: () => void reader.cancel().catch(() => undefined),
  };
}

async function playTrack(track: MediaStreamTrack): Promise<FrameFeed<TrackFrame>> {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  const frames = videoFrames(video);
  // An ended track may pause its element without ending it, and leave it waiting where it has not started to play.
  let watch: ReturnType<typeof setInterval> | undefined;
  const over = new Promise<void>((resolve) => {
    watch = setInterval(() => {
      if (track.readyState !== 'ended') return;
      clearInterval(watch);
      void frames.return?.();
      resolve();
    }, watchPeriod);
  });
  const close = () => {
    clearInterval(watch);
    void frames.return?.();
    video.srcObject = null;
  };
  try {
    await Promise.race([video.play(), over]);
  } catch (error) {
    close();
    throw error;
  }
  return { next: async () => (await frames.next()).value, close };
}
