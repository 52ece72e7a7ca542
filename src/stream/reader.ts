/**
 * One way to read every kind of source, and to close it whatever it is doing.
 */
import { OptionError } from '../errors.ts';
import type { FrameInput, FrameSource } from './frames.ts';

/** A source being read. */
export interface FrameReader<Frame> {
  next(): Promise<IteratorResult<FrameInput<Frame>, unknown>>;
  /** Tells the source that no more is wanted; does not wait for it. */
  close(): void;
}

/** Reads a source; throws OptionError for what is none. */
export function readFrames<Frame>(source: FrameSource<Frame>): FrameReader<Frame> {
  // A stream is read by its reader, not iterated: not every browser has its iterator, and cancel ends a pending read.
  if (isStream(source)) return streamReader(source);
  if (isAsyncIterable(source)) return iteratorReader(source[Symbol.asyncIterator]());
  if (isIterable(source)) return iteratorReader(source[Symbol.iterator]());
  throw new OptionError(
    `source: expected an AsyncIterable, Iterable or ReadableStream of frames, got ${source}`,
  );
}

function isStream<Frame>(source: FrameSource<Frame>): source is ReadableStream<FrameInput<Frame>> {
  return isObject(source) && typeof (source as Partial<ReadableStream>).getReader === 'function';
}

function isAsyncIterable<Frame>(source: FrameSource<Frame>): source is AsyncIterable<FrameInput<Frame>> {
  return isObject(source) && Symbol.asyncIterator in source;
}

function isIterable<Frame>(source: FrameSource<Frame>): source is Iterable<FrameInput<Frame>> {
  return isObject(source) && Symbol.iterator in source;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Errors of a source that is no longer wanted have nobody to go to. */
const ignore = () => undefined;

function streamReader<Frame>(stream: ReadableStream<FrameInput<Frame>>): FrameReader<Frame> {
  const reader = stream.getReader();
  let ended = false;
  return {
    async next() {
      const item = await reader.read();
      ended = item.done;
      return item as IteratorResult<FrameInput<Frame>, unknown>;
    },
    close() {
      if (!ended) reader.cancel().catch(ignore);
      ended = true;
    },
  };
}

function iteratorReader<Frame>(
  iterator: AsyncIterator<FrameInput<Frame>> | Iterator<FrameInput<Frame>>,
): FrameReader<Frame> {
  let ended = false;
  return {
    async next() {
      try {
        const item = await iterator.next();
        if (item.done) ended = true;
        return item;
      } catch (error) {
        ended = true;
        throw error;
      }
    },
    close() {
      if (ended) return;
      ended = true;
      // An async generator answers only after its pending frame; nobody waits for it here.
      const close = async () => iterator.return?.();
      close().catch(ignore);
    },
  };
}
