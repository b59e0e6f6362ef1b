/**
 * Frames of the datagram hook as a real Kamailio 5.6.3 (Debian 12) sent them with kamailio/kamailio.cfg, each in a file
 * of frames/. Only the secret is not a real one. `*-whole` were recorded with the message encoded before it is cut.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Outcome, Request } from '../../src/model/index.ts';
import { parseUpFrame, type UpFrame } from '../../src/protocol/index.ts';
import { outcomeOf, requestOf } from '../../src/receive/to-record.ts';

const SECRET = '00112233445566778899aabbccddeeff';
const FRAMES = new URL('frames/', import.meta.url);
const NAMES = readdirSync(FRAMES).filter((name) => name.endsWith('.txt'));

const read = (name: string): Buffer => readFileSync(new URL(`${name}.txt`, FRAMES));
const parse = (name: string): UpFrame => {
  const frame = parseUpFrame(read(name), (node) => (node === 'edge1' ? SECRET : undefined));
  if (typeof frame === 'string') throw new Error(`${name}: ${frame}`);
  return frame;
};
const request = (name: string): Request => {
  const frame = parse(name);
  const record = 'raw' in frame ? requestOf(frame, 1_000) : 'not a request';
  if (typeof record === 'string') throw new Error(`${name}: ${record}`);
  return record;
};
const outcome = (name: string): Outcome => {
  const frame = parse(name);
  if ('raw' in frame || frame.kind === 'hello' || frame.kind === 'expired') throw new Error(`${name}: ${frame.kind}`);
  const record = outcomeOf(frame, 1_000);
  if (typeof record === 'string') throw new Error(`${name}: ${record}`);
  return record;
};
const kindOf = (name: string): string => name.split('.')[1] ?? '';

test.each(NAMES)('%s is a frame of the kind it is named after, from the node that sent it', (file) => {
  const frame = parse(file.slice(0, -4));
  expect(frame.kind).toBe(kindOf(file));
  expect(frame.node).toBe('edge1');
  // recorded within one run
  expect(new Date(frame.sentAt).getUTCFullYear()).toBeGreaterThanOrEqual(2025);
});

test.each(NAMES)('%s is refused with another secret, another version, from an unknown node', (file) => {
  const bytes = read(file.slice(0, -4));
  expect(parseUpFrame(bytes, () => 'ffffffffffffffffffffffffffffffff')).toBe('secret');
  expect(parseUpFrame(Buffer.concat([Buffer.from('C2'), bytes.subarray(2)]), () => SECRET)).toBe('version');
  expect(parseUpFrame(bytes, () => undefined)).toBe('unknown-node');
});

test("a stranger's first REGISTER is an ask without credentials, with the whole message", () => {
  const frame = parse('register-first.ask');
  expect(frame).toMatchObject({
    kind: 'ask',
    transport: 'udp',
    ip: '127.77.5.11',
    port: 5070,
    credentials: 'none',
    standing: 'stranger',
    cut: false,
  });
  if (frame.kind === 'ask') expect(frame.raw.length).toBe(frame.sizeBytes);
  expect(request('register-first.ask')).toMatchObject({
    tier: 'spoofable',
    source: { identity: '127.77.5.11' },
    sip: {
      method: 'REGISTER',
      requestUri: 'sip:lab.example',
      from: { user: 'alice' },
      to: { user: 'alice' },
      userAgent: 'Yealink SIP-T46G 28.83.0.35',
    },
  });
});

test('asks carry the transaction to resume', () => {
  const frame = parse('register-first.ask');
  if (frame.kind !== 'ask') throw new Error(frame.kind);
  expect(frame.tindex).toBeGreaterThan(0);
  expect(frame.tlabel).toBeGreaterThan(0);
});

test.each([
  ['register-wrong-password', 'bound', 'proven'],
  ['register-unknown-user', 'bound', 'proven'],
  ['register-ok', 'bound', 'proven'],
  ['register-foreign-nonce', 'unbound', 'spoofable'],
  ['register-forged-nonce', 'unbound', 'spoofable'],
] as const)('%s: credentials are %s, the request is %s', (name, credentials, tier) => {
  expect(request(`${name}.ask`)).toMatchObject({ credentials, tier });
});

test.each([
  ['register-ok', 'ok', 'proven'],
  ['register-wrong-password', 'wrong-password', 'proven'],
  ['register-unknown-user', 'unknown-user', 'proven'],
  ['register-user-mismatch', 'user-mismatch', 'proven'],
  ['register-foreign-nonce', 'stale', 'spoofable'],
  ['register-forged-nonce', 'stale', 'spoofable'],
] as const)('%s is reported as %s and is %s', (name, result, tier) => {
  expect(outcome(`${name}.auth`)).toMatchObject({ type: 'auth', result, tier, method: 'REGISTER' });
});

test('an outcome names the user of the credentials and the address of record that was claimed', () => {
  expect(outcome('register-user-mismatch.auth')).toMatchObject({
    user: 'bob',
    claimed: 'alice',
    callId: expect.stringMatching(/^call\d+@127/),
  });
});

test('a saved binding comes with the time that was granted', () => {
  expect(outcome('register-ok.registered')).toMatchObject({
    type: 'registered',
    user: 'alice',
    expiresSeconds: 60,
    tier: 'proven',
  });
});

test('an un-REGISTER comes with no time', () => {
  expect(outcome('unregister.registered')).toMatchObject({ user: 'alice', expiresSeconds: 0 });
});

test('a known-good phone is told, not asked about', () => {
  expect(request('register-known-good.tell')).toMatchObject({ standing: 'good', credentials: 'none' });
});

test("a callee's final reply comes with the caller's address, user and target", () => {
  expect(outcome('invite-busy.reply')).toMatchObject({
    type: 'reply',
    code: 486,
    method: 'INVITE',
    user: 'alice',
    target: 'bob',
    source: { ip: '127.77.5.11', port: 5071 },
    tier: 'spoofable',
  });
});

test('a call whose answer was not acknowledged comes with its Call-ID and the ACKs that came from there', () => {
  expect(outcome('never-acks.unacknowledged')).toMatchObject({
    type: 'unacknowledged',
    tier: 'spoofable',
    source: { ip: '127.84.1.21', port: 43_099, transport: 'udp' },
    acked: 0,
    callId: 'never@dialer',
  });
  expect(outcome('acks-some.unacknowledged')).toMatchObject({ acked: 1, callId: 'some-acked@phone' });
  expect(outcome('never-acks-tcp.unacknowledged')).toMatchObject({ tier: 'proven', source: { transport: 'tcp' } });
});

test('a Call-ID that spells a frame of ours is one value, and cut', () => {
  const never = outcome('hostile-never-acks.unacknowledged');
  if (never.type !== 'unacknowledged') throw new Error(never.type);
  expect(never.callId).toMatch(/^"><script>%00U C1 frame'x+$/);
  expect(never.callId.length).toBe(128);
});

test('TCP proves its source', () => {
  expect(request('tcp-options.ask')).toMatchObject({
    tier: 'proven',
    source: { transport: 'tcp' },
    sip: { requestUser: '200' },
  });
});

test('an IPv6 source comes without brackets and is known by its /64', () => {
  expect(request('ipv6-register.ask').source).toMatchObject({ ip: '::1', identity: '::/64', port: 5090 });
});

test("an expiry names the server's table and key", () => {
  expect(parse('expired.expired')).toMatchObject({ table: 'ipban', key: '203.0.113.9' });
});

test('a hello names the start of the server and its counters', () => {
  const hello = parse('hello.hello');
  if (hello.kind !== 'hello') throw new Error(hello.kind);
  expect(hello.boot).toMatch(/^b\d{10}\.\d+\.\d+$/);
  expect(hello.seq).toBeGreaterThan(10);
  expect(hello.askSeq).toBeGreaterThan(10);
});

// hostile values: what the attacker wrote stays in its place

const agentOf = (name: string): string => request(name).sip.userAgent;

test('quotes and script words in a User-Agent are text', () => {
  expect(agentOf('hostile-agent-quotes.ask')).toBe('"quoted\\" \' $var(x) {s.md5} #!define');
});

test('a folded User-Agent that spells a frame of ours is one value', () => {
  const { sip } = request('hostile-agent-folded.ask');
  expect(sip.userAgent).toBe(`folded C1 ${SECRET} H edge1 0 0.0 b1 0`);
  expect(sip.headers.filter(({ name }) => name.startsWith('C1'))).toEqual([]);
});

test('invalid UTF-8 arrives byte for byte', () => {
  const frame = parse('hostile-agent-invalid-utf8.ask');
  if (!('raw' in frame)) throw new Error(frame.kind);
  expect(frame.raw.includes(Buffer.from([0xff, 0xfe, 0xc0, 0xaf, 0x80, 0x20, 0xed, 0xa0, 0x80]))).toBe(true);
});

test('NUL in a User-Agent injects nothing and leaves what stood before it', () => {
  const { sip, sizeBytes } = request('hostile-agent-nul.ask');
  expect(sip.from.user).toBe('x');
  expect(sip.userAgent.startsWith('a')).toBe(true);
  expect(sizeBytes).toBeGreaterThan(250);
});

test('encoded before it is cut, a message keeps what stands behind a NUL', () => {
  const { sip } = request('hostile-agent-nul-whole.ask');
  expect(sip.userAgent).toBe('a\0b');
  expect(sip.headers.at(-1)).toEqual({ name: 'Content-Length', value: '0' });
});

test('%00 and line breaks in a From user stay percent-encoded', () => {
  expect(request('hostile-user-percent-nul.ask').sip.from.user).toBe('%00admin%0d%0a');
});

test.each([
  ['hostile-auth-percent-nul.auth', '%00admin'],
  ['hostile-auth-script.auth', '$(avp(x)) {s.md5} ;drop'],
  ['hostile-auth-latin1.auth', 'C1 \xe9\xff x'],
] as const)('%s: the name in the credentials arrives as it was written', (name, user) => {
  expect(outcome(name)).toMatchObject({ user });
});

test('a name of 4,000 characters arrives cut to 128', () => {
  expect(outcome('hostile-auth-long-user.auth')).toMatchObject({ user: 'u'.repeat(128) });
});

test("a stranger's 4 KB header arrives whole", () => {
  const { sip, cut, sizeBytes } = request('hostile-4k-header-stranger.ask');
  expect([cut, sizeBytes > 4_300]).toEqual([false, true]);
  expect(sip.headers.find(({ name }) => name === 'X-Long')?.value.length).toBe(1_024);
});

test('a 60 KB header of a known-good phone arrives cut, and says so', () => {
  const { sip, cut, sizeBytes } = request('hostile-long-header-good.tell');
  expect([cut, sizeBytes > 60_000]).toEqual([true, true]);
  expect(sip.from.user).toBe('alice');
});

test('garbage that looks like a frame of ours is garbage', () => {
  const garbage = outcome('garbage-frame-lookalike.parse-error');
  expect(garbage).toMatchObject({ type: 'parse-error', tier: 'spoofable', source: { port: 7011 } });
  if (garbage.type === 'parse-error') expect(garbage.bytes.toString()).toContain('pretending to be a frame');
});

test('bytes that are not SIP arrive with their true size', () => {
  const garbage = outcome('garbage-udp-whole.parse-error');
  if (garbage.type !== 'parse-error') throw new Error(garbage.type);
  expect([garbage.sizeBytes, garbage.bytes.length]).toEqual([37, 37]);
  expect(garbage.bytes.toString('latin1')).toBe('\0\x01\x02 not sip at all \xff\xff and long enough');
});
