/**
 * Frames of a playing `<video>`.
 */
import { OptionError, UnsupportedError } from '../../errors.ts';
import { closeFrame, type TimedFrame } from '../frames.ts';
import { type FrameFeed, feedFrames } from './feed.ts';

export interface VideoFramesOptions {
  /** Ends the source with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Every frame that is presented while someone waits for one, until the video ends; the time is the media's.
 *
 * Nothing is buffered: frames presented while nobody waits are not captured, so a slow `'lossless'` reader sees fewer
 * frames, never old ones. A paused video gives none until it plays on. Playing, pausing and the element itself stay the
 * caller's. Frames are `VideoFrame`s, or `ImageBitmap`s where those do not exist.
 *
 * @throws UnsupportedError where the browser has no `requestVideoFrameCallback`; an `error` of the element ends the
 *   source with it
 */
export function videoFrames(
  video: HTMLVideoElement,
  options: VideoFramesOptions = {},
): AsyncIterableIterator<Required<TimedFrame<VideoFrame | ImageBitmap>>> {
  return feedFrames(
    () => openVideo(video),
    ({ frame }) => closeFrame(frame),
    options.signal,
  );
}

function openVideo(video: HTMLVideoElement): FrameFeed<Required<TimedFrame<VideoFrame | ImageBitmap>>> {
  if (typeof video?.addEventListener !== 'function') {
    throw new OptionError(`video: expected a video element, got ${video}`);
  }
  if (typeof video.requestVideoFrameCallback !== 'function') {
    throw new UnsupportedError('this browser has no requestVideoFrameCallback');
  }
  const listening = new AbortController();
  let handle = 0;
  return {
    next: () =>
      new Promise((resolve, reject) => {
        if (video.ended) return resolve(undefined);
        const over = new AbortController();
        const { signal } = over;
        const finish = () => {
          video.cancelVideoFrameCallback(handle);
          over.abort();
        };
        const ended = () => {
          finish();
          resolve(undefined);
        };
        const failed = () => {
          finish();
          reject(video.error ?? new Error('the video failed'));
        };
        video.addEventListener('ended', ended, { signal });
        video.addEventListener('error', failed, { signal });
        listening.signal.addEventListener('abort', ended, { signal });
        handle = video.requestVideoFrameCallback((_now, { mediaTime }) => {
          finish();
          // WebKitGTK gives 0 for every frame of a stream
          const seconds = mediaTime === 0 && video.srcObject ? video.currentTime : mediaTime;
          capture(video, seconds).then(resolve, reject);
        });
      }),
    close: () => listening.abort(),
  };
}

async function capture(
  video: HTMLVideoElement,
  seconds: number,
): Promise<Required<TimedFrame<VideoFrame | ImageBitmap>>> {
  const timestamp = 1000 * seconds;
  if (typeof VideoFrame !== 'function') return { frame: await createImageBitmap(video), timestamp };
  return { frame: new VideoFrame(video, { timestamp: Math.round(1000 * timestamp) }), timestamp };
}
