/** Frame sources of the browser: a playing video, a track, a camera; and a stream of them through a detector. */
import { describe, expect, it } from 'vitest';
import { Detections } from '../../src/boxes/detections.ts';
import { cameraFrames, detectFrames, mediaStreamFrames, videoFrames } from '../../src/stream/index.ts';

/** A canvas that is painted anew all the time, and its track. */
function moving(): { track: MediaStreamTrack; stop(): void } {
  const canvas = document.createElement('canvas');
  canvas.width = 64;
  canvas.height = 48;
  const context = canvas.getContext('2d')!;
  let hue = 0;
  const timer = setInterval(() => {
    context.fillStyle = `hsl(${hue++ % 360} 80% 50%)`;
    context.fillRect(0, 0, 64, 48);
  }, 15);
  const [track] = canvas.captureStream(60).getVideoTracks();
  return {
    track: track!,
    stop() {
      clearInterval(timer);
      track!.stop();
    },
  };
}

async function playing(track: MediaStreamTrack): Promise<HTMLVideoElement> {
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = new MediaStream([track]);
  document.body.append(video);
  await video.play();
  return video;
}

/** Closes every frame, as a detector does, and remembers them. */
function closing() {
  const frames: (VideoFrame | ImageBitmap)[] = [];
  return {
    frames,
    async detect(frame: VideoFrame | ImageBitmap) {
      frames.push(frame);
      await new Promise((resolve) => setTimeout(resolve, 30));
      frame.close();
      return Detections.empty();
    },
  };
}

const isClosed = (frame: VideoFrame | ImageBitmap) =>
  ('codedWidth' in frame ? frame.codedWidth : frame.width) === 0;

describe('sources', () => {
  it('videoFrames gives what is presented, with rising media times, and leaves the video playing', async () => {
    const { track, stop } = moving();
    const video = await playing(track);
    const times: number[] = [];
    for await (const { frame, timestamp } of videoFrames(video)) {
      expect(frame).toBeInstanceOf(VideoFrame);
      expect((frame as VideoFrame).displayWidth).toBe(64);
      times.push(timestamp);
      frame.close();
      if (times.length === 5) break;
    }
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    expect(video.paused).toBe(false);
    stop();
    video.remove();
  });

  it('a paused video gives nothing, and can still be left, by return and by abort', async () => {
    const { track, stop } = moving();
    const video = await playing(track);
    video.pause();
    const frames = videoFrames(video);
    const pending = frames.next();
    await frames.return!();
    expect(await pending).toEqual({ done: true, value: undefined });
    const controller = new AbortController();
    const aborted = videoFrames(video, { signal: controller.signal }).next();
    setTimeout(() => controller.abort('enough'), 20);
    await expect(aborted).rejects.toBe('enough');
    stop();
    video.remove();
  });

  it.each(['MediaStreamTrackProcessor', 'a video element'])('mediaStreamFrames by %s', async (way) => {
    const scope = globalThis as { MediaStreamTrackProcessor?: unknown };
    const processor = scope.MediaStreamTrackProcessor;
    if (way === 'a video element') scope.MediaStreamTrackProcessor = undefined;
    else expect(processor).toBeTypeOf('function');
    const { track, stop } = moving();
    try {
      let count = 0;
      for await (const { frame, timestamp } of mediaStreamFrames(track)) {
        expect(timestamp).toBeTypeOf('number');
        frame.close();
        if (++count === 4) break;
      }
      expect(track.readyState).toBe('live');
    } finally {
      scope.MediaStreamTrackProcessor = processor;
      stop();
    }
  });

  it('ends with its track', async () => {
    const { track, stop } = moving();
    setTimeout(stop, 150);
    let count = 0;
    for await (const { frame } of mediaStreamFrames(track)) {
      count++;
      frame.close();
    }
    expect(count).toBeGreaterThan(0);
  });

  it('ends with a track that stops before its element plays', async () => {
    const scope = globalThis as { MediaStreamTrackProcessor?: unknown };
    const processor = scope.MediaStreamTrackProcessor;
    const { play } = HTMLMediaElement.prototype;
    scope.MediaStreamTrackProcessor = undefined;
    // as WebKit, whose `play` then never settles
    HTMLMediaElement.prototype.play = () => new Promise(() => {});
    try {
      const { track, stop } = moving();
      const pending = mediaStreamFrames(track).next();
      stop();
      expect(await pending).toEqual({ done: true, value: undefined });
    } finally {
      HTMLMediaElement.prototype.play = play;
      scope.MediaStreamTrackProcessor = processor;
    }
  });

  it('has rising times where the browser gives the frames of a stream none', async () => {
    const { track, stop } = moving();
    const video = await playing(track);
    // as WebKitGTK
    const request = video.requestVideoFrameCallback;
    video.requestVideoFrameCallback = (done) =>
      request.call(video, (now, metadata) => done(now, { ...metadata, mediaTime: 0 }));
    const times: number[] = [];
    for await (const { frame, timestamp } of videoFrames(video)) {
      times.push(timestamp);
      frame.close();
      if (times.length === 4) break;
    }
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    stop();
    video.remove();
  });

  it('cameraFrames opens the camera when asked and stops it when left', async () => {
    const { track, stop } = moving();
    const { mediaDevices } = navigator;
    const real = mediaDevices.getUserMedia;
    let asked: MediaStreamConstraints | undefined;
    mediaDevices.getUserMedia = async (constraints) => {
      asked = constraints;
      return new MediaStream([track]);
    };
    try {
      const frames = cameraFrames({ constraints: { video: { width: 640 } } });
      expect(asked).toBeUndefined();
      for await (const { frame } of frames) {
        frame.close();
        break;
      }
      expect(asked).toEqual({ video: { width: 640 } });
      await expect.poll(() => track.readyState).toBe('ended');
    } finally {
      mediaDevices.getUserMedia = real;
      stop();
    }
  });
});

describe('a live stream', () => {
  it('latest: what is dropped is closed, times rise, leaving stops it', async () => {
    const { track, stop } = moving();
    const detector = closing();
    const results = detectFrames(mediaStreamFrames(track), detector, { overflow: 'latest' });
    const times: number[] = [];
    for await (const { timestamp, computeMs } of results) {
      times.push(timestamp);
      expect(computeMs).toBeGreaterThan(20);
      if (times.length === 6) break;
    }
    expect(times).toEqual([...times].sort((a, b) => a - b));
    await expect.poll(() => detector.frames.every(isClosed)).toBe(true);
    const { received, delivered, dropped, failed } = results.stats;
    expect(received).toBe(delivered + dropped + failed);
    stop();
  });
});
