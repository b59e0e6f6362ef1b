import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headerGrammar, isPlainVia } from '../../src/protocol/sip/grammar/index.ts';

const scanVia = headerGrammar('via')!;

const piece = fc.constantFrom(
  'SIP/2.0/UDP', 'SIP/2.0/TLS', 'SIP/2.0/TCP', 'SIP/2.0/WSS', 'SIP / 2.0 / UDP', 'sip/2.0/udp', ' ', '  ', '\t', '192.0.2.1',
  '203.0.113.255', '1.2.3', '256.1.1.1', '01.2.3.4', '1.2.3.4.5', 'phone.example.net', '[2001:db8::1]', ':', ':5060', ':0',
  ':99999', ':123456', ';', ';rport', ';branch', '=', '=z9hG4bK-1.2~x', ';rport=5060', ';received=192.0.2.1',
  ';received=2001:db8::1', ';maddr=x', ';ttl=1', '"', '="a;b"', ',', '\r\n ', '\0', 'é', '%', '(c)',
); // prettier-ignore

const via = fc.oneof(
  fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
  fc.array(piece, { maxLength: 5 }).map((pieces) => `SIP/2.0/UDP 192.0.2.1${pieces.join('')}`),
  fc.string({ maxLength: 12 }).map((text) => `SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK${text}`),
);

test('what is a plain Via is one by the grammar, wherever it stands', () => {
  let plain = 0;
  fc.assert(
    fc.property(via, fc.constantFrom('', 'Via: '), (text, before) => {
      const bytes = Buffer.from(`${before}${text}\r\nFrom: x`, 'latin1');
      const end = before.length + Buffer.byteLength(text, 'latin1');
      if (!isPlainVia(bytes, before.length, end)) return;
      plain += 1;
      expect(scanVia(bytes.toString('latin1'), before.length, end)).toBe(end);
    }),
    { numRuns: 20_000 },
  );
  expect(plain).toBeGreaterThan(100);
});

test('what phones send is plain', () => {
  for (const text of [
    'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds',
    'SIP/2.0/TCP 192.0.2.1;rport;branch=z9hG4bK-524287-1---x;alias',
    'SIP/2.0/UDP 10.0.0.1:1024;rport=40000;received=203.0.113.7;branch=z9hG4bKnashds8',
  ])
    expect(isPlainVia(Buffer.from(text), 0, text.length)).toBe(true);
});
