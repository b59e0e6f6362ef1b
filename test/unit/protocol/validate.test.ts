import { expect, test } from 'vitest';
import type { ValidationMode, Validity } from '../../../src/model/index.ts';
import { createValidity, validateBytes, VALIDATION_RULES } from '../../../src/protocol/index.ts';
import { labelledMessages } from './verdicts.ts';

const judgedBy = (
  mode: ValidationMode,
  more: { disabled?: string[]; rules?: Record<string, 'count' | 'drop'> } = {},
) => {
  const judge = createValidity({ mode, disabled_rules: more.disabled ?? [], rules: more.rules ?? {} });
  return (bytes: Buffer | string, stream = false): Validity => {
    const validated = validateBytes(Buffer.from(bytes as string, 'latin1'), { stream, cut: false });
    const validity = judge(validated.violations, validated);
    return validated.message === undefined && validity.verdict === 'accept'
      ? { ...validity, verdict: 'drop' }
      : validity;
  };
};
const strict = judgedBy('strict');
const permissive = judgedBy('permissive');
const paranoid = judgedBy('paranoid');

const MESSAGES = labelledMessages();

/** `reject-or-accept` leaves it to the element. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  accept: ['accept'],
  reject: ['reject'],
  drop: ['drop'],
  'reject-or-accept': ['reject', 'accept'],
};

test.each(MESSAGES.map(({ file, strict: verdict, reason, bytes }) => [file, verdict, reason, bytes] as const))(
  'strict: %s is %s (%s)',
  (_, verdict, __, bytes) => {
    expect(ALLOWED[verdict]).toContain(strict(bytes).verdict);
  },
);

test('permissive refuses nothing that is valid or tolerable, and nothing that strict takes', () => {
  for (const { file, rfcClass, bytes } of MESSAGES) {
    if (strict(bytes).verdict !== 'accept' && !/^valid|tolerable|compat/.test(rfcClass)) continue;
    expect({ file, verdict: permissive(bytes).verdict }).toEqual({ file, verdict: 'accept' });
  }
});

test('paranoid takes everything that RFC 3261 itself calls valid, whatever its age', () => {
  const refused = MESSAGES.filter(
    ({ rfcClass, bytes }) => rfcClass === 'valid' && paranoid(bytes).verdict !== 'accept',
  );
  // topmost branches of RFC 2543
  expect(refused.map(({ file }) => file)).toEqual(['rfc4475/wsinv.dat', 'rfc4475/longreq.dat']);
});

const LINES: Readonly<Record<string, string>> = {
  start: 'INVITE sip:bob@example.com SIP/2.0',
  via: 'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK77ef',
  maxForwards: 'Max-Forwards: 70',
  from: 'From: Alice <sip:alice@example.com>;tag=1928',
  to: 'To: <sip:bob@example.com>',
  callId: 'Call-ID: a84b4c76e66710@192.0.2.1',
  cseq: 'CSeq: 314159 INVITE',
  contact: 'Contact: <sip:alice@192.0.2.1>',
  length: 'Content-Length: 0',
};
/** A good INVITE with some of its lines changed; an empty one is left out. */
const invite = (change: Readonly<Record<string, string>> = {}, body = ''): string =>
  `${Object.values({ ...LINES, ...change })
    .filter((line) => line !== '')
    .join('\r\n')}\r\n\r\n${body}`;

test('the good INVITE breaks no rule', () => {
  expect(strict(invite())).toEqual({ verdict: 'accept', code: null, hits: [] });
});

const BROKEN: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['missing_via', { via: '' }],
  ['missing_from', { from: '' }],
  ['missing_to', { to: '' }],
  ['missing_call_id', { callId: '' }],
  ['missing_cseq', { cseq: '' }],
  ['missing_max_forwards', { maxForwards: '' }],
  ['missing_from_tag', { from: 'From: "tag=no" <sip:a@b;tag=no>' }],
  ['missing_contact', { contact: '' }],
  ['invalid_request_line', { start: 'INVITE sip:bob@example.com SIP/2.0 ' }],
  ['invalid_request_uri', { start: 'INVITE <sip:bob@example.com> SIP/2.0' }],
  ['invalid_request_uri', { start: 'INVITE sip:bob@example.com?Route=%3Csip:example.com%3E SIP/2.0' }],
  ['unsupported_version', { start: 'INVITE sip:bob@example.com SIP/3.0' }],
  ['unsupported_scheme', { start: 'INVITE isbn:2983792873 SIP/2.0' }],
  ['invalid_start_line', { start: 'INVITE sip:bob@example.com' }],
  ['leading_blanks', { start: ' INVITE sip:bob@example.com SIP/2.0' }],
  ['leading_blanks', { start: '\x01INVITE sip:bob@example.com SIP/2.0' }],
  ['invalid_request_line', { start: 'IN:VITE sip:bob@example.com SIP/2.0', cseq: 'CSeq: 1 INVITE' }],
  ['host_with_underscore', { from: 'From: <sip:alice@phone_7>;tag=1' }],
  ['port_out_of_range', { start: 'INVITE sip:bob@[2001:db8::1]:65536;x SIP/2.0' }],
  ['port_out_of_range', { via: 'Via: SIP / 2.0 / UDP h.example.com : 99999 ;branch=z9hG4bK1' }],
  ['invalid_via', { via: 'Via: SIP/2.0/UDP 192.0.2.15;;,;,,' }],
  ['via_invalid_branch', { via: 'Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bK' }],
  ['via_invalid_branch', { via: 'Via: SIP/2.0/UDP 192.0.2.15;xbranch=z9hG4bK1' }],
  ['duplicate_parameter', { via: 'Via: SIP/2.0/UDP h;branch=z9hG4bK1;BRANCH=z9hG4bK2' }],
  ['duplicate_tag', { from: 'From: "a;tag=x" <sip:a@b>;tag=1;tag=2' }],
  ['invalid_from', { from: 'From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43' }],
  ['invalid_to', { to: 'To: "Watson, Thomas <sip:t.watson@example.org>' }],
  ['invalid_to', { to: 'To: < sip:t.watson@example.org >' }],
  ['invalid_contact', { contact: 'Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E' }],
  ['invalid_cseq', { cseq: 'CSeq: -1 INVITE' }],
  ['cseq_out_of_range', { cseq: 'CSeq: 2147483648 INVITE' }],
  ['cseq_out_of_range', { cseq: 'CSeq: 36893488147419103232 INVITE' }],
  ['cseq_method_mismatch', { cseq: 'CSeq: 8 NEWMETHOD' }],
  ['cseq_method_mismatch', { cseq: 'CSeq: 8 invite' }],
  ['invalid_max_forwards', { maxForwards: 'Max-Forwards: -1' }],
  ['max_forwards_out_of_range', { maxForwards: 'Max-Forwards: 256' }],
  ['expires_out_of_range', { more: 'Expires: 4294967296' }],
  ['invalid_expires', { more: 'Expires: 1+1' }],
  ['invalid_date', { more: 'Date: Fri, 01 Jan 2010 16:00:00 EST' }],
  ['invalid_content_length', { length: 'Content-Length: -999' }],
  ['content_length_mismatch', { length: 'Content-Length: 1' }],
  ['content_length_mismatch', { length: 'Content-Length: 99999999999999999999999' }],
  ['content_length_conflict', { more: 'l: 1' }],
  ['duplicate_header', { more: 'l: 0' }],
  ['duplicate_header', { more: 'f: <sip:x@y>;tag=1' }],
  ['header_without_colon', { more: 'a line' }],
  ['header_without_colon', { more: 'Subject\r\n : x' }],
  ['invalid_header_name', { more: ': x' }],
  ['invalid_header_name', { more: 'X\xe4: x' }],
  ['invalid_header_name', { more: 'X Y: x' }],
  ['null_bytes', { more: 'X: a\0b' }],
  ['null_bytes', { more: 'X\0: b' }],
  ['null_bytes', { from: 'From: a\0b <sip:a@b>;tag=1' }],
  ['binary_injection', { more: 'X: a\x1bb' }],
  ['binary_injection', { from: 'From: <sip:a\x07@b>;tag=1' }],
  ['bare_cr', { more: 'Subject: a\rVia: b' }],
  ['bare_cr', { more: 'Subject:\rx' }],
  ['bare_cr', { more: 'Subject: x\r' }],
  ['bare_cr', { more: 'Content-Type: text/plain \r \r' }],
  ['odd_user_agent', { more: 'User-Agent: FPBX-14.0.13.4(13.27.0)' }],
  ['invalid_user_agent', { more: 'User-Agent: <script>alert(1)</script>' }],
  ['space_before_colon', { more: 'X-Header : 1' }],
  ['folded_header', { more: 'X: 1\r\n 2' }],
  ['oversized_header', { more: `X: ${'y'.repeat(9_000)}` }],
  ['too_many_headers', { more: 'X: y\r\n'.repeat(300).trimEnd() }],
];

test.each(BROKEN)('%s: %j', (rule, change) => {
  const { hits } = paranoid(invite(change));
  expect(hits.map((hit) => hit.rule)).toContain(rule);
});

test('every rule is broken by some message here', () => {
  const ELSEWHERE = ['invalid_status_line', 'bare_lf', 'unterminated_headers', 'trailing_bytes', 'oversized_message'];
  const BODY = ['missing_content_type', 'missing_content_length', 'unreadable'];
  const single = [...VALIDATION_RULES.keys()].filter((name) => !/^invalid_(?!header_|re|start)/.test(name));
  const named = new Set([...BROKEN.map(([rule]) => rule), ...ELSEWHERE, ...BODY, 'invalid_header_value']);
  expect(single.filter((name) => !named.has(name) && !/^invalid_(?:re|start)/.test(name))).toEqual([]);
});

test('what the standard allows, though it looks odd', () => {
  for (const change of [
    { from: 'From: "\\\0 a \\\x07" <sip:alice@example.com>;tag=1' },
    {
      start: "!interesting-Method0123456789_*+`.%indeed'~ sip:a@b SIP/2.0",
      cseq: "CSeq: 1 !interesting-Method0123456789_*+`.%indeed'~",
      contact: '',
    },
    { start: 'RE%47IST%45R sip:registrar.example.com SIP/2.0', cseq: 'CSeq: 1 RE%47IST%45R' },
    { from: 'From: caller<sip:caller@example.com>;tag=323' },
    { start: 'INVITE sip:user;par=u%40example.net@example.com SIP/2.0' },
    { start: 'INVITE tel:+442079460123;phone-context=example.com SIP/2.0' },
    { contact: 'Contact: <sip:+19725552222@gw1.example.net;unknownparam>' },
    { to: 'To: <isbn:2983792873>', from: 'From: <http://www.example.com>;tag=3234233' },
    { via: 'Via: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111' },
    { more: 'Authorization: NoOneKnowsThisScheme opaque-data=here' },
    { more: 'Subject:' },
    { more: 'Subject: \xe5\xa4\xa7\xe5\x81\x9c' },
  ]) {
    expect({ change, ...strict(invite(change)) }).toMatchObject({ change, verdict: 'accept' });
  }
});

test('a header of a later RFC is at least text', () => {
  expect(strict(invite({ more: 'Event: presence;;' })).verdict).toBe('accept');
  expect(strict(invite({ more: 'Event: pr\xe9sence' }))).toMatchObject({ verdict: 'reject', code: 400 });
  expect(strict(invite({ more: 'P-Asserted-Identity: "M\xfcller" <sip:m@example.com>' })).verdict).toBe('reject');
  expect(permissive(invite({ more: 'P-Asserted-Identity: "M\xfcller" <sip:m@example.com>' })).verdict).toBe('accept');
});

test('what only informs is counted and refuses no call', () => {
  for (const more of [
    'Accept-Encoding: text/plain',
    'Alert-Info: Bellcore-dr1',
    'Call-Info: answer-after=0',
    'Date: Thu, 6 Feb 2014 15:02:03 GMT',
    'Warning: junk',
  ]) {
    expect({ more, ...strict(invite({ more })) }).toMatchObject({ verdict: 'accept', hits: [{ action: 'count' }] });
    expect(paranoid(invite({ more })).verdict).toBe('reject');
  }
  expect(strict(invite({ more: 'Warning: a\0b' })).verdict).toBe('reject');
  expect(strict(invite({ more: 'Warning: \xff' })).verdict).toBe('reject');
});

test('an underscore is a host only where hosts are', () => {
  const rules = (change: Readonly<Record<string, string>>): readonly string[] =>
    strict(invite(change)).hits.map(({ rule }) => rule);
  expect(rules({ contact: 'Contact: <sip:alice@phone_7>' })).toEqual(['host_with_underscore']);
  expect(rules({ length: 'Content-Length: _0' })).toEqual(['invalid_content_length']);
  expect(permissive(invite({ length: 'Content-Length: _0' })).verdict).toBe('reject');
  expect(strict(invite({ more: 'P-Asserted-Identity: <sip:alice@phone_7>' })).verdict).toBe('accept');
});

test('replies are held to the same rules and dropped, since nobody can be answered', () => {
  const reply = (line: string): string => invite({ start: line });
  expect(strict(reply('SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe')).verdict).toBe('accept');
  expect(strict(reply('SIP/2.0 100 ')).verdict).toBe('accept');
  for (const line of [
    'SIP/2.0 4294967301 better not break',
    'SIP/2.0 099 x',
    'SIP/2.0 700 x',
    'SIP/2.0 20 x',
    'SIP/2.0 200',
    'SIP/2.0200 OK',
    'SIP/2.0',
    'sip/2 200 OK',
  ]) {
    expect({ line, ...strict(reply(line)) }).toMatchObject({ line, verdict: 'drop', code: null });
  }
});

test('framing: datagrams may be longer than announced, streams need a length', () => {
  const body = { length: 'Content-Length: 3', more: 'Content-Type: text/plain' };
  expect(strict(invite(body, 'abcdef')).hits).toMatchObject([{ rule: 'trailing_bytes', action: 'log' }]);
  expect(strict(invite(body, 'abcdef'), true)).toMatchObject({ verdict: 'accept', hits: [] });
  expect(strict(invite({ length: '' }), true)).toMatchObject({ verdict: 'reject', code: 400 });
  expect(strict(invite({ length: '' })).verdict).toBe('accept');
  expect(strict(invite({ ...body, more: '' }, 'abc')).hits).toMatchObject([{ rule: 'missing_content_type' }]);
  expect(strict(invite({ more: 'Content-Type: application/octet-stream', length: 'l: 2' }, '\0\x01')).hits).toEqual([]);
  expect(strict(invite().slice(0, -2)).hits).toMatchObject([{ rule: 'unterminated_headers' }]);
  expect(strict(invite().replaceAll('\r\n', '\n')).hits[0]).toMatchObject({ rule: 'bare_lf' });
  expect(strict(`\r\n\r\n${invite()}`).hits).toEqual([]);
  expect(strict(`\r\n\n${invite()}`).hits).toMatchObject([{ rule: 'bare_lf', offset: 2 }]);
  expect(permissive(`\n${invite()}`).verdict).toBe('accept');
  expect(permissive(`\r${invite()}`).hits).toMatchObject([{ rule: 'bare_cr', action: 'count' }]);
  // an old gateway ends lines with CR CR LF
  expect(strict(invite({ to: 'To: <sip:bob@example.com>\r' })).verdict).toBe('reject');
  expect(permissive(invite({ to: 'To: <sip:bob@example.com>\r' })).verdict).toBe('accept');
  expect(strict(invite().replace('\r\nTo:', '\r\n\nTo:')).hits).toContainEqual({
    rule: 'bare_lf',
    severity: 'high',
    action: 'reject',
    offset: invite().indexOf('To:'),
  });
  expect(strict(Buffer.alloc(65_536, 0x61))).toMatchObject({ verdict: 'drop', hits: [{ rule: 'oversized_message' }] });
});

test('a cut message is not held against its sender', () => {
  const text = invite({ length: 'Content-Length: 5000', more: 'Content-Type: text/plain' }, 'abc');
  for (const bytes of [text, text.slice(0, 200)]) {
    const { violations } = validateBytes(Buffer.from(bytes), { stream: false, cut: true });
    expect(violations.map(({ rule }) => rule).filter((rule) => /length|unterminated/.test(rule))).toEqual([]);
  }
});

test('what is no SIP is dropped; a broken first line above SIP headers can be answered', () => {
  for (const bytes of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00', 'OPTIONS']) {
    expect(strict(bytes)).toMatchObject({ verdict: 'drop', code: null });
  }
  for (const bytes of ['', '\r\n\r\n', '\0', 'jaK']) expect(strict(bytes)).toMatchObject({ verdict: 'drop', hits: [] });
  expect(strict(invite({ start: 'INVITE sip:a' }))).toMatchObject({ verdict: 'reject', code: 400 });
  expect(strict(invite({ start: `${'a'.repeat(20_000)} sip:a` }))).toMatchObject({ verdict: 'reject', code: 400 });
});

test('a first line alone lacks the headers, and is right itself', () => {
  const hits = ['via', 'from', 'to', 'call_id', 'cseq'].map((name) => ({ rule: `missing_${name}` }));
  for (const end of ['', '\r\n', '\r\n\r\n', '\r\n\r\nVia: x']) {
    expect(strict(`OPTIONS sip:a SIP/2.0${end}`)).toMatchObject({ verdict: 'reject', hits });
    expect(strict(`SIP/2.0 200 OK${end}`)).toMatchObject({ verdict: 'drop', hits });
  }
});

test('rules are switched off and weighed anew by name', () => {
  const bytes = invite({ cseq: 'CSeq: 8 NEWMETHOD' });
  expect(judgedBy('strict', { disabled: ['cseq_method_mismatch'] })(bytes)).toEqual({
    verdict: 'accept',
    code: null,
    hits: [],
  });
  expect(judgedBy('strict', { rules: { cseq_method_mismatch: 'count' } })(bytes).verdict).toBe('accept');
  expect(judgedBy('permissive', { rules: { cseq_method_mismatch: 'drop' } })(bytes).verdict).toBe('drop');
});

test('the offset points at the fault', () => {
  const at = (bytes: string): string | undefined => {
    const [first] = strict(bytes).hits;
    return first === undefined ? undefined : bytes.slice(first.offset, first.offset + 4);
  };
  expect(at(invite({ from: 'From: Bell, A <sip:a@b>;tag=1' }))).toBe(', A ');
  expect(at(invite({ cseq: 'CSeq: 8 OTHER' }))).toBe('OTHE');
  expect(at(invite({ more: 'l: 7' }))).toBe('l: 7');
});
