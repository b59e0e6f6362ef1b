/** The door for programs that can only speak HTTP: what they hand over, byte for byte, and what comes back. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { Answer, GivenOutcome, GivenRequest, HookDesk, Outcome, Request } from '../../../src/model/index.ts';
import { encodeHeartbeat } from '../../../src/protocol/index.ts';
import { openHook } from '../../../src/receive/index.ts';
import type { Hook, HookHandlers, TransportNode } from '../../../src/receive/index.ts';

const UP = '00112233445566778899aabbccddeeff';
const DOWN = 'ffeeddccbbaa99887766554433221100';
const NOW = 1_795_165_740_000;

type Happened = readonly [what: string, detail: unknown];
interface Bench {
  readonly hook: Hook & { readonly desk: HookDesk };
  readonly desk: HookDesk;
  readonly happened: Happened[];
  readonly requests: Request[];
  readonly outcomes: Outcome[];
}

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const bench = async (
  judge: (request: Request) => Answer = () => 'allow',
  nodes: readonly TransportNode[] = [],
): Promise<Bench> => {
  const happened: Happened[] = [];
  const requests: Request[] = [];
  const outcomes: Outcome[] = [];
  const handlers: HookHandlers = {
    ask: (request) => {
      requests.push(request);
      happened.push(['asked', request.sip.method]);
      return { answer: judge(request), after: () => happened.push(['after', request.sip.method]) };
    },
    tell: (request) => {
      requests.push(request);
      happened.push(['told', request.sip.method]);
    },
    outcome: (outcome) => {
      outcomes.push(outcome);
      happened.push(['outcome', outcome.type]);
    },
    expired: (node, table, key) => happened.push(['expired', [node, table, key]]),
    hello: (node) => happened.push(['hello', node]),
    drop: (reason) => happened.push(['drop', reason]),
    failed: (error) => happened.push(['failed', error.message]),
  };
  const hook = await openHook(
    { host: '127.0.0.1', askPort: 0, tellPort: 0, clock: { now: () => NOW }, nodes },
    handlers,
  );
  cleanups.push(async () => hook.stop());
  return { hook, desk: hook.desk, happened, requests, outcomes };
};

const sip = (more = ''): string =>
  [
    'OPTIONS sip:100@a SIP/2.0',
    'Via: SIP/2.0/UDP h;branch=z9hG4bK1',
    'From: <sip:x@a>;tag=1',
    'To: <sip:100@a>',
    'Call-ID: c',
    'CSeq: 1 OPTIONS',
    ...(more === '' ? [] : [more]),
    '',
    '',
  ].join('\r\n');
const given = (message: string, more: Partial<GivenRequest> = {}): GivenRequest => ({
  node: 'opensips',
  ip: '192.0.2.1',
  port: 5060,
  transport: 'udp',
  message: Buffer.from(message, 'latin1'),
  credentials: 'none',
  standing: 'stranger',
  ...more,
});

describe('a request', () => {
  test.each(['allow', 'drop', 'challenge'] as const)('is judged and answered: %s', async (answer) => {
    const { desk, happened } = await bench(() => answer);
    expect(desk.decide(given(sip()))).toBe(answer);
    expect(happened).toEqual([
      ['asked', 'OPTIONS'],
      ['after', 'OPTIONS'],
    ]);
  });

  test('arrives with its source as it was given, whatever the message says of itself', async () => {
    const { desk, requests } = await bench();
    desk.decide(given(sip('X-Source: 203.0.113.1'), { ip: '::ffff:192.0.2.7', port: 1_024, transport: 'tls' }));
    expect(requests[0]).toMatchObject({
      at: NOW,
      node: 'opensips',
      source: { ip: '192.0.2.7', identity: '192.0.2.7', port: 1_024, transport: 'tls' },
      tier: 'proven',
      standing: 'stranger',
      cut: false,
    });
  });

  test.each([
    ['udp', 'none', 'spoofable'],
    ['udp', 'unbound', 'spoofable'],
    ['udp', 'bound', 'proven'],
    ['ws', 'none', 'proven'],
  ] as const)('over %s with credentials %s is %s', async (transport, credentials, tier) => {
    const { desk, requests } = await bench();
    desk.decide(given(sip(), { transport, credentials }));
    expect(requests[0]).toMatchObject({ tier, credentials });
  });

  test('that nobody asks about is told, and answered by nobody', async () => {
    const { desk, happened, hook } = await bench(() => 'drop');
    expect(desk.tell(given(sip()))).toBeUndefined();
    expect(happened).toEqual([['told', 'OPTIONS']]);
    expect(hook.stats()).toMatchObject({ asks: 0, tells: 1 });
  });

  test('bytes above 127 cross as they are', async () => {
    const { desk, requests } = await bench();
    desk.decide(given(sip('User-Agent: a\xff\xfe\xed\xa0b')));
    const again = await bench();
    again.desk.decide(given(sip('User-Agent: ab')));
    expect(requests[0]!.sizeBytes).toBe(again.requests[0]!.sizeBytes + 4);
  });

  test('longer than 5,000 bytes is cut, and says how long it was', async () => {
    const { desk, requests } = await bench();
    const long = sip() + 'A'.repeat(30_000);
    desk.decide(given(long));
    expect(requests[0]).toMatchObject({ cut: true, sizeBytes: long.length });
    const exact = await bench();
    exact.desk.decide(given(sip() + 'A'.repeat(5_000 - sip().length)));
    expect(exact.requests[0]).toMatchObject({ cut: false, sizeBytes: 5_000 });
  });

  test.each([
    ['nothing', ''],
    ['not SIP', 'GET / HTTP/1.1\r\n\r\n'],
    ['NUL', '\0\0\0'],
    ['a start line only', 'OPTIONS sip:a SIP/2.0'],
  ])(
    'that cannot be read (%s) is judged by its source, counted, and told as garbage of at most 256 bytes',
    async (_name, bytes) => {
      const { desk, happened, outcomes } = await bench(() => 'drop');
      expect(desk.decide(given(bytes.padEnd(bytes.length > 3 ? 400 : 0, 'x')))).toBe('drop');
      expect(happened[0]).toEqual(['drop', expect.stringMatching(/^unreadable-/)]);
      expect(happened[1]).toEqual(['outcome', 'parse-error']);
      const [outcome] = outcomes;
      expect(outcome?.type === 'parse-error' ? outcome.bytes.length : -1).toBeLessThanOrEqual(256);
    },
  );

  test('when judging throws it passes, the bug is told, and the next one is judged', async () => {
    let first = true;
    const { desk, happened } = await bench(() => {
      if (!first) return 'challenge';
      first = false;
      throw new Error('a bug');
    });
    expect(desk.decide(given(sip()))).toBe('allow');
    expect(happened).toContainEqual(['failed', 'a bug']);
    expect(desk.decide(given(sip()))).toBe('challenge');
  });
});

describe('an outcome', () => {
  const source = { node: 'opensips', ip: '192.0.2.1', port: 5060, transport: 'udp', bound: false } as const;
  const names = { method: 'REGISTER', user: 'alice', claimed: 'alice', callId: 'c' };

  test.each([
    'ok',
    'wrong-password',
    'unknown-user',
    'stale',
    'nonce-reused',
    'user-mismatch',
    'forged-nonce',
  ] as const)('of authentication: %s, believed over UDP only where the nonce was bound', async (result) => {
    const { desk, outcomes } = await bench();
    desk.report({ ...source, ...names, type: 'auth', result });
    desk.report({ ...source, ...names, type: 'auth', result, bound: true });
    desk.report({ ...source, ...names, type: 'auth', result, transport: 'tcp' });
    expect(outcomes.map(({ tier }) => tier)).toEqual(['spoofable', 'proven', 'proven']);
    expect(outcomes[0]).toMatchObject({ type: 'auth', result, ...names, source: { ip: '192.0.2.1' } });
  });

  test('of a registration over UDP without a bound nonce makes nobody known-good', async () => {
    const { desk, outcomes } = await bench();
    desk.report({ ...source, type: 'registered', user: 'alice', expiresSeconds: 600 });
    desk.report({ ...source, type: 'registered', user: 'alice', expiresSeconds: 600, bound: true });
    expect(outcomes.map(({ tier }) => tier)).toEqual(['spoofable', 'proven']);
  });

  test('of a reply, and garbage, of which no more than 256 bytes are kept', async () => {
    const { desk, outcomes, hook } = await bench();
    desk.report({ ...source, type: 'reply', code: 404, method: 'INVITE', user: 'a', target: 'b', callId: 'c' });
    desk.report({ ...source, type: 'garbage', message: Buffer.alloc(30_000, 0xff) });
    expect(outcomes[0]).toMatchObject({ type: 'reply', code: 404, target: 'b' });
    expect(outcomes[1]).toMatchObject({ type: 'parse-error', sizeBytes: 30_000 });
    expect(outcomes[1]?.type === 'parse-error' ? outcomes[1].bytes.length : -1).toBe(256);
    expect(hook.stats().tells).toBe(2);
  });
});

test.each(['', 'nonsense', '999.1.1.1', '10.0.0.0/8', '1.2.3', 'fe80::1%eth0'])(
  "'%s' is no address: refused in a sentence, and nobody is judged",
  async (ip) => {
    const { desk, happened } = await bench();
    const bad = { code: 'REQUEST_INVALID', message: expect.stringContaining('is not an IP address') };
    const outcome: GivenOutcome = {
      ...given(''),
      ip,
      bound: true,
      type: 'registered',
      user: 'alice',
      expiresSeconds: 60,
    };
    for (const act of [
      () => desk.decide(given(sip(), { ip })),
      () => desk.tell(given(sip(), { ip })),
      () => desk.report(outcome),
    ])
      expect(act).toThrow(expect.objectContaining(bad));
    expect(happened).toEqual([]);
  },
);

describe('a server that shows its secret', () => {
  const open = async (judge?: (request: Request) => Answer) => {
    const kamailio = createSocket('udp4');
    kamailio.bind(0, '127.0.0.1');
    await once(kamailio, 'listening');
    const heard = once(kamailio, 'message');
    cleanups.push(async () => {
      kamailio.close();
      await once(kamailio, 'close');
    });
    const control = { host: '127.0.0.1', port: kamailio.address().port };
    const node: TransportNode = {
      name: 'edge1',
      transport: 'http',
      control,
      evapi: control,
      secretUp: UP,
      secretDown: DOWN,
    };
    return { ...(await bench(judge, [node])), heard };
  };
  const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
  const frame = (kind: string, body: string, secret = UP): Buffer =>
    Buffer.from(`C1 ${secret} ${kind} edge1 7 ${NOW / 1_000}.000000 ${body}`, 'latin1');
  const ASK = `11 22 udp 192.0.2.1 5060 127.0.0.1 5060 n stranger 300 0 ${base64(sip())}`;

  test('asks and tells with frames; a wrong secret or kind is counted and gets nothing', async () => {
    const { desk, happened, hook } = await open(() => 'challenge');
    expect(desk.frame(frame('A', ASK))).toBe('challenge');
    expect(desk.frame(frame('G', 'udp 192.0.2.1 5060 60 YQ=='))).toBeUndefined();
    expect(desk.frame(frame('A', ASK, 'f'.repeat(32)))).toBeUndefined();
    expect(desk.frame(Buffer.from('hello there'))).toBeUndefined();
    expect(happened).toEqual([
      ['asked', 'OPTIONS'],
      ['after', 'OPTIONS'],
      ['outcome', 'registered'],
      ['drop', 'secret'],
      ['drop', 'version'],
    ]);
    expect(hook.stats()).toMatchObject({ asks: 1, tells: 1 });
  });

  test('gets a heartbeat at once, without the secret in it', async () => {
    const { heard } = await open();
    const [bytes] = (await heard) as [Buffer];
    expect(bytes).toEqual(encodeHeartbeat(DOWN, NOW));
    expect(bytes.toString()).not.toContain(DOWN);
  });
});
