import { expect, test } from 'vitest';
import { StreamFraming } from '../../../src/protocol/sip/message/index.ts';
import type { Framed } from '../../../src/protocol/sip/message/index.ts';

const message = (body = '', length = String(body.length)): string =>
  `OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nContent-Length: ${length}\r\n\r\n${body}`;

const said = (framed: readonly Framed[]): string[] =>
  framed.map((one) =>
    one.kind === 'message' ? one.bytes.toString('latin1') : one.kind === 'fault' ? `fault ${one.fault}` : one.kind,
  );

const inPieces = (text: string, size: number): string[] => {
  const framing = new StreamFraming();
  const bytes = Buffer.from(text, 'latin1');
  const framed: Framed[] = [];
  for (let at = 0; at < bytes.length; at += size) framed.push(...framing.push(bytes.subarray(at, at + size)));
  return said(framed);
};

const STREAM = `${message('abc')}\r\n\r\n${message()}\r\n${message('\r\n\r\n')}`;

test.each([1, 2, 3, 5, 7, 64, 1_000])('pieces of %i bytes give the same messages, pings and pongs', (size) => {
  expect(inPieces(STREAM, size)).toEqual([message('abc'), 'ping', message(), 'pong', message('\r\n\r\n')]);
});

test('a thousand pipelined messages come out of one chunk, each with memory of its own', () => {
  const framing = new StreamFraming();
  const chunk = Buffer.from(message('x').repeat(1_000), 'latin1');
  const framed = framing.push(chunk);
  chunk.fill(0);
  expect(said(framed)).toEqual(Array.from({ length: 1_000 }, () => message('x')));
  expect(framing.heldBytes).toBe(0);
});

test.each([
  ['a length that is no number', message('', '-1'), 'content-length-invalid'],
  ['a length of 2^32 + 1', message('', '4294967297'), 'message-too-large'],
  ['a length of thirty digits', message('', '1'.repeat(30)), 'content-length-invalid'],
  ['two lengths', message('abc').replace('\r\n\r\n', '\r\nl: 1\r\n\r\n'), 'content-length-conflict'],
  ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'not-sip'],
  ['headers without end', `OPTIONS sip:a SIP/2.0\r\n${'X: y\r\n'.repeat(6_000)}`, 'headers-too-large'],
])('%s ends the stream', (_, text, fault) => {
  const framing = new StreamFraming();
  expect(said(framing.push(Buffer.from(text)))).toEqual([`fault ${fault}`]);
  expect(framing.push(Buffer.from(message()))).toEqual([]);
  expect(framing.heldBytes).toBe(0);
});

test('the same length twice is one length; none is no body', () => {
  const twice = message('abc').replace('\r\n\r\n', '\r\nl: 3\r\n\r\n');
  const none = 'OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n';
  expect(inPieces(twice + none + message(), 11)).toEqual([twice, none, message()]);
});

test('what is held stays below one message and its headers, whatever comes', () => {
  const framing = new StreamFraming();
  framing.push(Buffer.from(message('', '60000')));
  for (let n = 0; n < 59; n += 1) framing.push(Buffer.alloc(1_000, 0x61));
  expect(framing.heldBytes).toBeLessThan(65_536);
  expect(said(framing.push(Buffer.alloc(200_000, 0x62)))).toHaveLength(2);
  expect(framing.heldBytes).toBe(0);
});
