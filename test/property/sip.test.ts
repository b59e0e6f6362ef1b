import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSipFault, readSip } from '../../src/protocol/index.ts';

const MAX_CHARS = 1_024;

/** Texts that look like SIP here and there, so that the reader gets past the first line. */
const fragment = fc.oneof(
  fc.constantFrom(
    'From: ',
    'f:',
    'To :',
    'Via: SIP/2.0/UDP h;branch=',
    'Call-ID:',
    'Authorization: Digest username=',
    '\r\n',
  ),
  fc.constantFrom(
    '"',
    '\\',
    '<',
    '>',
    ';',
    ',',
    '=',
    ':',
    '@',
    '[',
    ']',
    '\r\n ',
    '\n',
    '\r',
    '\0',
    'tag=',
    'sip:',
    'é',
    '\xff',
  ),
  fc.string({ maxLength: 20 }),
  fc.integer({ min: 1, max: 3_000 }).map((count) => 'x'.repeat(count)),
);
const almostSip = fc
  .array(fragment, { maxLength: 200 })
  .map((parts) => Buffer.from(`REGISTER sip:a@b SIP/2.0\r\n${parts.join('')}`, 'latin1'));
const anyBytes = fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes));

test('any bytes give a bounded view or a fault, and never throw', () => {
  fc.assert(
    fc.property(fc.oneof(almostSip, anyBytes), (bytes) => {
      const view = readSip(bytes);
      if (isSipFault(view)) return;
      const { headers, from, to, cseq, ...texts } = view;
      expect(headers.length).toBeLessThanOrEqual(128);
      for (const { name, value } of headers) {
        expect(name.length).toBeLessThanOrEqual(64);
        expect(value.length).toBeLessThanOrEqual(MAX_CHARS);
      }
      for (const text of [...Object.values(texts), ...Object.values(from), ...Object.values(to)]) {
        expect(text.length).toBeLessThanOrEqual(MAX_CHARS);
      }
      expect(Number.isSafeInteger(cseq) && cseq >= -1).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

const token = fc.stringMatching(/^[a-z0-9]{1,20}$/);

test('what is written is read', () => {
  fc.assert(
    fc.property(token, token, token, token, fc.boolean(), fc.boolean(), (user, host, tag, branch, compact, folded) => {
      const gap = folded ? '\r\n\t' : ' ';
      const lines = [
        `REGISTER sip:${host} SIP/2.0`,
        `${compact ? 'v' : 'Via'}:${gap}SIP/2.0/UDP ${host};rport;branch=${branch}`,
        `${compact ? 'f' : 'FROM'}:${gap}"${user}" <sip:${user}@${host}>${gap};tag=${tag}`,
        `${compact ? 't' : 'to'}:${gap}sip:${user}@${host}`,
      ];
      expect(readSip(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`))).toMatchObject({
        viaBranch: branch,
        from: { display: user, user, host, tag },
        to: { display: '', user, host, tag: '' },
      });
    }),
  );
});

test('messages built to be slow are read in time that grows with their length only', () => {
  const head = 'OPTIONS sip:a SIP/2.0\r\n';
  for (const filler of ['a\n', 'a:\n ', ' \n', 'From:"', 'From: ;"\\', 'Authorization: Digest "",=,', ':', '\r\n ']) {
    const bytes = Buffer.concat([Buffer.from(head), Buffer.alloc(65_000, filler)]);
    expect(() => readSip(bytes)).not.toThrow();
  }
});
