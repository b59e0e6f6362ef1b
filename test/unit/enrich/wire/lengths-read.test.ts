import { expect, test } from 'vitest';
import { Features, readLengths, TEXT_FEATURES, textOf } from '../../../../src/enrich/wire/features.ts';
import { isSipFault, readSip } from '../../../../src/protocol/index.ts';

test('the lengths stand in the order of the texts', () => {
  // each text has a length of its own
  const lines = [
    'SUBSCRIBE sip:ab@a.example.net;transport=udp;lr=on;x=1 SIP/2.0',
    `Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${'b'.repeat(33)}`,
    'From: "N" <sip:abcd@example.org>;tag=' + 't'.repeat(21),
    'To: "Another Name" <sip:abcdef@long.example.com>;tag=' + 'u'.repeat(23),
    `Call-ID: ${'c'.repeat(30)}`,
    'CSeq: 1 SUBSCRIBE',
    `Contact: <sip:abcdef@192.0.2.1:5060;ob;x=${'y'.repeat(20)}>`,
    `User-Agent: ${'u'.repeat(26)}`,
    '',
    `v=0\r\no=${'o'.repeat(14)} 1 1 IN IP4 192.0.2.1\r\ns=${'s'.repeat(18)}\r\n`,
  ];
  const sip = readSip(Buffer.from(lines.join('\r\n')));
  if (isSipFault(sip)) throw new Error(sip.detail);
  const features = new Features(sip);
  const lengths = new Int32Array(TEXT_FEATURES.length);
  readLengths(features, lengths);
  const expected = TEXT_FEATURES.map((name) => textOf(name)(features).length);
  expect(new Set(expected).size).toBe(TEXT_FEATURES.length);
  expect([...lengths]).toEqual(expected);
});
