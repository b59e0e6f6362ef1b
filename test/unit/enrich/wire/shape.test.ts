import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeShape, readShape, wireIdOf } from '../../../../src/enrich/index.ts';
import type { SipView } from '../../../../src/model/index.ts';
import { isSipFault, readSip } from '../../../../src/protocol/index.ts';
import { view } from '../../detect/events.ts';

const MESSAGES = new URL('../../../../packs/messages/', import.meta.url);
const read = (bytes: Buffer): SipView => {
  const sip = readSip(bytes);
  if (isSipFault(sip)) throw new Error(sip.detail);
  return sip;
};
const text = (name: string): string => readFileSync(new URL(`${name}.sip`, MESSAGES), 'latin1');
const idOf = (message: string): string => wireIdOf(read(Buffer.from(message, 'latin1')));
const svmap = text('svmap-options');

test.each([
  // operators share these: they change with a new prefix only
  ['svmap-options', 'w1-8c989e47'],
  ['svmap-invite', 'w1-8c989e47'],
  ['sippts-scan', 'w1-5c9fd642'],
  ['sipcli-invite', 'w1-a1c7780c'],
])('the id of %s is %s, everywhere and for ever', (name, id) => {
  expect(idOf(text(name))).toBe(id);
});

test('the id does not change with the name, its place, its absence, or credentials', () => {
  const same = [
    svmap.replace('friendly-scanner', 'Yealink SIP-T46U'),
    svmap.replace(/User-Agent:.*\r\n/, ''),
    svmap.replace(/User-Agent:.*\r\n/, '').replace('Via:', 'User-Agent: x\r\nVia:'),
    svmap.replace('User-Agent: friendly-scanner', 'USER-AGENT: FRIENDLY-SCANNER\r\nUser-Agent: other'),
    svmap.replace(
      'Accept:',
      'Authorization: Digest username="1", realm="r", nonce="n", uri="sip:x", response="0"\r\nAccept:',
    ),
  ];
  expect(same.map(idOf)).toEqual(same.map(() => idOf(svmap)));
});

test('the id does not change with what a message says', () => {
  const other = svmap
    .replaceAll('sip:100@1.1.1.1', 'sip:4711@192.0.2.77')
    .replaceAll('"sipvicious"', '"alice"')
    .replace(/branch=z9hG4bK-\d+/, 'branch=z9hG4bK-1234567')
    .replace(/tag=\d+/, 'tag=3766303030373031313363340131393938353433341')
    .replace(/Call-ID: \d+/, 'Call-ID: 99988877766655544433322')
    .replace('sip:100@127.0.0.1:5060', 'sip:4711@198.51.100.1:9');
  expect(idOf(other)).toBe(idOf(svmap));
});

test.each([
  ['the order of headers', (message: string) => message.replace(/(Max-Forwards:.*\r\n)(To:.*\r\n)/, '$2$1')],
  ['a header more', (message: string) => message.replace('Accept:', 'Allow: INVITE\r\nAccept:')],
  ['the spelling of a name', (message: string) => message.replace('CSeq:', 'CSEQ:')],
  ['a compact form', (message: string) => message.replace('Call-ID:', 'i:')],
  ['the branch', (message: string) => message.replace(/branch=z9hG4bK-\d+/, 'branch=z9hG4bKPj0a1b2c3d-e4f5')],
  ['the cookie', (message: string) => message.replace('branch=z9hG4bK', 'branch=')],
  ['rport', (message: string) => message.replace(';rport', '')],
  ['brackets', (message: string) => message.replace(/Contact: (.*)\r/, 'Contact: <$1>\r')],
  ['a blank before them', (message: string) => message.replace('From: "sipvicious"<', 'From: "sipvicious" <')],
  ['the first CSeq', (message: string) => message.replace('CSeq: 1 ', 'CSeq: 102 ')],
  ['a host in the Call-ID', (message: string) => message.replace(/Call-ID: (\d+)/, 'Call-ID: $1@192.0.2.1')],
])('the id changes with %s', (_, change) => {
  expect(change(svmap)).not.toBe(svmap);
  expect(idOf(change(svmap))).not.toBe(idOf(svmap));
});

test('of eight hex digits one in forty has no letter: that is the same shape', () => {
  const scan = text('sippts-scan');
  expect(idOf(scan.replace(/tag=[0-9a-f]{8}/, 'tag=78324256'))).toBe(idOf(scan));
});

test('a shape in words', () => {
  const words = describeShape(readShape(read(Buffer.from(text('sipcli-invite'), 'latin1'))));
  expect(words).toEqual(
    expect.arrayContaining([
      'headers: to, from, via, call-id, cseq, contact, max-forwards, allow, content-type, content-length',
      'branch: hex 25-40 with -',
      'From: bracket token, no blank before <',
      'parties: display is user',
      's=: word',
      'o= version: apart',
    ]),
  );
});

test('any message has an id, and nothing of its text in the shape', () => {
  const word = fc.string({ maxLength: 60 });
  const party = fc.record({ display: word, user: word, host: word, tag: word });
  fc.assert(
    fc.property(
      party,
      party,
      word,
      fc.array(fc.record({ name: word, value: word }), { maxLength: 60 }),
      word,
      (from, to, callId, headers, bodyStart) => {
        const sip = view({ from, to, callId, headers, bodyStart, contact: from.user });
        expect(wireIdOf(sip)).toMatch(/^w1-[0-9a-f]{8}$/);
        const shape = readShape(sip);
        expect(shape.order.length).toBeLessThanOrEqual(40);
        for (const code of [...shape.order, ...shape.features]) expect(code).toBeLessThan(65_536);
      },
    ),
  );
});
