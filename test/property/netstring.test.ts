import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EVAPI_FRAME_BYTES, createNetstringSplitter, encodeNetstring, toEvapi } from '../../src/protocol/index.ts';

const MAX = 300;
const payloads = fc.array(
  fc.uint8Array({ maxLength: MAX }).map((bytes) => Buffer.from(bytes)),
  { maxLength: 20 },
);
/** Cuts bytes at the given places, in any order, doubles included. */
const cutAt = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
};
const readAll = (chunks: readonly Buffer[], max = MAX) => {
  const splitter = createNetstringSplitter(max);
  const frames: string[] = [];
  const faults: string[] = [];
  for (const chunk of chunks) {
    const pushed = splitter.push(chunk);
    frames.push(...pushed.frames.map((frame) => frame.toString('latin1')));
    if (pushed.fault !== undefined) faults.push(pushed.fault);
  }
  return { frames, faults };
};

test('what was encoded comes out the same, however the stream is cut', () => {
  fc.assert(
    fc.property(payloads, fc.array(fc.nat(), { maxLength: 40 }), (list, places) => {
      const stream = Buffer.concat(list.map(encodeNetstring));
      expect(readAll(cutAt(stream, places))).toEqual({
        frames: list.map((payload) => payload.toString('latin1')),
        faults: [],
      });
    }),
  );
});

test('byte by byte', () => {
  const stream = Buffer.concat(['', 'a', 'x'.repeat(MAX), '12:'].map((text) => encodeNetstring(Buffer.from(text))));
  expect(readAll([...stream].map((byte) => Buffer.from([byte]))).frames).toEqual(['', 'a', 'x'.repeat(MAX), '12:']);
});

test('any bytes: never throws, at most one fault, nothing after it', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (chunks) => {
      const splitter = createNetstringSplitter(MAX);
      let faults = 0;
      for (const chunk of chunks) {
        const { frames, fault } = splitter.push(Buffer.from(chunk));
        if (faults > 0) expect(frames).toEqual([]);
        if (fault !== undefined) faults += 1;
      }
      expect(faults).toBeLessThanOrEqual(1);
    }),
  );
});

test.each([
  ['a length that is no number', 'x:', 'length'],
  ['no length', ':', 'length'],
  ['a leading zero', '03:abc,', 'length'],
  ['a space between frames', '1:a, 1:b,', 'length'],
  ['one byte too long', `${MAX + 1}:`, 'too-long'],
  ['a length that never ends', '1'.repeat(10), 'too-long'],
  ['another end than a comma', '3:abcd', 'end'],
])('%s is a fault before the payload is waited for', (_name, text, fault) => {
  expect(readAll([Buffer.from(text)]).faults).toEqual([fault]);
  expect(readAll([...Buffer.from(text)].map((byte) => Buffer.from([byte]))).faults).toEqual([fault]);
});

test('frames before a fault are kept', () => {
  expect(readAll([Buffer.from('1:a,1:b,x')])).toEqual({ frames: ['a', 'b'], faults: ['length'] });
});

test('to Kamailio every frame has exactly 151 bytes, of which a full buffer of its holds a whole number', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 146 }), (text) => {
      const bytes = toEvapi(Buffer.from(text));
      expect(bytes.length).toBe(EVAPI_FRAME_BYTES);
      expect(readAll([bytes]).frames[0]?.trimEnd()).toBe(text.trimEnd());
    }),
  );
  expect(32_767 % EVAPI_FRAME_BYTES).toBe(0);
});
