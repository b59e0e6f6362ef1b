/** Whatever the door, the same frames of a real Kamailio become the same records and get the same answers. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Answer } from '../../src/model/index.ts';
import { createNetstringSplitter, encodeNetstring } from '../../src/protocol/index.ts';
import { openHook } from '../../src/receive/index.ts';
import type { HookHandlers, TransportNode } from '../../src/receive/index.ts';

const HOST = '127.0.0.1';
const UP = '00112233445566778899aabbccddeeff';
const DOWN = 'ffeeddccbbaa99887766554433221100';
const FRAMES = new URL('frames/', import.meta.url);
const frames = readdirSync(FRAMES)
  .filter((name) => name.endsWith('.txt'))
  .map((name) => ({ ask: name.endsWith('.ask.txt'), bytes: readFileSync(new URL(name, FRAMES)) }));
/** Of the first frame, so that none is late. */
const clock = { now: () => 1_000 };

const freePort = async (): Promise<number> => {
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
};

/** Everything that came through one door, in order of its kind, and the answers that went back. */
const through = async (transport: TransportNode['transport']) => {
  const seen: unknown[] = [];
  const answers: string[] = [];
  const verdictOf = (text: string): void => {
    const [, , kind, tindex, tlabel, answer] = text.split(' ');
    if (kind === 'V') answers.push(`${tindex} ${tlabel} ${answer}`);
  };
  const judge = (method: string): Answer => (method === 'REGISTER' ? 'challenge' : 'drop');
  const handlers: HookHandlers = {
    ask(request) {
      seen.push({ ...request, sample: request.sample?.() });
      return { answer: judge(request.sip.method), after: () => undefined };
    },
    tell: (request) => seen.push({ ...request, sample: request.sample?.() }),
    outcome: (outcome) => seen.push(outcome),
    expired: (...args) => seen.push(['expired', ...args]),
    hello: (...args) => seen.push(['hello', ...args]),
    drop: (reason) => seen.push(['drop', reason]),
    failed: (error) => seen.push(['failed', error.message]),
  };
  const [askPort, tellPort] = [await freePort(), await freePort()];
  const control = createSocket('udp4').on('message', (bytes) => verdictOf(bytes.toString('latin1')));
  control.bind(0, HOST);
  await once(control, 'listening');
  let line: Socket | undefined;
  const evapi = createServer((socket) => {
    const splitter = createNetstringSplitter(1_000);
    line = socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      for (const frame of splitter.push(chunk).frames) verdictOf(frame.toString('latin1'));
    });
  });
  evapi.listen(0, HOST);
  await once(evapi, 'listening');
  const node: TransportNode = {
    name: 'edge1',
    transport,
    control: { host: HOST, port: control.address().port },
    evapi: { host: HOST, port: (evapi.address() as { port: number }).port },
    secretUp: UP,
    secretDown: DOWN,
  };
  const hook = await openHook({ host: HOST, askPort, tellPort, nodes: [node], clock }, handlers);
  while (transport === 'evapi' && line === undefined) await sleep(5);
  const asked: string[] = [];
  for (const { ask, bytes } of frames) {
    const before = seen.length;
    if (transport === 'datagram') control.send(bytes, ask ? askPort : tellPort, HOST);
    else if (transport === 'evapi') line?.write(encodeNetstring(bytes));
    else {
      const answer = hook.desk.frame(bytes);
      const [, , , , , , tindex, tlabel] = bytes.toString('latin1').split(' ');
      if (answer !== undefined) asked.push(`${tindex} ${tlabel} ${answer}`);
    }
    for (let n = 0; seen.length === before && n < 400; n += 1) await sleep(2);
  }
  const expected = frames.filter(({ ask }) => ask).length;
  for (let n = 0; answers.length + asked.length < expected && n < 400; n += 1) await sleep(2);
  const stats = hook.stats();
  await hook.stop();
  line?.destroy();
  evapi.close();
  control.close();
  return { seen, answers: transport === 'http' ? asked : answers, stats };
};

test('datagram, evapi and HTTP', async () => {
  const datagram = await through('datagram');
  expect(datagram.answers).toHaveLength(frames.filter(({ ask }) => ask).length);
  expect(datagram.seen.length).toBeGreaterThanOrEqual(frames.length);
  expect(await through('evapi')).toEqual(datagram);
  expect(await through('http')).toEqual(datagram);
});
