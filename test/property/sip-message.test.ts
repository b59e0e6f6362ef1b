import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createValidity, isParseFault, isSipFault, parseSip, validateBytes, viewOf } from '../../src/protocol/index.ts';
import { headerIdOf, partsOf, SipEdit, writeMessage } from '../../src/protocol/sip/message/index.ts';
import type { MessageParts, SipMessage } from '../../src/protocol/sip/message/index.ts';

const from = (alphabet: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });

const ALNUM = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const token = from(`${ALNUM}-.!%*_+\`'~`, 1, 20);
const user = from(`${ALNUM}-_.!~*'()&=+$,;?/`, 1, 20);
const host = fc.oneof(
  fc.ipV4(),
  fc.constantFrom('example.com', 'a.b-c.example', 'localhost', '[2001:db8::1]', '[::ffff:192.0.2.1]'),
);
const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
const hostPort = fc.tuple(host, port).map(([name, number]) => (number === undefined ? name : `${name}:${number}`));
const uri = fc
  .tuple(fc.option(user, { nil: undefined }), hostPort)
  .map(([name, at]) => `sip:${name === undefined ? '' : `${name}@`}${at}`);
const display = fc.oneof(
  fc.constant(''),
  from(`${ALNUM}-.!%*_+\`'~ `, 1, 20).map((text) => (text.trim() === '' ? '' : `${text.trim()} `)),
  from(`${ALNUM} ,;:<>@()`, 0, 20).map((text) => `"${text}" `),
);
const party = fc.tuple(display, uri, token).map(([name, address, tag]) => `${name}<${address}>;tag=${tag}`);
const method = fc.oneof(fc.constantFrom('INVITE', 'REGISTER', 'OPTIONS', 'BYE'), token);
const extension = fc.tuple(
  token.map((name) => `X-${name}`),
  from(`${ALNUM} ;,<>"=:`, 0, 40).map((text) => text.trim()),
);
const body = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

/** Valid requests in parts, headers in any order. */
const validParts: fc.Arbitrary<MessageParts> = fc
  .record({
    method,
    uri,
    hostPort,
    branch: token,
    fromParty: party,
    toParty: party,
    callId: token,
    cseq: fc.nat(2 ** 31 - 1),
    hops: fc.integer({ min: 0, max: 255 }),
    contact: uri,
    more: fc.array(extension, { maxLength: 10 }),
    body,
    order: fc.array(fc.nat(1_000), { minLength: 20, maxLength: 20 }),
  }) // prettier-ignore
  .map((parts) => {
    const headers: (readonly [string, string])[] = [
      ['Via', `SIP/2.0/UDP ${parts.hostPort};branch=z9hG4bK${parts.branch}`],
      ['From', parts.fromParty],
      ['t', parts.toParty],
      ['Call-ID', parts.callId],
      ['CSeq', `${parts.cseq} ${parts.method}`],
      ['Max-Forwards', String(parts.hops)],
      ['Contact', `<${parts.contact}>`],
      ['Content-Type', 'application/octet-stream'],
      ['Content-Length', String(parts.body.length)],
      ...parts.more,
    ];
    const shuffled = headers
      .map((header, index) => ({ header, rank: parts.order[index % 20]! }))
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ header }) => header);
    return { startLine: `${parts.method} ${parts.uri} SIP/2.0`, headers: shuffled, body: parts.body };
  });

const parsed = (bytes: Buffer): SipMessage => {
  const message = parseSip(bytes);
  if (isParseFault(message)) throw new Error(message.detail);
  return message;
};

test('parse∘write gives the parts back', () => {
  fc.assert(
    fc.property(validParts, (parts) => {
      expect(partsOf(parsed(writeMessage(parts)))).toEqual(parts);
    }),
  );
});

test('write∘parse gives the bytes back', () => {
  fc.assert(
    fc.property(validParts, (parts) => {
      const bytes = writeMessage(parts);
      expect(writeMessage(partsOf(parsed(bytes))).equals(bytes)).toBe(true);
    }),
  );
});

test('valid messages are accepted in every mode, over UDP and TCP, also with folds and other names of headers', () => {
  const policies = (['permissive', 'strict', 'paranoid'] as const).map((mode) =>
    createValidity({ mode, disabled_rules: ['unsupported_scheme'], rules: {} }),
  );
  fc.assert(
    fc.property(validParts, fc.boolean(), (parts, folded) => {
      const written = writeMessage(parts).toString('latin1');
      const [head = '', ...rest] = written.split('\r\n\r\n');
      const text = folded
        ? [head.replaceAll(/^(Contact|Call-ID|CSeq|Via|From|t): /gim, '$1:\r\n\t '), ...rest].join('\r\n\r\n')
        : written;
      for (const stream of [false, true]) {
        const validated = validateBytes(Buffer.from(text, 'latin1'), { stream, cut: false });
        for (const policy of policies)
          expect(policy(validated.violations, validated)).toMatchObject({ verdict: 'accept' });
      }
    }),
  );
});

test('the view shows what was written', () => {
  fc.assert(
    fc.property(validParts, (parts) => {
      const view = viewOf(parsed(writeMessage(parts)));
      if (isSipFault(view)) throw new Error(view.detail);
      const value = (name: string): string => parts.headers.find(([written]) => written === name)?.[1] ?? '';
      expect(`${view.method} ${view.requestUri} SIP/2.0`).toBe(parts.startLine);
      expect(view.callId).toBe(value('Call-ID'));
      expect(view.from.tag).toBe(value('From').split(';tag=').at(-1));
      expect(view.viaBranch).toBe(value('Via').split(';branch=')[1]);
      expect(view.headers).toHaveLength(parts.headers.length);
    }),
  );
});

test('a changed value is the only change, whatever stands around it', () => {
  fc.assert(
    fc.property(validParts, token, (parts, value) => {
      const message = parsed(writeMessage(parts));
      const line = message.first(headerIdOf('call-id'));
      const changed = parsed(new SipEdit(message).setValue(line, value).toBuffer());
      const expected = parts.headers.map(([name, old]) => [name, name === 'Call-ID' ? value : old]);
      expect(partsOf(changed)).toEqual({ ...parts, headers: expected });
    }),
  );
});
