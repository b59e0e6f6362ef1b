import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import type { Answer, Outcome, Request } from '../../../src/model/index.ts';
import { createDatagramHook, type Hook as DatagramHook, type HookHandlers } from '../../../src/receive/index.ts';
import { encodeHeartbeat, encodeVerdict } from '../../../src/protocol/index.ts';

const UP = '00112233445566778899aabbccddeeff';
const DOWN = 'ffeeddccbbaa99887766554433221100';
const NOW = 1_795_165_740_000;
const HOST = '127.0.0.1';

const open = async (): Promise<Socket> => {
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  return socket;
};
const freePort = async (): Promise<number> => {
  const socket = await open();
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
};

type Happened = readonly [what: string, detail: unknown];

/** A hook on free ports, a socket that plays Kamailio's, and everything that happened, in order. */
interface Bench {
  readonly hook: DatagramHook;
  readonly happened: Happened[];
  readonly ports: { readonly ask: number; readonly tell: number };
  send(port: 'ask' | 'tell', frame: string | Buffer): void;
  /** Waits until so many things have happened. */
  until(count: number): Promise<readonly Happened[]>;
}

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const bench = async (
  judge: (request: Request) => Answer = () => 'allow',
  clock = { now: () => NOW },
): Promise<Bench> => {
  const kamailio = await open();
  const ports = { ask: await freePort(), tell: await freePort() };
  const happened: Happened[] = [];
  let woken = (): void => {};
  const note = (what: string, detail: unknown): void => {
    happened.push([what, detail]);
    woken();
  };
  kamailio.on('message', (bytes) => {
    const [, secret, kind, tindex, tlabel, answer] = bytes.toString('latin1').split(' ');
    if (kind === 'V') note('answer', { secret, tindex, tlabel, answer, bytes: bytes.length });
  });
  const handlers: HookHandlers = {
    ask: (request) => {
      note('asked', request.sip.method);
      return { answer: judge(request), after: () => note('after', request.sip.method) };
    },
    tell: (request) => note('told', request.sip.method),
    outcome: (outcome: Outcome) => note('outcome', outcome.type),
    expired: (node, table, key) => note('expired', [node, table, key]),
    hello: (node, boot) => note('hello', [node, boot]),
    drop: (reason) => note('drop', reason),
    failed: (error) => note('failed', error.message),
  };
  const hook = await createDatagramHook(
    {
      host: HOST,
      askPort: ports.ask,
      tellPort: ports.tell,
      clock,
      nodes: [
        { name: 'edge1', control: { host: HOST, port: kamailio.address().port }, secretUp: UP, secretDown: DOWN },
      ],
    },
    handlers,
  );
  cleanups.push(async () => {
    await hook.stop();
    kamailio.close();
    await once(kamailio, 'close');
  });
  return {
    hook,
    happened,
    ports,
    send: (port, frame) => kamailio.send(frame, ports[port], HOST),
    until: async (count) => {
      while (happened.length < count) await new Promise<void>((resolve) => (woken = resolve));
      return happened;
    },
  };
};

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const REGISTER = [
  'REGISTER sip:a SIP/2.0',
  'Via: SIP/2.0/UDP h;branch=z9hG4bK1',
  'From: <sip:x@a>;tag=1',
  'To: <sip:x@a>',
  'Call-ID: c',
  'CSeq: 1 REGISTER',
  '',
  '',
].join('\r\n');

interface FramePart {
  readonly version?: string;
  readonly secret?: string;
  readonly node?: string;
  readonly ageMs?: number;
  readonly raw?: string;
  readonly ip?: string;
}
const frame = (kind: string, body: string, part: FramePart = {}): string => {
  const sentAt = NOW - (part.ageMs ?? 0);
  const time = `${Math.floor(sentAt / 1_000)}.${String((sentAt % 1_000) * 1_000).padStart(6, '0')}`;
  return [part.version ?? 'C1', part.secret ?? UP, kind, part.node ?? 'edge1', '7', time, body].join(' ');
};
const ask = (part: FramePart = {}): string =>
  frame(
    'A',
    `11 22 udp ${part.ip ?? '192.0.2.1'} 5060 ${HOST} 5060 n stranger 300 0 ${base64(part.raw ?? REGISTER)}`,
    part,
  );
const tell = (part: FramePart = {}): string =>
  frame('T', `0 0 udp 192.0.2.1 5060 ${HOST} 5060 n good 300 0 ${base64(part.raw ?? REGISTER)}`, part);
const none = (): void => undefined;
const wordsOf = (happened: readonly Happened[]): string[] => happened.map(([what]) => what);

test('an ask is answered to the control socket, with its transaction and a keyed hash', async () => {
  const { send, until } = await bench(() => 'challenge');
  send('ask', ask());
  const keyedHash = encodeVerdict(DOWN, 11, 22, 'challenge').toString().split(' ')[1];
  expect(await until(3)).toContainEqual([
    'answer',
    { secret: keyedHash, tindex: '11', tlabel: '22', answer: 'challenge', bytes: expect.any(Number) },
  ]);
});

test('an ask is judged once; what follows from it comes after', async () => {
  const { send, until } = await bench();
  send('ask', ask());
  expect(wordsOf(await until(3)).filter((what) => what !== 'answer')).toEqual(['asked', 'after']);
});

test('a tell is judged and not answered', async () => {
  const { send, until, happened } = await bench();
  send('tell', tell());
  send('ask', ask());
  await until(4);
  expect(happened.filter(([what]) => what === 'told')).toEqual([['told', 'REGISTER']]);
  expect(happened.filter(([what]) => what === 'answer')).toHaveLength(1);
});

test.each([
  ['wrong secret', 'secret', 'ask', ask({ secret: 'f'.repeat(32) })],
  ['wrong secret', 'secret', 'tell', tell({ secret: 'f'.repeat(32) })],
  ['secret of the other direction', 'secret', 'tell', tell({ secret: DOWN })],
  ['wrong version', 'version', 'ask', ask({ version: 'C2' })],
  ['unknown node', 'unknown-node', 'tell', tell({ node: 'edge2' })],
  ['too long', 'too-long', 'ask', 'x'.repeat(9_001)],
  ['garbage', 'version', 'tell', 'hello there'],
  ['malformed', 'malformed', 'tell', `C1 ${UP} T edge1`],
  ['an ask on the tell socket', 'wrong-socket', 'tell', ask()],
  ['a tell on the ask socket', 'wrong-socket', 'ask', tell()],
  ['an outcome on the ask socket', 'wrong-socket', 'ask', frame('G', 'udp 192.0.2.1 5060 60 YQ==')],
] as const)('%s: counted as %s on the %s socket, and nothing else happens', async (_name, reason, port, bytes) => {
  const { send, until, hook } = await bench();
  send(port, bytes);
  expect(await until(1)).toEqual([['drop', reason]]);
  expect(hook.stats()).toMatchObject({ asks: 0, tells: 0 });
});

test.each([
  ['O', 'udp 192.0.2.1 5060 -2 UkVH YQ== YQ== YQ==', 'auth'],
  ['G', 'udp 192.0.2.1 5060 60 YQ==', 'registered'],
  ['R', 'udp 192.0.2.1 5060 404 UkVH YQ== YQ== YQ==', 'reply'],
  ['U', 'udp 192.0.2.1 5060 0 YQ==', 'unacknowledged'],
  ['P', 'udp 192.0.2.1 5060 3 YQ==', 'parse-error'],
])('a frame of kind %s is an outcome', async (kind, body, type) => {
  const { send, until } = await bench();
  send('tell', frame(kind, body));
  expect(await until(1)).toEqual([['outcome', type]]);
});

test('an expiry is handed on', async () => {
  const { send, until } = await bench();
  send('tell', frame('X', `ipban ${base64('203.0.113.9')}`));
  expect(await until(1)).toEqual([['expired', ['edge1', 'ipban', '203.0.113.9']]]);
});

test('an ask that its server has given up is answered with allow, and judged as a tell', async () => {
  const { send, until, hook } = await bench(() => 'drop');
  send('ask', ask({ ageMs: 401 }));
  const happened = await until(2);
  expect(happened).toContainEqual(['answer', expect.objectContaining({ answer: 'allow' })]);
  expect(happened).toContainEqual(['told', 'REGISTER']);
  expect(hook.stats().late).toBe(1);
});

test('an ask that waited on a busy machine is judged', async () => {
  const { send, until } = await bench(() => 'drop');
  send('ask', ask({ ageMs: 400 }));
  expect(await until(3)).toContainEqual(['answer', expect.objectContaining({ answer: 'drop' })]);
});

test.each([-10_000, 10_000])('when the clocks are %i ms apart, age says nothing and asks are judged', async (ageMs) => {
  const { send, until } = await bench(() => 'drop');
  send('ask', ask({ ageMs }));
  expect(await until(3)).toContainEqual(['answer', expect.objectContaining({ answer: 'drop' })]);
});

test('an ask whose message cannot be read is judged by its source, counted, and told as garbage', async () => {
  const { send, until } = await bench(() => 'drop');
  send('ask', ask({ raw: 'not SIP at all' }));
  const happened = await until(5);
  expect(happened).toContainEqual(['outcome', 'parse-error']);
  expect(happened).toContainEqual(['answer', expect.objectContaining({ answer: 'drop' })]);
  expect(happened).toContainEqual(['drop', 'unreadable-not-sip']);
});

test('an address that is none is let pass, and counted', async () => {
  const { send, until } = await bench(() => 'drop');
  send('ask', ask({ ip: '999.1.1.1' }));
  expect(await until(2)).toContainEqual(['drop', 'unreadable-address']);
});

test('an auth code that we do not know is counted', async () => {
  const { send, until } = await bench();
  send('tell', frame('O', 'udp 192.0.2.1 5060 -9 UkVH YQ== YQ== YQ=='));
  expect(await until(1)).toEqual([['drop', 'unreadable-auth-code']]);
});

test('when judging throws, the request passes, the bug is told and the next ask is answered', async () => {
  let first = true;
  const { send, until, happened } = await bench(() => {
    if (!first) return 'challenge';
    first = false;
    throw new Error('a bug');
  });
  send('ask', ask());
  await until(4);
  expect(happened).toContainEqual(['failed', 'a bug']);
  expect(happened).toContainEqual(['answer', expect.objectContaining({ answer: 'allow' })]);
  send('ask', ask());
  expect(await until(7)).toContainEqual(['answer', expect.objectContaining({ answer: 'challenge' })]);
});

test('hellos: the first, a restart and a return are told; others are not', async () => {
  let now = NOW;
  const { send, until, happened } = await bench(undefined, { now: () => now });
  const marker = frame('G', 'udp 192.0.2.1 5060 60 YQ==');
  const hello = async (boot: string, at: number): Promise<boolean> => {
    now = at;
    const before = happened.length;
    send('tell', frame('H', `${boot} 5`));
    send('tell', marker);
    await until(before + 1);
    const isNews = happened[before]?.[0] === 'hello';
    if (isNews) await until(before + 2);
    return isNews;
  };
  expect(await hello('b1.1.1', NOW)).toBe(true);
  expect(await hello('b1.1.1', NOW + 400)).toBe(false);
  expect(await hello('b2.2.2', NOW + 800)).toBe(true);
  expect(await hello('b2.2.2', NOW + 5_000)).toBe(true);
});

test('how long a server has been silent is known once it spoke', async () => {
  let now = NOW;
  const { hook, send, until } = await bench(undefined, { now: () => now });
  expect(hook.silentMs('edge1')).toBeUndefined();
  send('tell', frame('H', 'b1.1.1 5'));
  await until(1);
  now += 1_500;
  expect(hook.silentMs('edge1')).toBe(1_500);
  expect(hook.silentMs('nobody')).toBeUndefined();
});

test('servers get a heartbeat at once', async () => {
  const kamailio = await open();
  const heard = once(kamailio, 'message');
  const handlers = {
    ask: () => ({ answer: 'allow' as const, after() {} }),
    tell() {},
    outcome() {},
    expired() {},
    hello() {},
    drop() {},
    failed() {},
  };
  const hook = await createDatagramHook(
    {
      host: HOST,
      askPort: await freePort(),
      tellPort: await freePort(),
      clock: { now: () => NOW },
      nodes: [
        { name: 'edge1', control: { host: HOST, port: kamailio.address().port }, secretUp: UP, secretDown: DOWN },
      ],
    },
    handlers,
  );
  const [bytes] = (await heard) as [Buffer];
  expect(bytes).toEqual(encodeHeartbeat(DOWN, NOW));
  expect(bytes.toString()).not.toContain(DOWN);
  await hook.stop();
  kamailio.close();
});

test.each(['ask', 'tell'] as const)(
  'a taken %s port is an error that says what to do, and leaves no socket behind',
  async (which) => {
    const { ports } = await bench();
    const other = await freePort();
    const options = { host: HOST, clock: { now: () => NOW }, nodes: [] };
    const handlers = {
      ask: () => ({ answer: 'allow' as const, after() {} }),
      tell() {},
      outcome() {},
      expired() {},
      hello() {},
      drop() {},
      failed() {},
    };
    const taken = { askPort: which === 'ask' ? ports.ask : other, tellPort: which === 'tell' ? ports.tell : other };
    await expect(createDatagramHook({ ...options, ...taken }, handlers)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `Cannot listen for SIP servers on udp ${HOST}:${ports[which]}: another program (another companion?) has it already. Stop it, or change hook.ask_port and hook.tell_port in the configuration.`,
    });
    const again = createSocket('udp4');
    again.bind({ port: other, address: HOST, exclusive: true });
    await once(again, 'listening');
    again.close();
  },
);

test('the answer is on its way before anything that follows from it: the books do not hold up a call', async () => {
  // the server's ear is another thread: while this one is busy with what follows, it can look whether the answer is there
  const heard = new Int32Array(new SharedArrayBuffer(4));
  const ear = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     const socket = require('node:dgram').createSocket('udp4');
     socket.on('message', (bytes) => {
       if (!bytes.toString('latin1').includes(' V ')) return;
       Atomics.store(workerData, 0, 1);
       Atomics.notify(workerData, 0);
     });
     socket.bind(0, '${HOST}', () => parentPort.postMessage(socket.address().port));`,
    { eval: true, workerData: heard },
  );
  const [port] = (await once(ear, 'message')) as [number];
  const [askPort, tellPort] = [await freePort(), await freePort()];
  const handlers = { tell: none, outcome: none, expired: none, hello: none, drop: none, failed: none };
  let followed = (_when: string): void => undefined;
  const waited = new Promise<string>((resolve) => (followed = resolve));
  const hook = await createDatagramHook(
    {
      host: HOST,
      askPort,
      tellPort,
      clock: { now: () => NOW },
      nodes: [{ name: 'edge1', control: { host: HOST, port }, secretUp: UP, secretDown: DOWN }],
    },
    {
      ...handlers,
      ask: () => ({ answer: 'allow', after: () => followed(Atomics.wait(heard, 0, 0, 5_000)) }),
    },
  );
  const kamailio = await open();
  cleanups.push(async () => {
    await hook.stop();
    await ear.terminate();
    kamailio.close();
  });
  kamailio.send(ask(), askPort, HOST);
  expect(['ok', 'not-equal']).toContain(await waited);
});
