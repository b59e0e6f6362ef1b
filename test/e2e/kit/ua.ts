import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { challengeOf, digestAnswer } from '../../../src/lab/phone/digest-answer.ts';
import type { Challenge } from '../../../src/lab/phone/digest-answer.ts';

const T1_MS = 500;
const T2_MS = 4_000;
/** After this long without a final response a customer has been harmed. */
const TIMER_F_MS = 32_000;
const MAX_TRIES = 3;

export interface Reply {
  /** 0: no final response in time. */
  readonly status: number;
  readonly text: string;
  readonly ms: number;
  /** How often the request was sent. */
  readonly sent: number;
  /** When it was sent first (performance.now). */
  readonly at: number;
}

export interface UaOptions {
  /** `127.82.1.1:15060`. */
  readonly server: string;
  /** Address of this machine that it sends from. */
  readonly from: string;
  readonly user: string;
  readonly password?: string;
  readonly transport?: 'udp' | 'tcp';
  readonly deadlineMs?: number;
}

export interface Message {
  readonly method: string;
  readonly uri: string;
  readonly to?: string;
  /** Without CR LF at the end. */
  readonly headers?: readonly string[];
  readonly callId?: string;
  readonly fromTag?: string;
  readonly cseq?: number;
}

/** A user agent that registers, calls and answers calls, over UDP or TCP, with digest. */
export interface Ua {
  readonly local: string;
  /** Sends a request as it is and waits for its final response. */
  request(message: Message): Promise<Reply>;
  /** The same, answering challenges; `challenged`: the first answer uses the nonce of that response. */
  authenticated(message: Message, challenged?: Reply): Promise<Reply>;
  register(expires?: number): Promise<Reply>;
  /** INVITE, ACK, BYE. @returns the final responses to INVITE and BYE */
  call(user: string): Promise<{ readonly invite: Reply; readonly bye: Reply }>;
  send(bytes: string | Buffer): void;
  /** Responses that came, retransmissions included. */
  readonly received: readonly string[];
  /** Requests that came, retransmissions included. */
  readonly incoming: readonly string[];
  /** Every transaction that ended, challenged ones included. */
  readonly transactions: readonly Reply[];
  close(): void;
}

interface Wire {
  readonly local: string;
  send(bytes: string | Buffer): void;
  close(): void;
}

const udpWire = async (options: UaOptions, heard: (text: string) => void): Promise<Wire> => {
  const [host, port] = options.server.split(':') as [string, string];
  const socket = createSocket('udp4');
  socket.on('error', () => undefined);
  socket.on('message', (bytes) => {
    heard(bytes.toString('latin1'));
  });
  socket.bind({ address: options.from, port: 0 });
  await once(socket, 'listening');
  let closed = false;
  return {
    local: `${options.from}:${socket.address().port}`,
    send(bytes) {
      if (!closed) socket.send(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes, 'latin1'), Number(port), host);
    },
    close() {
      if (!closed) socket.close();
      closed = true;
    },
  };
};

const tcpWire = async (options: UaOptions, heard: (text: string) => void): Promise<Wire> => {
  const [host, port] = options.server.split(':') as [string, string];
  const socket = connect({ host, port: Number(port), localAddress: options.from });
  await once(socket, 'connect', { signal: AbortSignal.timeout(10_000) });
  socket.on('error', () => undefined);
  let buffer = '';
  socket.on('data', (chunk: Buffer) => {
    buffer += chunk.toString('latin1');
    for (;;) {
      const end = buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = end + 4 + Number(/^Content-Length\s*:\s*(\d+)/im.exec(buffer.slice(0, end))?.[1] ?? 0);
      if (buffer.length < length) return;
      heard(buffer.slice(0, length));
      buffer = buffer.slice(length);
    }
  });
  return {
    local: `${options.from}:${socket.localPort ?? 0}`,
    send(bytes) {
      if (!socket.destroyed) socket.write(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes, 'latin1'));
    },
    close() {
      socket.destroy();
    },
  };
};

const header = (text: string, name: string): string | undefined =>
  new RegExp(`^${name}\\s*:\\s*(.*)$`, 'im').exec(text)?.[1]?.trim();
const headers = (text: string, name: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^${name}\\s*:\\s*(.*)$`, 'gim'))].map(([, value]) => value!.trim());
export const token = (): string => randomBytes(8).toString('hex');

/** What the called side answers: 180 and 200 to INVITE, 200 to everything else, nothing to ACK. */
const answersTo = (text: string, contact: string): readonly string[] => {
  const [method] = text.split(' ', 1);
  if (method === 'ACK') return [];
  const answer = (status: string, extra: readonly string[]): string =>
    [
      `SIP/2.0 ${status}`,
      ...headers(text, 'Via').map((value) => `Via: ${value}`),
      ...headers(text, 'Record-Route').map((value) => `Record-Route: ${value}`),
      `From: ${header(text, 'From')}`,
      `To: ${header(text, 'To')}${/;tag=/.test(header(text, 'To') ?? '') ? '' : ';tag=callee'}`,
      `Call-ID: ${header(text, 'Call-ID')}`,
      `CSeq: ${header(text, 'CSeq')}`,
      ...extra,
      'Content-Length: 0\r\n\r\n',
    ].join('\r\n');
  const ok = answer('200 OK', [`Contact: <${contact}>`]);
  return method === 'INVITE' ? [answer('180 Ringing', []), ok] : [ok];
};

export const createUa = async (options: UaOptions): Promise<Ua> => {
  const { user, password = 'secret', server, transport = 'udp', deadlineMs = TIMER_F_MS } = options;
  const domain = server.split(':')[0]!;
  const waiting = new Map<string, (text: string) => void>();
  const received: string[] = [];
  const incoming: string[] = [];
  const transactions: Reply[] = [];
  const heard = (text: string): void => {
    if (!text.startsWith('SIP/2.0 ')) {
      incoming.push(text);
      for (const answer of answersTo(text, contact)) wire.send(answer);
      return;
    }
    received.push(text);
    const branch = /branch=([\w.-]{1,80})/.exec(headers(text, 'Via')[0] ?? '')?.[1];
    waiting.get(branch ?? '')?.(text);
  };
  const wire = await (transport === 'udp' ? udpWire : tcpWire)(options, heard);
  const contact = `sip:${user}@${wire.local}${transport === 'tcp' ? ';transport=tcp' : ''}`;
  const registerCallId = token();
  let cseq = 0;
  let challenge: Challenge | undefined;
  let uses = 0;

  const textOf = (message: Message, branch: string, number: number): string =>
    [
      `${message.method} ${message.uri} SIP/2.0`,
      `Via: SIP/2.0/${transport.toUpperCase()} ${wire.local};rport;branch=${branch}`,
      'Max-Forwards: 70',
      `From: <sip:${user}@${domain}>;tag=${message.fromTag ?? token()}`,
      `To: ${message.to ?? `<${message.uri}>`}`,
      `Call-ID: ${message.callId ?? token()}`,
      `CSeq: ${number} ${message.method}`,
      ...(message.headers ?? []),
      'Content-Length: 0\r\n\r\n',
    ].join('\r\n');

  const request = async (message: Message): Promise<Reply> =>
    new Promise((resolve) => {
      const branch = `z9hG4bK${token()}`;
      const number = message.cseq ?? ++cseq;
      const text = textOf(message, branch, number);
      const began = performance.now();
      let sent = 0;
      let gap = T1_MS;
      let timer: NodeJS.Timeout | undefined;
      const end = (status: number, answer: string): void => {
        clearTimeout(timer);
        clearTimeout(late);
        waiting.delete(branch);
        const ms = Math.round((performance.now() - began) * 10) / 10;
        const reply = { status, text: answer, ms, sent, at: began };
        transactions.push(reply);
        resolve(reply);
      };
      const late = setTimeout(end, deadlineMs, 0, '');
      const send = (): void => {
        sent += 1;
        wire.send(text);
        if (transport === 'tcp') return;
        timer = setTimeout(send, gap);
        gap = message.method === 'INVITE' ? gap * 2 : Math.min(gap * 2, T2_MS);
      };
      waiting.set(branch, (answer) => {
        const status = Number(answer.slice(8, 11));
        if (status >= 200) {
          if (message.method === 'INVITE' && status >= 300) {
            const to = `To: ${header(answer, 'To')}`;
            wire.send(
              text
                .replace(/^INVITE/, 'ACK')
                .replace(/^To: .*$/m, to)
                .replace(/^CSeq: .*$/m, `CSeq: ${number} ACK`),
            );
          }
          end(status, answer);
        } else if (message.method === 'INVITE') clearTimeout(timer);
        else gap = T2_MS;
      });
      send();
    });

  const authenticated = async (message: Message, challenged?: Reply): Promise<Reply> => {
    if (challenged !== undefined) {
      challenge = challengeOf(challenged.text);
      uses = 0;
    }
    const began = performance.now();
    let reply: Reply | undefined;
    let ms = 0;
    let sent = 0;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const { method, uri } = message;
      uses += 1;
      const claim = { user, password, method, uri, count: uses };
      const credentials = challenge === undefined ? [] : [digestAnswer(challenge, claim)];
      reply = await request({ ...message, headers: [...(message.headers ?? []), ...credentials] });
      ms += reply.ms;
      sent += reply.sent;
      const asked = reply.status === 401 || reply.status === 407 ? challengeOf(reply.text) : undefined;
      if (asked === undefined) break;
      challenge = asked;
      uses = 0;
    }
    return { ...reply!, ms, sent, at: began };
  };

  return {
    local: wire.local,
    received,
    incoming,
    transactions,
    request,
    authenticated,
    register: async (expires = 60) =>
      authenticated({
        method: 'REGISTER',
        uri: `sip:${domain}`,
        to: `<sip:${user}@${domain}>`,
        callId: registerCallId,
        headers: [`Contact: <${contact}>`, `Expires: ${expires}`, 'User-Agent: Customer'],
      }),
    async call(callee) {
      const dialog = { callId: token(), fromTag: token() };
      const invite = await authenticated({
        ...dialog,
        method: 'INVITE',
        uri: `sip:${callee}@${domain}`,
        headers: [`Contact: <${contact}>`],
      });
      if (invite.status !== 200) return { invite, bye: { status: 0, text: '', ms: 0, sent: 0, at: 0 } };
      const target = {
        uri: /<([^>]*)>/.exec(header(invite.text, 'Contact') ?? '')?.[1] ?? '',
        to: header(invite.text, 'To') ?? '',
        headers: headers(invite.text, 'Record-Route')
          .toReversed()
          .map((value) => `Route: ${value}`),
        ...dialog,
      };
      const inviteNumber = Number(header(invite.text, 'CSeq')?.split(' ')[0]);
      wire.send(textOf({ ...target, method: 'ACK' }, `z9hG4bK${token()}`, inviteNumber));
      await sleep(50);
      return { invite, bye: await request({ ...target, method: 'BYE' }) };
    },
    send: (bytes) => {
      wire.send(bytes);
    },
    close: () => {
      wire.close();
    },
  };
};
