import { describe, expect, test } from 'vitest';
import {
  isValueFault,
  MAX_SDP_CHARS,
  MAX_SDP_LINE_CHARS,
  MAX_SDP_LINES,
  MAX_SDP_MEDIA,
  readSdp,
  writeSdp,
} from '../../../src/protocol/sip/values/index.ts';

const OFFER = [
  'v=0',
  'o=mhandley 29739 7272939 IN IP4 192.0.2.3',
  's=-',
  'c=IN IP4 192.0.2.4',
  't=0 0',
  'm=audio 49217 RTP/AVP 0 12',
  'm=video 3227 RTP/AVP 31',
  'a=rtpmap:31 LPC/90000',
  '',
].join('\r\n');

describe('SDP', () => {
  test('RFC 4475 wsinv: read, and written as read', () => {
    const read = readSdp(OFFER);
    expect(read).toMatchObject({
      origin: { username: 'mhandley', address: '192.0.2.3' },
      name: '-',
      media: [
        { type: 'audio', port: 49_217, payloads: '0 12' },
        { type: 'video', port: 3227, rtp: [{ codec: 'LPC' }] },
      ],
    });
    expect(isValueFault(read) ? '' : writeSdp(read)).toBe(OFFER);
  });

  test('line ends: LF alone, none at the end, one too much', () => {
    expect(readSdp(OFFER.replaceAll('\r', ''))).toEqual(readSdp(OFFER));
    expect(readSdp(OFFER.trimEnd())).toEqual(readSdp(OFFER));
    expect(readSdp(`${OFFER}\r\n`)).toEqual(readSdp(OFFER));
    expect(readSdp(`xx${OFFER}yy`, 2, OFFER.length + 2)).toEqual(readSdp(OFFER));
  });

  test.each([
    ['', 'SDP without v=0', 0],
    ['v=1\r\n', 'SDP without v=0', 0],
    ['hello world', 'SDP without v=0', 0],
    ['v=0\r\nhello', 'not an SDP line', 5],
    ['v=0\r\n\r\ns=-', 'not an SDP line', 5],
    ['v=0\r\ns=a\rm=b', 'CR within an SDP line', 8],
    ['v=0\r\nm=audio x RTP/AVP', 'SDP media line that is none', 0],
  ])('%j: %s', (text, fault, offset) => {
    expect(readSdp(text)).toEqual({ fault, offset });
  });

  test('bounds on size, lines, one line and media', () => {
    const lines = (line: string, count: number): string => `v=0\n${`${line}\n`.repeat(count)}`;
    expect(readSdp(lines('a=x', MAX_SDP_LINES - 1))).not.toHaveProperty('fault');
    expect(readSdp(lines('a=x', MAX_SDP_LINES))).toMatchObject({ fault: 'SDP of too many lines' });
    expect(readSdp(lines('m=audio 1 RTP/AVP 0', MAX_SDP_MEDIA))).not.toHaveProperty('fault');
    expect(readSdp(lines('m=audio 1 RTP/AVP 0', MAX_SDP_MEDIA + 1))).toMatchObject({ fault: 'SDP of too many media' });
    expect(readSdp(lines('x'.repeat(MAX_SDP_CHARS), 1))).toMatchObject({ fault: 'SDP too long' });
    expect(readSdp(`v=0\na=${'x'.repeat(MAX_SDP_LINE_CHARS - 1)}`)).toEqual({
      fault: 'SDP line too long',
      offset: 4 + MAX_SDP_LINE_CHARS,
    });
  });

  test('no name of the text becomes a name of an object', () => {
    const hostile = [
      'a=__proto__:1',
      'a=constructor:1',
      'a=fmtp:1 __proto__=polluted',
      'b=__proto__:5',
      'm=__proto__ 1 __proto__ 0',
      'a=__proto__',
    ];
    const read = readSdp(`v=0\r\n${hostile.join('\r\n')}\r\n`);
    expect(isValueFault(read)).toBe(false);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
