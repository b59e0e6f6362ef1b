import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { challengeOf, digestAnswer } from '../../../src/lab/phone/digest-answer.ts';
import { statusOf } from '../../e2e/kit/sip-text.ts';

/** Sources of a measurement: each in a /24 of its own, so that no limit of companion is reached. */
export interface Caller {
  /** Milliseconds from each request to its answer, one request after the other, from one source after the other. */
  oneAfterTheOther(count: number): Promise<readonly number[]>;
  /** What the server takes the next source for: `stranger` when companion was asked; empty without an answer. */
  standing(): Promise<string>;
  /** Keeps so many requests under way. @returns answers a second */
  atOnce(count: number, ms: number): Promise<number>;
  /** Makes all of them known-good. */
  authenticate(password: string): Promise<void>;
  /** Answers that say that the request was not asked about although it should have been. */
  readonly unasked: number;
  close(): void;
}

const LATE_MS = 1_000;

interface Answer {
  readonly ms: number;
  readonly text: string;
}

const branchOf = (text: string): string => {
  const at = text.indexOf('branch=z9hG4bK') + 14;
  let end = at;
  while (end < text.length && !';,\r'.includes(text[end]!)) end += 1;
  return text.slice(at, end);
};

/** @param second second number of the sources' addresses: 127.<second>.x.y */
export const openCaller = async (
  server: { readonly ip: string; readonly port: number },
  sources: number,
  second: number,
  user: string,
): Promise<Caller> => {
  let unasked = 0;
  let serial = 0;
  const run = `${process.pid}${Date.now() % 1e6}`;
  const open = async (index: number) => {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1024 * 1024 });
    const ip = `127.${second}.${index % 250}.${1 + Math.floor(index / 250)}`;
    socket.bind(0, ip);
    await once(socket, 'listening');
    const { port } = socket.address();
    const waiting = new Map<string, (text: string) => void>();
    socket.on('error', () => undefined);
    socket.on('message', (bytes) => {
      const text = bytes.toString('latin1');
      if (text.includes('X-Companion: open')) unasked += 1;
      waiting.get(branchOf(text))?.(text);
    });
    const ask = async (target = '', more = ''): Promise<Answer | undefined> =>
      new Promise((resolve) => {
        const id = `${run}${(serial += 1)}`;
        const head = `OPTIONS sip:${target}${server.ip}:${server.port} SIP/2.0\r\nVia: SIP/2.0/UDP ${ip}:${port};rport;branch=z9hG4bK${id}`;
        const who = `From: <sip:${user}@${server.ip}>;tag=${id}\r\nTo: <sip:${target}${server.ip}>\r\nCall-ID: ${id}@${ip}`;
        const rest = `CSeq: 1 OPTIONS\r\nContact: <sip:${user}@${ip}:${port}>\r\nUser-Agent: Yealink SIP-T46U 108.86.0.20`;
        const began = performance.now();
        const late = setTimeout(() => {
          waiting.delete(id);
          resolve(undefined);
        }, LATE_MS);
        waiting.set(id, (text) => {
          waiting.delete(id);
          clearTimeout(late);
          resolve({ ms: performance.now() - began, text });
        });
        socket.send(
          `${head}\r\nMax-Forwards: 70\r\n${who}\r\n${rest}\r\n${more}Content-Length: 0\r\n\r\n`,
          server.port,
          server.ip,
        );
      });
    const authenticate = async (password: string): Promise<void> => {
      const challenge = challengeOf((await ask('bob@'))?.text ?? '');
      if (challenge === undefined) throw new Error(`${ip} was not challenged`);
      const uri = `sip:bob@${server.ip}:${server.port}`;
      const line = digestAnswer(challenge, { user, password, method: 'OPTIONS', uri, count: 1 });
      const status = statusOf((await ask('bob@', `${line}\r\n`))?.text ?? '');
      if (status !== 480) throw new Error(`${ip} could not authenticate: ${status}`);
    };
    return { ask, authenticate, close: () => socket.close() };
  };
  const sockets = await Promise.all(Array.from({ length: sources }, async (_, index) => open(index)));
  return {
    get unasked() {
      return unasked;
    },
    async oneAfterTheOther(count) {
      const times: number[] = [];
      for (let n = 0; n < count; n += 1) times.push((await sockets[n % sources]!.ask())?.ms ?? LATE_MS);
      return times;
    },
    async atOnce(count, ms) {
      const end = performance.now() + ms;
      let answered = 0;
      let next = 0;
      await Promise.all(
        Array.from({ length: count }, async () => {
          while (performance.now() < end) {
            next += 1;
            if ((await sockets[next % sources]!.ask()) !== undefined) answered += 1;
          }
        }),
      );
      return (answered * 1_000) / ms;
    },
    async standing() {
      const answer = await sockets[(serial += 1) % sources]!.ask();
      return /^X-Companion: (\w+)/m.exec(answer?.text ?? '')?.[1] ?? '';
    },
    async authenticate(password) {
      for (const socket of sockets) await socket.authenticate(password);
    },
    close: () => sockets.forEach(({ close }) => close()),
  };
};
