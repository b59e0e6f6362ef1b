import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isSameUri,
  isValueFault,
  readChallenges,
  readContacts,
  readCredentials,
  readCSeq,
  readNameAddr,
  readNameAddrs,
  readSdp,
  readSipUri,
  readTelUri,
  readUri,
  readVia,
  readVias,
  uriKey,
  writeChallenges,
  writeContacts,
  writeCredentials,
  writeCSeq,
  writeNameAddr,
  writeNameAddrs,
  writeSdp,
  writeSipUri,
  writeTelUri,
  writeUri,
  writeVia,
  writeVias,
  type CSeq,
  type DigestChallenge,
  type DigestCredentials,
  type NameAddr,
  type OtherScheme,
  type OtherUri,
  type Parameter,
  type SipUri,
  type TelUri,
  type Uri,
  type UriPart,
  type Via,
} from '../../src/protocol/sip/values/index.ts';
import { headerGrammar } from '../../src/protocol/sip/grammar/index.ts';

const ALPHANUM = [...'abcXYZ019'];
const charsOf = (chars: string, minLength = 1): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...ALPHANUM, ...chars), minLength, maxLength: 8 });
const orNone = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 });

/** Bytes of UTF-8 as latin1 chars, without the line ends that nothing can quote. */
const text = fc
  .string({
    unit: fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      fc.constantFrom('"', '\\', '\0', ' ', '\t', ';', ',', '<'),
    ),
    maxLength: 12,
  })
  .map((value) => Buffer.from(value.replaceAll(/[\r\n]/g, ' '), 'utf8').toString('latin1'));

const token = charsOf("-.!%*_+`'~");
const escaped = (chars: string, minLength = 1): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(charsOf(chars), fc.constantFrom('%20', '%00', '%C3%A9', '%25', '%3b')), { minLength, maxLength: 3 })
    .map((pieces) => pieces.join(''));

const label = fc.stringMatching(/^[a-z](?:[a-z0-9-]{0,6}[a-z0-9])?$/);
const hostname = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
const host = fc.oneof(
  hostname.map((name) => ({ host: name, hostKind: 'name' as const })),
  fc.ipV4().map((address) => ({ host: address, hostKind: 'ipv4' as const })),
  fc.ipV6().map((address) => ({ host: `[${address}]`, hostKind: 'ipv6' as const })),
);
const port = orNone(fc.integer({ min: 0, max: 65_535 }));

const MARKS = "-_.!~*'()";
const part = (chars: string): fc.Arbitrary<UriPart> =>
  fc.record({ name: escaped(MARKS + chars), value: orNone(escaped(MARKS + chars)) });

const sipUri: fc.Arbitrary<SipUri> = fc
  .tuple(
    fc.constantFrom('sip' as const, 'sips' as const),
    orNone(fc.tuple(escaped(`${MARKS}&=+$,;?/`), orNone(escaped(`${MARKS}&=+$,`, 0)))),
    host,
    port,
    fc.array(part('[]/:&+$'), { maxLength: 3 }),
    fc.array(fc.record({ name: escaped(`${MARKS}[]/?:+$`), value: escaped(`${MARKS}[]/?:+$`, 0) }), { maxLength: 2 }),
  )
  .map(([scheme, userinfo, hostPart, portPart, params, headers]) => ({
    kind: 'sip',
    scheme,
    user: userinfo?.[0],
    password: userinfo?.[1],
    ...hostPart,
    port: portPart,
    params,
    headers,
  }));

const telUri: fc.Arbitrary<TelUri> = fc.record({
  kind: fc.constant('tel' as const),
  number: fc.stringMatching(/^(?:\+\d[-.()\d]{0,9}|[\dA-F][-.()\dA-F*]{0,9})$/),
  params: fc.array(
    fc.oneof(
      fc.record({ name: fc.constant('phone-context'), value: hostname }),
      fc.record({ name: fc.constant('ext'), value: fc.stringMatching(/^\d{1,5}$/) }),
      fc.record({ name: fc.stringMatching(/^x[a-z0-9-]{0,5}$/), value: orNone(escaped(`${MARKS}[]/:&+$`)) }),
    ),
    { maxLength: 3 },
  ),
});

const otherUri: fc.Arbitrary<OtherUri> = fc.record({
  kind: fc.constant('other' as const),
  scheme: fc.stringMatching(/^x[a-z0-9+.-]{0,6}$/),
  rest: escaped(`${MARKS};/?:@&=+$,`),
});

const uri: fc.Arbitrary<Uri> = fc.oneof(sipUri, telUri, otherUri);

const parameterOf = (name: fc.Arbitrary<string>): fc.Arbitrary<Parameter> =>
  fc.oneof(
    fc.record({ name, value: fc.constant(undefined), quoted: fc.constant(false) }),
    fc.record({ name, value: fc.oneof(token, fc.constant('[2001:db8::1]')), quoted: fc.constant(false) }),
    fc.record({ name, value: text, quoted: fc.constant(true) }),
  );
const params = fc.array(parameterOf(token), { maxLength: 4 });

const nameAddr: fc.Arbitrary<NameAddr> = fc.record({ display: orNone(text), uri, params });

const via: fc.Arbitrary<Via> = fc
  .tuple(
    token,
    token,
    token,
    host,
    port,
    fc.array(
      fc.oneof(
        parameterOf(token),
        fc.ipV6().map((value) => ({ name: 'received', value, quoted: false })),
        fc.constant({ name: 'rport', value: undefined, quoted: false }),
      ),
      { maxLength: 4 },
    ),
  )
  .map(([protocol, version, transport, hostPart, portPart, viaParams]) => ({
    protocol,
    version,
    transport,
    ...hostPart,
    port: portPart,
    params: viaParams,
  }));

const cseq: fc.Arbitrary<CSeq> = fc.record({ number: fc.integer({ min: 0, max: 2 ** 31 - 1 }), method: token });

/** Names that no reader knows, each once. */
const others = fc.uniqueArray(
  fc.oneof(
    fc.record({ name: token.map((name) => `x-${name}`), value: token, quoted: fc.constant(false) }),
    fc.record({ name: token.map((name) => `x-${name}`), value: text, quoted: fc.constant(true) }),
  ),
  { maxLength: 3, selector: ({ name }) => name.toLowerCase() },
);

const otherScheme: fc.Arbitrary<OtherScheme> = fc.record({
  scheme: token.map((name) => `X${name}`),
  raw: fc
    .array(fc.tuple(token, token), { minLength: 1, maxLength: 3 })
    .map((pairs) => pairs.map(([name, value]) => `${name}="${value}"`).join(', ')),
});

const digestCredentials: fc.Arbitrary<DigestCredentials> = fc
  .record({
    scheme: fc.constant('Digest' as const),
    username: text,
    usernameExtended: orNone(token.map((value) => `UTF-8''${value}`)),
    realm: text,
    nonce: text,
    uri: text,
    response: text,
    algorithm: orNone(token),
    cnonce: orNone(text),
    opaque: orNone(text),
    qop: orNone(token),
    nc: orNone(fc.integer({ min: 0, max: 0xff_ff_ff_ff })),
    userhash: orNone(fc.boolean()),
    others,
  })
  .map((credentials) =>
    credentials.usernameExtended === undefined ? credentials : { ...credentials, username: '', userhash: undefined },
  );

const digestChallenge: fc.Arbitrary<DigestChallenge> = fc.record({
  scheme: fc.constant('Digest' as const),
  realm: text,
  nonce: text,
  domain: orNone(text),
  opaque: orNone(text),
  stale: orNone(fc.boolean()),
  algorithm: orNone(token),
  qop: orNone(fc.array(token, { minLength: 1, maxLength: 3 })),
  charset: orNone(token),
  userhash: orNone(fc.boolean()),
  others,
});

const small = fc.integer({ min: 0, max: 65_535 });
const sdpWord = fc.stringMatching(/^[a-z][a-zA-Z]{0,7}$/);

/** As sdp-transform has it: what looks like a whole number is one; a clock rate of 0 is none. */
const description = fc.record({
  version: fc.constant(0),
  origin: fc.record({
    username: fc.oneof(sdpWord, fc.constant('-')),
    sessionId: small,
    sessionVersion: small,
    netType: fc.constant('IN'),
    ipVer: fc.constant(4),
    address: fc.ipV4(),
  }),
  name: fc.oneof(sdpWord, fc.constant('-')),
  connection: fc.record({ version: fc.constant(4), ip: fc.ipV4() }),
  timing: fc.record({ start: small, stop: small }),
  media: fc.array(
    fc.record({
      rtp: fc.array(fc.record({ payload: small, codec: sdpWord, rate: small.map((rate) => rate + 1) }), {
        maxLength: 3,
      }),
      fmtp: fc.array(fc.record({ payload: small, config: sdpWord.map((word) => `${word}=1`) }), { maxLength: 2 }),
      type: fc.constantFrom('audio', 'video'),
      port: small,
      protocol: fc.constantFrom('RTP/AVP', 'UDP/TLS/RTP/SAVPF'),
      payloads: fc.constantFrom('0 8', '111 0 101', 0),
      direction: fc.constantFrom('sendrecv', 'inactive'),
    }),
    { maxLength: 3 },
  ),
});

interface Codec {
  readonly name: string;
  readonly read: (text: string, from?: number, to?: number) => unknown;
  readonly write: (value: never) => string;
  readonly values: fc.Arbitrary<unknown>;
  /** What leads the reader to the rules behind its first one. */
  readonly lead: string;
}

const listOf = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> => fc.array(one, { minLength: 1, maxLength: 3 });

const CODECS: readonly Codec[] = [
  { name: 'SIP URI', lead: 'sip:a@b;x', read: readSipUri, write: writeSipUri, values: sipUri },
  { name: 'tel URI', lead: 'tel:1', read: readTelUri, write: writeTelUri, values: telUri },
  { name: 'URI', lead: 'http:', read: readUri, write: writeUri, values: uri },
  { name: 'address', lead: '"', read: readNameAddr, write: writeNameAddr, values: nameAddr },
  { name: 'addresses', lead: '<sip:a@b>;x', read: readNameAddrs, write: writeNameAddrs, values: listOf(nameAddr) },
  {
    name: 'contacts',
    lead: '"a"<sip:a@b',
    read: readContacts,
    write: writeContacts,
    values: fc.oneof(fc.constant('*'), listOf(nameAddr)),
  },
  { name: 'Via', lead: 'SIP/2.0/UDP h', read: readVia, write: writeVia, values: via },
  { name: 'Vias', lead: 'SIP/2.0/UDP h;a="', read: readVias, write: writeVias, values: listOf(via) },
  { name: 'CSeq', lead: '1', read: readCSeq, write: writeCSeq, values: cseq },
  {
    name: 'credentials',
    lead: 'Digest realm="',
    read: readCredentials,
    write: writeCredentials,
    values: fc.oneof(digestCredentials, otherScheme),
  },
  {
    name: 'challenges',
    lead: 'Digest realm="a", nonce="b", ',
    read: readChallenges,
    write: writeChallenges,
    values: listOf(fc.oneof(digestChallenge, otherScheme)),
  },
  { name: 'SDP', lead: 'v=0\r\na=', read: readSdp, write: writeSdp, values: description },
];

const FRAGMENTS =
  'sip:|sips:|tel:+1|http://|<|>|"|\\|;|,|=|:|@|[|]|::1|?|&|%41|%|*| |\t|\r\n |\n|\0|é|ÿ|SIP/2.0/UDP h|;tag=|;branch=z9|;rport|Digest |realm="a"|, nonce="b"|username="u"|1 INVITE|v=0\r\n|m=audio 1 RTP/AVP 0\r\n|a=rtpmap:0 PCMU/8000\r\n|o=- 1 1 IN IP4 1.2.3.4\r\n|a=__proto__:x\r\n'.split(
    '|',
  );
const anything = fc
  .array(fc.oneof(fc.constantFrom(...FRAGMENTS), fc.string({ unit: 'binary', maxLength: 6 }), token), { maxLength: 16 })
  .map((pieces) => pieces.join(''));

const HOSTILE_CHARS = 65_536;
const hostile = [...FRAGMENTS, '("', '\\"', 'a,', 'a;', 'a=b,', ';a=b', '<sip:a@b>,', 'x y ', 'a.', '1.', '%00'].map(
  (fragment) => fragment.repeat(Math.ceil(HOSTILE_CHARS / fragment.length)),
);
/** One flat text, as a message is, and not the tree of its repeats. */
const flat = (rope: string): string => Buffer.from(rope, 'latin1').toString('latin1');
describe.each(CODECS)('$name', ({ read, write, values, lead }) => {
  const reread = (value: unknown): unknown => {
    const padding = 'sip:"<';
    const written = write(value as never);
    expect(isValueFault(read(written)) ? `${JSON.stringify(read(written))}: ${written}` : '').toBe('');
    return read(`${padding}${written}${padding}`, padding.length, padding.length + written.length);
  };

  test('what is written reads back as the same value, also within a longer text', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(reread(value)).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  test('any text gives a value that survives its writing, or a fault within the range', () => {
    fc.assert(
      fc.property(anything, (any) => {
        const value = read(any);
        if (!isValueFault(value)) expect(reread(value)).toEqual(value);
        else {
          expect(value.offset).toBeGreaterThanOrEqual(0);
          expect(value.offset).toBeLessThanOrEqual(any.length);
          expect(value.fault).toMatch(/^[A-Za-z]/);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('64 KB of hostile repeats give an answer', () => {
    for (const prefix of ['', lead]) {
      for (const repeats of hostile) expect(read(flat(prefix + repeats)) === undefined).toBe(false);
    }
  });
});

test('every header scanner answers within the range, for any text and for 64 KB of hostile repeats', () => {
  const names =
    'via from contact route call-id cseq max-forwards authorization allow accept content-type date timestamp user-agent subject warning retry-after call-info in-reply-to event privacy reason p-asserted-identity replaces accept-language content-language mime-version rack priority'.split(
      ' ',
    );
  const check = (scan: NonNullable<ReturnType<typeof headerGrammar>>, any: string): void => {
    const next = scan(any, 0, any.length);
    const at = next < 0 ? ~next : next;
    expect(at).toBeLessThanOrEqual(any.length);
    if (next >= 0) expect(next).toBe(any.length);
  };
  for (const name of names) {
    const scan = headerGrammar(name)!;
    fc.assert(
      fc.property(anything, (any) => check(scan, any)),
      { numRuns: 100 },
    );
    for (const repeats of hostile) check(scan, flat(repeats));
  }
});

test('a URI is the same as itself, whatever the case of its host and the escapes of its user', () => {
  fc.assert(
    fc.property(sipUri, (any) => {
      const twin: SipUri = {
        ...any,
        host: any.host.toUpperCase(),
        user: any.user?.replaceAll(/%[\da-f]{2}|[a-z0-9]/gi, (char) =>
          char.startsWith('%') ? char.toLowerCase() : `%${char.charCodeAt(0).toString(16)}`,
        ),
        params: any.params.toReversed(),
      };
      expect(uriKey(twin)).toBe(uriKey(any));
      const names = any.params.map(({ name }) => name.toLowerCase());
      if (new Set(names).size === names.length) expect(isSameUri(any, twin)).toBe(true);
    }),
  );
});
