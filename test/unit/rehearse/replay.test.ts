import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { companionSchema } from '../../../src/judging/index.ts';
import { rehearse } from '../../../src/rehearse/index.ts';
import type { RehearseOptions, Rehearsed } from '../../../src/rehearse/index.ts';
import { pcap, udpPacket } from '../protocol/capture/build.ts';

const folder = mkdtempSync(join(tmpdir(), 'companion-replay-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const SERVER = '192.0.2.10';
const PHONE = '198.51.100.7';

interface Line {
  /** Seconds. */
  readonly t: number;
  readonly from: string;
  readonly to: string;
  readonly proto?: string;
  readonly text: string;
}

let files = 0;
const fileOf = (lines: readonly Line[]): string => {
  const file = join(folder, `${(files += 1)}.jsonl`);
  const json = lines.map(({ t, from, to, proto = 'udp', text }) =>
    JSON.stringify({ t, src: from, dst: to, proto, b64: Buffer.from(text).toString('base64') }),
  );
  writeFileSync(file, json.join('\n'));
  return file;
};

const run = (lines: readonly Line[], options: Partial<RehearseOptions> = {}, policy: object = {}): Rehearsed =>
  rehearse({ files: [fileOf(lines)], policies: [companionSchema.parse(policy)], ...options });

const rowOf = ({ results }: Rehearsed, ip: string) => results[0]!.rows.find((row) => row.ip === ip);

interface Part {
  readonly nonce?: string;
  readonly toTag?: string;
  readonly branch?: string;
  readonly cseq?: number;
  readonly agent?: string;
}

/** What no grammar refuses. */
const hex = (text: string): string => Buffer.from(text).toString('hex').slice(0, 64);

const request = (method: string, user: string, callId: string, part: Part = {}): string =>
  [
    `${method} sip:${method === 'REGISTER' ? '' : '0123@'}voip.example.net SIP/2.0`,
    `Via: SIP/2.0/UDP ${PHONE};branch=${part.branch ?? `z9hG4bK${hex(callId)}${part.cseq ?? 1}`}`,
    `From: <sip:${user}@voip.example.net>;tag=f${hex(callId)}`,
    `To: <sip:${method === 'REGISTER' ? user : '0123'}@voip.example.net>${part.toTag === undefined ? '' : `;tag=${part.toTag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${part.cseq ?? 1} ${method}`,
    `Contact: <sip:${user}@${PHONE}>`,
    `User-Agent: ${part.agent ?? 'Yealink SIP-T46U 108.86.0.20'}`,
    ...(part.nonce === undefined
      ? []
      : [`Authorization: Digest username="${user}", realm="r", nonce="${part.nonce}", uri="sip:x", response="0"`]),
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');

const reply = (to: string, code: number, nonce?: string): string => {
  const repeated = to.split('\r\n').filter((line) => /^(?:Via|From|Call-ID|CSeq|Contact):/.test(line));
  const toLine = to.split('\r\n').find((line) => line.startsWith('To:')) ?? '';
  const challenge = nonce === undefined ? [] : [`WWW-Authenticate: Digest realm="r", nonce="${nonce}"`];
  return [
    `SIP/2.0 ${code} X`,
    ...repeated,
    toLine.includes('tag=') ? toLine : `${toLine};tag=srv`,
    ...challenge,
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
};

/** A request and what the server answered. */
const pair = (t: number, from: string, text: string, code: number, nonce?: string): Line[] => [
  { t, from, to: `${SERVER}:5060`, text },
  { t: t + 0.01, from: `${SERVER}:5060`, to: from, text: reply(text, code, nonce) },
];

const registers = (t: number, from: string, user: string, code = 200): Line[] => {
  const nonce = `n${t}${user}${from}`;
  const callId = `${user}${t}${from}`;
  return [
    ...pair(t, from, request('REGISTER', user, callId), 401, nonce),
    ...pair(
      t + 0.1,
      from,
      request('REGISTER', user, callId, { nonce, cseq: 2 }),
      code,
      code === 200 ? undefined : 'again',
    ),
  ];
};

describe('outcomes from replies', () => {
  test('a phone that registers is known-good', () => {
    expect(rowOf(run(registers(0, `${PHONE}:5060`, 'alice')), PHONE)).toEqual({
      ip: PHONE,
      messages: 2,
      flaggedAt: null,
      state: 'good',
      rules: [],
    });
  });

  test.each([401, 403])('wrong passwords, answered with %i, on nonces issued to that address: a ban', (code) => {
    const lines = Array.from({ length: 12 }, (_, index) => registers(index, `${PHONE}:5060`, 'alice', code)).flat();
    expect(rowOf(run(lines), PHONE)).toMatchObject({
      state: 'banned',
      flaggedAt: 10,
      rules: ['digest.wrong-password', 'digest.guessing'],
    });
  });

  test.each(['Grüße@日本', 'x'.repeat(250), 'a b\tc'])('a Call-ID like %s hides no outcome', (callId) => {
    const lines = Array.from({ length: 12 }, (_, index) => {
      const nonce = `n${index}`;
      const first = request('REGISTER', 'alice', callId, { branch: `z9hG4bKu${index}`, cseq: 2 * index });
      const second = request('REGISTER', 'alice', callId, { branch: `z9hG4bKu${index}b`, cseq: 2 * index + 1, nonce });
      return [
        ...pair(index, `${PHONE}:5060`, first, 401, nonce),
        ...pair(index + 0.1, `${PHONE}:5060`, second, 401, 'x'),
      ];
    }).flat();
    expect(rowOf(run(lines), PHONE)).toMatchObject({ state: 'banned' });
  });

  test('the same answers on nonces that were issued to somebody else prove nothing', () => {
    const other = registers(0, '198.51.100.99:5060', 'bob');
    const nonce = `n0bob198.51.100.99:5060`;
    const lines = Array.from({ length: 30 }, (_, index) =>
      pair(1 + index, `${PHONE}:5060`, request('REGISTER', 'alice', `f${index}`, { nonce }), 401, 'again'),
    ).flat();
    expect(rowOf(run([...other, ...lines]), PHONE)).toMatchObject({ state: 'stranger', flaggedAt: null });
  });

  test('a call that is not allowed is no wrong password of somebody who has registered', () => {
    const lines = Array.from({ length: 20 }, (_, index) => {
      const nonce = `c${index}`;
      const first = request('INVITE', 'alice', `call${index}`);
      const second = request('INVITE', 'alice', `call${index}`, { nonce, cseq: 2 });
      return [
        ...pair(10 + index, `${PHONE}:5060`, first, 407, nonce),
        ...pair(10.1 + index, `${PHONE}:5060`, second, 403),
      ];
    }).flat();
    expect(rowOf(run([...registers(0, `${PHONE}:5060`, 'alice'), ...lines]), PHONE)).toMatchObject({
      flaggedAt: null,
      rules: [],
    });
  });

  test('an un-REGISTER ends being known', () => {
    const bye = request('REGISTER', 'alice', 'out', { nonce: `n0alice${PHONE}:5060` }).replace(
      '\r\nContent-Length',
      '\r\nExpires: 0\r\nContent-Length',
    );
    const lines = [...registers(0, `${PHONE}:5060`, 'alice'), ...pair(5, `${PHONE}:5060`, bye, 200)];
    expect(rowOf(run(lines), PHONE)).toMatchObject({ state: 'stranger' });
  });
});

describe('which requests are judged', () => {
  const scanner = '203.0.113.66:5060';
  const probe = (t: number, index: number, part: Part = {}): Line => ({
    t,
    from: scanner,
    to: `${SERVER}:5060`,
    text: request('REGISTER', String(100 + index), `probe${index}`, part),
  });

  test('retransmissions are counted and not judged again; ten is as many as there are', () => {
    const copies = Array.from({ length: 11 }, (_, index) => probe(index * 2, 1));
    const { results } = run(copies);
    expect(results[0]!.totals).toMatchObject({ messages: 11, handled: { served: 11 } });
    const flood = Array.from({ length: 600 }, (_, index) => probe(index / 1_000, 1));
    expect(rowOf(run(flood), '203.0.113.66')?.flaggedAt).not.toBeNull();
  });

  test('what the server sends is nobody’s, and neither are replies to it', () => {
    const invite = request('INVITE', 'bob', 'in');
    const lines: Line[] = [
      ...registers(0, `${PHONE}:5060`, 'alice'),
      { t: 1, from: `${SERVER}:5060`, to: `${PHONE}:5060`, text: invite },
      { t: 2, from: `${PHONE}:5060`, to: `${SERVER}:5060`, text: reply(invite, 200) },
    ];
    const result = run(lines);
    expect(result).toMatchObject({ servers: [SERVER], drops: { 'own-traffic': 1 } });
    expect(result.results[0]!.rows).toMatchObject([{ ip: PHONE, messages: 3, flaggedAt: null }]);
  });

  test('the server is found when it only registers phones, only calls, or only is scanned', () => {
    expect(run([probe(0, 1), probe(1, 2)]).servers).toEqual([SERVER]);
    const trunk = Array.from({ length: 5 }, (_, index) =>
      pair(index, `198.51.100.${index}:5060`, request('INVITE', 'x', `t${index}`), 200),
    ).flat();
    const out: Line = { t: 9, from: `${SERVER}:5060`, to: '198.51.100.1:5060', text: request('INVITE', 'x', 'out') };
    expect(run([out, ...trunk.map((line) => ({ ...line, t: line.t + 10 }))]).servers).toEqual([SERVER]);
  });

  test('named by the operator, only that one is the server', () => {
    const result = run([probe(0, 1)], { servers: ['192.0.2.99'] });
    expect(result.servers).toEqual(['192.0.2.99']);
    expect(result.drops).toEqual({ 'other-traffic': 1 });
  });

  test('bytes that are not SIP count against their sender only on the server’s own port', () => {
    const junk = Buffer.from('\u0001\u0002 not sip at all, but long enough');
    const hop = (toPort: number) => ({ from: '203.0.113.66', fromPort: 7, to: SERVER, toPort });
    const sip = Buffer.from(request('OPTIONS', 'a', 'o'));
    const packets = [
      udpPacket(hop(5060), sip),
      ...Array.from({ length: 30 }, () => udpPacket(hop(5060), junk)),
      ...Array.from({ length: 30 }, () => udpPacket(hop(40_000), junk)),
    ];
    const file = join(folder, 'junk.pcap');
    writeFileSync(file, pcap(packets.map((bytes, index) => ({ at: index * 100, bytes }))));
    const result = rehearse({ files: [file], policies: [companionSchema.parse({})] });
    expect(result.drops).toEqual({ 'not-sip': 30 });
    expect(rowOf(result, '203.0.113.66')).toMatchObject({ messages: 31 });
  });

  test('what a held source was answered is no outcome: companion would have answered it', () => {
    const tool = { agent: 'friendly-scanner' };
    const lines = Array.from({ length: 20 }, (_, index) =>
      pair(index, scanner, request('REGISTER', String(100 + index), `p${index}`, tool), 404),
    ).flat();
    expect(run(lines).results[0]!.totals).toMatchObject({ outcomes: 0, handled: { served: 0 } });
  });
});

describe('recordings', () => {
  test('two that do not follow each other are put one behind the other', () => {
    const one = fileOf(registers(1_000, `${PHONE}:5060`, 'alice'));
    const two = fileOf(registers(0, '198.51.100.8:5060', 'bob'));
    const result = rehearse({ files: [one, two], policies: [companionSchema.parse({})] });
    expect(result.lastAt - result.firstAt).toBeLessThan(3_000);
    expect(result.results[0]!.rows.map(({ state }) => state)).toEqual(['good', 'good']);
  });

  test('the same file gives the same rows, however often', () => {
    const lines = Array.from({ length: 300 }, (_, index) =>
      registers(index / 10, `${PHONE}:5060`, `u${index}`, 401),
    ).flat();
    expect(run(lines).results).toEqual(run(lines).results);
  });

  test('two policies see the same messages, each by itself', () => {
    const lines = Array.from({ length: 12 }, (_, index) => registers(index, `${PHONE}:5060`, 'alice', 401)).flat();
    const policies = [{}, { allow: [PHONE] }].map((policy) => companionSchema.parse(policy));
    const { results } = rehearse({ files: [fileOf(lines)], policies });
    expect(results.map(({ rows }) => rows[0]?.state)).toEqual(['banned', 'allowed']);
    expect(results.map(({ rows }) => rows[0]?.messages)).toEqual([24, 24]);
  });
});

describe('captures of one direction', () => {
  const unheard = (lines: readonly Line[]): Line[] => lines.filter(({ from }) => !from.startsWith(SERVER));
  const users = (count: number): string[] => Array.from({ length: count }, (_, index) => String(200 + index));

  test('an office that registers in order, and answers its challenges: not accused', () => {
    const lines = users(60).flatMap((user, index) => registers(index * 0.5, `${PHONE}:5060`, user));
    expect(rowOf(run(unheard(lines)), PHONE)).toMatchObject({ messages: 120, flaggedAt: null, rules: [] });
  });

  test('phones that first answer a challenge of yesterday, then the one of today: not accused', () => {
    const lines = users(20).flatMap((user, index) =>
      ['old', 'new'].map((nonce, step) => ({
        t: index + step * 0.1,
        from: `${PHONE}:5060`,
        to: `${SERVER}:5060`,
        text: request('REGISTER', user, `c${user}`, { nonce: `${nonce}${user}`, cseq: step + 1 }),
      })),
    );
    expect(rowOf(run(lines), PHONE)).toMatchObject({ flaggedAt: null, rules: [] });
  });

  test('who answers and comes back at once, again and again, was refused: held, but never banned', () => {
    const lines = Array.from({ length: 20 }, (_, index) => registers(index, `${PHONE}:5060`, 'alice', 401)).flat();
    expect(rowOf(run(unheard(lines)), PHONE)).toMatchObject({
      state: 'quarantined',
      rules: ['digest.wrong-password', 'digest.guessing'],
    });
  });

  test('who asks for one name after the other and answers nothing is noticed as ever', () => {
    const lines = users(60).map((user, index) => ({
      t: index * 0.5,
      from: `${PHONE}:5060`,
      to: `${SERVER}:5060`,
      text: request('REGISTER', user, `c${user}`),
    }));
    expect(rowOf(run(lines), PHONE)).toMatchObject({ state: 'quarantined' });
  });

  test('an ACK outside of the transaction acknowledges an answered call', () => {
    const call = (index: number, branch: string): Line[] =>
      [
        request('INVITE', 'trunk', `c${index}`),
        request('ACK', 'trunk', `c${index}`, { toTag: 't', branch }),
        request('BYE', 'trunk', `c${index}`, { toTag: 't', cseq: 2 }),
      ].map((text, step) => ({ t: index + step * 0.2, from: `${PHONE}:5060`, to: `${SERVER}:5060`, text }));
    const answered = run(call(0, 'z9hG4bKother'));
    expect(answered.results[0]!.totals.outcomes).toBe(1);
    const refused = run(call(0, `z9hG4bK${hex('c0')}1`));
    expect(refused.results[0]!.totals.outcomes).toBe(0);
  });

  test('where the server was heard, nonces that it did not issue prove nothing', () => {
    const lines = [
      ...registers(0, '198.51.100.99:5060', 'bob'),
      ...unheard(users(60).flatMap((user, index) => registers(1 + index * 0.5, `${PHONE}:5060`, user))),
    ];
    expect(rowOf(run(lines), PHONE)).toMatchObject({ state: 'quarantined' });
  });
});
