import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Answer } from '../../../src/model/index.ts';
import { encodeVerdict, createNetstringSplitter, encodeNetstring } from '../../../src/protocol/index.ts';
import { createEvapiHook } from '../../../src/receive/index.ts';
import type { Hook } from '../../../src/receive/index.ts';

const UP = '00112233445566778899aabbccddeeff';
const DOWN = 'ffeeddccbbaa99887766554433221100';
const HOST = '127.0.0.1';
const RAW = Buffer.from(
  'OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:x@a>;tag=1\r\nTo: <sip:x@a>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n',
).toString('base64');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const until = async (what: string, check: () => boolean): Promise<void> => {
  const deadline = performance.now() + 5_000;
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await sleep(5);
  }
};

/** A server that listens as Kamailio's evapi does, and a hook that connects to it. */
const bench = async (answer: Answer = 'challenge') => {
  const sockets: Socket[] = [];
  const heard: string[] = [];
  const drops: string[] = [];
  const asked: string[] = [];
  const hellos: string[] = [];
  const sizes: number[] = [];
  const listen = async (port: number): Promise<Server> => {
    const server = createServer((socket) => {
      const splitter = createNetstringSplitter(1_000);
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        sizes.push(chunk.length);
        heard.push(...splitter.push(chunk).frames.map(String));
      });
    });
    server.listen(port, HOST);
    await once(server, 'listening');
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return server;
  };
  const server = await listen(0);
  const { port } = server.address() as { port: number };
  const hook: Hook = createEvapiHook(
    {
      clock: { now: Date.now },
      nodes: [{ name: 'edge1', evapi: { host: HOST, port }, secretUp: UP, secretDown: DOWN }],
    },
    {
      ask: (request) => {
        asked.push(request.sip.method);
        return { answer, after: () => undefined };
      },
      tell: () => undefined,
      outcome: () => undefined,
      expired: () => undefined,
      hello: (node) => hellos.push(node),
      drop: (reason) => drops.push(reason),
      failed: (error) => drops.push(error.message),
    },
  );
  cleanups.push(async () => hook.stop());
  await until('heartbeat', () => heard.length > 0);
  const send = (text: string): void => {
    sockets.at(-1)?.write(encodeNetstring(Buffer.from(text)));
  };
  return { hook, heard, drops, asked, hellos, sizes, sockets, send, listen, port, server };
};

const now = (): string => `${Math.floor(Date.now() / 1_000)}.${String((Date.now() % 1_000) * 1_000).padStart(6, '0')}`;
const ask = (secret = UP, ti = 11): string =>
  `C1 ${secret} A edge1 7 ${now()} ${ti} 22 udp 192.0.2.1 5060 ${HOST} 5060 n stranger 300 0 ${RAW}`;

test('connects, says a heartbeat first, and another every 400 ms', async () => {
  const { heard } = await bench();
  await until('three heartbeats', () => heard.length >= 3);
  expect(heard[0]).toMatch(/^CV1 [0-9a-f]{32} H \d{10} +$/);
  expect(heard[0]).toHaveLength(146);
});

test('an ask is answered on its connection, in one frame of 151 bytes', async () => {
  const { heard, asked, sizes, send, hook } = await bench();
  send(ask());
  await until('verdict', () => heard.some((text) => text.includes(' V ')));
  expect(heard.find((text) => text.includes(' V '))).toBe(
    encodeVerdict(DOWN, 11, 22, 'challenge').toString().padEnd(146),
  );
  expect(asked).toEqual(['OPTIONS']);
  expect(sizes.every((size) => size % 151 === 0)).toBe(true);
  expect(hook.stats()).toMatchObject({ asks: 1 });
});

test('a hello makes the line known', async () => {
  const { hellos, send, hook } = await bench();
  expect(hook.silentMs('edge1')).toBeUndefined();
  send(`C1 ${UP} H edge1 1 ${now()} b1.2.3 4`);
  await until('hello', () => hellos.length === 1);
  expect(hook.silentMs('edge1')).toBeLessThan(1_000);
});

test.each([
  ['secret', `C1 ${DOWN} H edge1 1 1.000001 b1.2.3 4`],
  ['unknown-node', `C1 ${UP} H edge2 1 1.000001 b1.2.3 4`],
  ['version', 'hello there'],
])('a frame with a wrong %s is counted, and the connection goes on', async (reason, text) => {
  const { drops, asked, send } = await bench();
  send(text);
  send(ask());
  await until('ask', () => asked.length === 1);
  expect(drops).toEqual([reason]);
});

test('a stream that is no netstring is closed, counted, and opened again', async () => {
  const { drops, asked, send, sockets } = await bench();
  sockets[0]?.write('GET / HTTP/1.1\r\n\r\n');
  await until('second connection', () => sockets.length === 2);
  send(ask());
  await until('ask', () => asked.length === 1);
  expect(drops).toEqual(['netstring-length']);
});

test('a server that goes away is found again when it is back', async () => {
  const { server, sockets, listen, port, asked, send } = await bench();
  server.close();
  sockets[0]?.destroy();
  await sleep(300);
  await listen(port);
  await until('second connection', () => sockets.length === 2);
  send(ask());
  await until('ask', () => asked.length === 1);
});

test('while this thread hangs everything is read; what waits too long is dropped and counted', async () => {
  const { asked, drops, sockets, hook } = await bench();
  const count = 6_000;
  // another process plays the server that sends on while we hang: written before, flushed by the kernel
  const all = Buffer.concat(Array.from({ length: count }, (_, ti) => encodeNetstring(Buffer.from(ask(UP, ti)))));
  sockets[0]?.write(all);
  await until('first', () => asked.length + hook.stats().late > 0);
  const end = performance.now() + 600;
  while (performance.now() < end);
  await until('the rest', () => hook.stats().asks + drops.length >= count);
  const { asks, late } = hook.stats();
  expect(asks + drops.filter((reason) => reason === 'evapi-behind').length).toBe(count);
  expect(late).toBeGreaterThan(0);
});
