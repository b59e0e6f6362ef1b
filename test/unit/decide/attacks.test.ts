/** What becomes of an attacker: real detectors and the judge, fed as Kamailio would until the source is stopped. */
import { afterAll, expect, test } from 'vitest';
import type { Outcome, Request, SourceState } from '../../../src/model/index.ts';
import { detectorsWith } from '../detect/events.ts';
import { ATTACKER, ask, auth, from, judgeWith, nothingKnown, range, reply } from './build.ts';

const table: Record<string, string | number>[] = [];
afterAll(() => {
  console.table(table);
});

interface End {
  readonly messages: number;
  readonly ms: number;
  readonly state: SourceState;
}

/** After how many of its requests the source is held, and how. */
const run = (label: string, events: Iterable<Request | Outcome>): End | undefined => {
  const detectors = detectorsWith();
  const judge = judgeWith();
  let messages = 0;
  let first: number | undefined;
  for (const event of events) {
    if (event.kind === 'request') messages += 1;
    first ??= event.at;
    const { state } = judge.judge(event, nothingKnown, detectors.detect(event, nothingKnown));
    if (state !== 'quarantined' && state !== 'banned') continue;
    const end = { messages, ms: Math.round(event.at - first), state };
    table.push({ attack: label, ...end });
    return end;
  }
  return undefined;
};

/** svwar, disguised: one name after the other, no credentials; a server that tells who exists answers 404. */
function* svwar(
  method: string,
  transport: 'udp' | 'tcp',
  everyMs: number,
  tells: boolean,
): Generator<Request | Outcome> {
  const source = from(ATTACKER, 5060, transport);
  for (const [index, name] of range(100, 999).entries()) {
    yield ask(index * everyMs, source, method, String(name));
    if (tells) yield reply(index * everyMs + 1, source, 404, method, String(name));
  }
}

/** svcrack: one name, one password after the other. Its answers are bound to its address, or not. */
function* svcrack(transport: 'udp' | 'tcp', everyMs: number, bound: boolean): Generator<Request | Outcome> {
  const source = from(ATTACKER, 5060, transport);
  for (const index of range(0, 999)) {
    const at = index * everyMs;
    yield ask(at, source, 'REGISTER', '100', { credentials: index === 0 ? 'none' : bound ? 'bound' : 'unbound' });
    if (index > 0) yield auth(at + 1, source, bound ? 'wrong-password' : 'forged-nonce', '100');
  }
}

test.each(['REGISTER', 'INVITE', 'OPTIONS'])('svwar %s over UDP ends in quarantine', (method) => {
  const end = run(`svwar ${method} udp, 404`, svwar(method, 'udp', 20, true));
  expect(end?.state).toBe('quarantined');
  expect(end?.messages).toBeLessThanOrEqual(20);
});

test.each(['REGISTER', 'INVITE', 'OPTIONS'])('svwar %s over TCP ends in a ban', (method) => {
  const end = run(`svwar ${method} tcp, 404`, svwar(method, 'tcp', 20, true));
  expect(end?.state).toBe('banned');
  expect(end?.messages).toBeLessThanOrEqual(20);
});

test.each([
  ['udp', 'quarantined'],
  ['tcp', 'banned'],
] as const)('svwar over %s against uniform challenges ends %s', (transport, state) => {
  const end = run(`svwar REGISTER ${transport}, uniform 401`, svwar('REGISTER', transport, 20, false));
  expect(end?.state).toBe(state);
  expect(end?.messages).toBeLessThanOrEqual(100);
});

test.each(['udp', 'tcp'] as const)('svcrack over %s on nonces of its own ends in a ban', (transport) => {
  const end = run(`svcrack ${transport}, bound`, svcrack(transport, 50, true));
  expect(end?.state).toBe('banned');
  expect(end?.messages).toBeLessThanOrEqual(15);
});

test('svcrack over UDP on nonces of somebody else ends in quarantine at most', () => {
  const end = run('svcrack udp, forged nonces', svcrack('udp', 20, false));
  expect(end?.state ?? 'quarantined').toBe('quarantined');
});

test('a patient svcrack, one attempt in four seconds, still ends up slowed down', () => {
  const detectors = detectorsWith();
  const judge = judgeWith();
  for (const event of svcrack('udp', 4_000, true))
    judge.judge(event, nothingKnown, detectors.detect(event, nothingKnown));
  expect([...judge.ledger.entries('throttle-user')]).toMatchObject([{ user: '100', intervalSeconds: 20 }]);
});

test('one user tried from many addresses acts on no user and on no address', () => {
  const detectors = detectorsWith();
  const judge = judgeWith();
  const changes = range(1, 250).flatMap((host) => {
    const event = auth(host * 100, from(`203.0.113.${host}`), 'wrong-password', 'alice');
    return judge.judge(event, nothingKnown, detectors.detect(event, nothingKnown)).changes;
  });
  expect(changes).toEqual([]);
});

test('a password sprayed over many users from one address ends in a ban', () => {
  const spray = range(1, 50).flatMap((user) => [
    ask(user * 1_000, from(ATTACKER), 'REGISTER', `user${user}x`, { credentials: 'bound' as const }),
    auth(user * 1_000 + 1, from(ATTACKER), 'wrong-password', `user${user}x`),
  ]);
  const end = run('spraying udp, bound', spray);
  expect(end?.state).toBe('banned');
  expect(end?.messages).toBeLessThanOrEqual(5);
});

test('the same scan from many addresses of one IPv6 /64 is one scan', () => {
  const scan = range(100, 200).flatMap((name, index) => {
    const source = from(`2001:db8:1:2::${index + 1}`);
    return [
      ask(index * 20, source, 'REGISTER', String(name)),
      reply(index * 20 + 1, source, 404, 'REGISTER', String(name)),
    ];
  });
  const end = run('svwar udp, 404, one /64', scan);
  expect(end?.state).toBe('quarantined');
  expect(end?.messages).toBeLessThanOrEqual(20);
});
