import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_SAMPLE_BYTES, redactMessage } from '../../src/protocol/sip/message/redact.ts';

/** Long and odd enough that it occurs nowhere else in a message. */
const secret = fc.stringMatching(/^[G-Zg-z]{6}[0-9]{6}[G-Z]{4}$/);
const blanks = fc.constantFrom('', ' ', '\t', '  ', '\r\n ', '\n\t');
const end = fc.constantFrom('\r\n', '\n', '\r');
const cased = (word: string) => fc.constantFrom(word, word.toLowerCase(), word.toUpperCase());

const svcrackTag = (password: string): string => Buffer.from(`100:${password}\u00012891734`, 'latin1').toString('hex');

/** Each puts one secret into a line, as phones, tools and vandals write it. */
const places = [
  (x: string, a: string, b: string) =>
    `Authorization${a}:${b}Digest username="1",${a}realm="r", nonce="n", uri="sip:h", response${a}=${b}"${x}"`,
  (x: string, a: string) => `Proxy-Authorization:${a}Digest username="1", cnonce=${x}, response="r"`,
  (x: string, a: string) => `Authorization: Digest username="1",${a}nonce="${x}"`,
  (x: string, a: string) => `Authorization: Digest${a}opaque="${x}`,
  (x: string, a: string) => `Authorization: Digest username="1" response="${x}"${a}`,
  (x: string, a: string) => `Authorization:${a}Basic ${x}`,
  (x: string, a: string) => `authorization:${a}Bearer ${x}`,
  (x: string) => `Authorization: ${x}`,
  (x: string) => `Authorization ${x}`,
  (x: string) => `Authorisation-Token: Digest ${x}="1", ${x}`,
  (x: string) => `Authorization: Digest a="\\", response="${x}"`,
  (x: string) => `Proxy-Authenticate: Digest realm="r", nonce=${x}`,
  (x: string) => `Authentication-Info: nextnonce="${x}", rspauth="${x}"`,
  (x: string) => `X-Api-Key: ${x}`,
  (x: string) => `X-Password: ${x}`,
  (x: string) => `Cookie: a=${x}`,
  (x: string) => `Subject: x\0Authorization: Digest response="${x}"`,
  (x: string) => `Subject: x; password=${x}`,
  (x: string, a: string) => `Contact:${a}<sip:alice:${x}@192.0.2.1:5060>`,
  (x: string) => `Contact: sips:alice:a@${x}@192.0.2.1`,
  (x: string) => `From: alice:${x}@192.0.2.1`,
  (x: string) => `From: sip-alice:${x}@192.0.2.1`,
  (x: string) => `Authorization: Digest uri="sip:alice:${x}@h", username="1"`,
  (x: string) => `From: <sip:100@h>;tag=${svcrackTag(x)}`,
  (x: string) => `To: <sip:100@h>;tag=0${svcrackTag(x).toUpperCase()}`,
];
const bodies = [
  (x: string) => `k=clear:${x}`,
  (x: string) => `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${x}|2^20`,
  (x: string) => `a=crypto 1 inline:${x}`,
  (x: string) => `a=ice-pwd:${x}`,
  (x: string) => `a=key-mgmt:mikey ${x}`,
  (x: string) => `{"password":"${x}"}`,
  (x: string) => ` inline:${x}`,
];

const message = fc
  .record({
    x: secret,
    header: fc.constantFrom(...places),
    body: fc.constantFrom(...bodies),
    method: cased('REGISTER'),
    a: blanks,
    b: blanks,
    eol: end,
    padding: fc.integer({ min: 0, max: 40 }),
    first: fc.boolean(),
  })
  .map(({ x, header, body, method, a, b, eol, padding, first }) => {
    const start = `${method} sip:alice:${x}@example.org SIP/2.0`;
    const lines = [start, ...Array.from({ length: padding }, (_, at) => `X-${at}: ${'y'.repeat(60)}`)];
    lines.splice(first ? 0 : lines.length, 0, header(x, a, b));
    return { x, bytes: Buffer.from([...lines, 'CSeq: 1 REGISTER', '', 'v=0', body(x), ''].join(eol), 'latin1') };
  });

test('no secret survives, wherever it stands and however the line is written', () => {
  fc.assert(
    fc.property(message, ({ x, bytes }) => {
      const text = redactMessage(bytes);
      expect(text.toLowerCase()).not.toContain(x.toLowerCase());
      expect(text.toLowerCase()).not.toContain(Buffer.from(x).toString('hex'));
    }),
    { numRuns: 2_000 },
  );
});

test('no prefix of a message shows more than the whole: a server may have cut it', () => {
  fc.assert(
    fc.property(message, fc.double({ min: 0, max: 1, noNaN: true }), ({ x, bytes }, share) => {
      const text = redactMessage(bytes.subarray(0, Math.floor(bytes.length * share)));
      expect(text).not.toContain(x);
    }),
    { numRuns: 500 },
  );
});

test('any bytes: never throws, never more than its bound, the same for the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20_000, size: 'max' }), (bytes) => {
      const text = redactMessage(Buffer.from(bytes));
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_SAMPLE_BYTES);
      expect(text.isWellFormed()).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('what explains an attack stays', () => {
  const sample = redactMessage(
    Buffer.from(
      [
        'REGISTER sip:example.org SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bK-1',
        'From: "100" <sip:100@example.org>;tag=3130303a736573616d650132383931',
        'To: <sip:100@example.org>',
        'Call-ID: 8143@203.0.113.7',
        'User-Agent: friendly-scanner',
        'Authorization: Digest username="100",realm="example.org",nonce="ab12",uri="sip:example.org",',
        '  response="0123456789abcdef0123456789abcdef",algorithm=MD5,cnonce="zz",qop=auth,nc=00000001',
        'Content-Type: application/sdp',
        '',
        'v=0',
        'c=IN IP4 203.0.113.7',
        'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0',
        'm=audio 4000 RTP/SAVP 0',
      ].join('\r\n'),
    ),
  );
  expect(sample.split('\n')).toEqual([
    'REGISTER sip:example.org SIP/2.0',
    'Via: SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bK-1',
    'From: "100" <sip:100@example.org>;tag=<redacted>',
    'To: <sip:100@example.org>',
    'Call-ID: 8143@203.0.113.7',
    'User-Agent: friendly-scanner',
    'Authorization: Digest username="100", realm="example.org", nonce=<redacted>, uri="sip:example.org", response=<redacted>, algorithm=MD5, cnonce=<redacted>, qop=auth, nc=00000001',
    'Content-Type: application/sdp',
    '',
    'v=0',
    'c=IN IP4 203.0.113.7',
    'a=crypto:<redacted>',
    'm=audio 4000 RTP/SAVP 0',
  ]);
});
