import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { challengeOf, digestAnswer } from '../../../src/lab/phone/digest-answer.ts';
import { requestText, statusOf, targetOf, token } from './sip-text.ts';
import { openUdp } from './udp-client.ts';

interface Where {
  /** The attacker's address. */
  readonly from: string;
  readonly server: { readonly ip: string; readonly port: number };
  readonly domain: string;
}

export interface ScanOptions extends Where {
  readonly method: string;
  readonly targets: readonly string[];
  readonly perSecond: number;
  /** Answers challenges with this. */
  readonly password?: string;
  /** Passed over, so that only behaviour can give it away. */
  readonly agent?: string;
}

export interface ScanResult {
  readonly sent: number;
  /** Final and provisional responses, in order. */
  readonly answers: readonly string[];
}

const LINGER_MS = 400;
/** Longest wait for the end of a connection. */
const CLOSED_WITHIN_MS = 3_000;

const probe = (options: ScanOptions, target: string, local: string, transport: 'UDP' | 'TCP'): string => {
  const { method, domain, agent } = options;
  const aor = `sip:${target}@${domain}`;
  const uri = method === 'REGISTER' ? `sip:${domain}` : aor;
  return requestText({ method, uri, from: aor, to: aor, local, transport, ...(agent === undefined ? {} : { agent }) });
};

/** The request again, with an answer to its challenge. */
const answered = (options: ScanOptions, challenge: string, local: string): string => {
  const { method, domain, password = '' } = options;
  const target = targetOf(challenge);
  const aor = `sip:${target}@${domain}`;
  const uri = method === 'REGISTER' ? `sip:${domain}` : aor;
  const offer = challengeOf(challenge);
  if (offer === undefined) return '';
  const claim = { user: target, password, method, uri, count: 1 };
  return requestText({ method, uri, from: aor, to: aor, local, cseq: 2, more: [digestAnswer(offer, claim)] });
};

/** Waits until the next one is due: the pace holds on a busy machine as well. */
const pace = async (sent: number, perSecond: number, began: number): Promise<void> => {
  const aheadMs = (sent * 1_000) / perSecond - (performance.now() - began);
  // also when late: a connection that was closed is seen only between two turns
  await sleep(Math.max(aheadMs, 0));
};

/**
 * A scanner that nobody knows: requests like those of a phone, one extension after the other, at a steady pace. Only
 * what it does can give it away.
 */
export const scanUdp = async (options: ScanOptions): Promise<ScanResult> => {
  const client = await openUdp(options.from, options.server);
  let sent = 0;
  client.listen((text) => {
    if (options.password === undefined || (statusOf(text) !== 401 && statusOf(text) !== 407)) return;
    const again = answered(options, text, client.local);
    if (again === '' || !/^CSeq: 1 /m.test(text)) return;
    sent += 1;
    void client.send(again);
  });
  const began = performance.now();
  for (const [index, target] of options.targets.entries()) {
    sent += 1;
    await client.send(probe(options, target, client.local, 'UDP'));
    await pace(index + 1, options.perSecond, began);
  }
  await sleep(LINGER_MS);
  client.close();
  return { sent, answers: client.received.map(({ text }) => text) };
};

/** A TCP connection that speaks SIP: complete responses, and when the server closed it. */
export interface TcpClient {
  readonly local: string;
  readonly received: readonly string[];
  /** When the server ended the connection (performance.now), undefined while it lives. */
  closedAt(): number | undefined;
  send(text: string): void;
  close(): void;
}

/** Undefined when the connection is refused. */
export const openTcp = async ({ from, server }: Omit<Where, 'domain'>): Promise<TcpClient | undefined> => {
  const socket: Socket = connect({ host: server.ip, port: server.port, localAddress: from });
  socket.setNoDelay(true);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(3_000) });
  } catch {
    socket.destroy();
    return undefined;
  }
  const received: string[] = [];
  let pending = '';
  let closed: number | undefined;
  socket.on('data', (chunk: Buffer) => {
    pending += chunk.toString('latin1');
    for (;;) {
      const head = pending.indexOf('\r\n\r\n');
      if (head < 0) return;
      const end = head + 4 + Number(/^(?:Content-Length|l)\s*:\s*(\d+)/im.exec(pending.slice(0, head))?.[1] ?? 0);
      if (pending.length < end) return;
      received.push(pending.slice(0, end));
      pending = pending.slice(end);
    }
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed ??= performance.now();
  });
  return {
    local: `${from.includes(':') ? `[${from}]` : from}:${socket.localPort ?? 0}`,
    received,
    closedAt: () => closed,
    send: (text) => {
      if (!socket.destroyed) socket.write(Buffer.from(text, 'latin1'));
    },
    close: () => {
      socket.destroy();
    },
  };
};

/** The same scan over one connection, until it is closed. */
export const scanTcp = async (
  options: ScanOptions,
): Promise<ScanResult & { readonly closedByServer: boolean; readonly reconnectAnswers: number }> => {
  const client = await openTcp(options);
  if (client === undefined) throw new Error(`no connection from ${options.from}`);
  let sent = 0;
  const began = performance.now();
  for (const target of options.targets) {
    if (client.closedAt() !== undefined) break;
    client.send(probe(options, target, client.local, 'TCP'));
    sent += 1;
    await pace(sent, options.perSecond, began);
  }
  const lastAt = performance.now();
  while (client.closedAt() === undefined && performance.now() - lastAt < CLOSED_WITHIN_MS) await sleep(20);
  const closedByServer = client.closedAt() !== undefined;
  client.close();
  const again = await openTcp(options);
  again?.send(probe(options, options.targets[0] ?? token(), again.local, 'TCP'));
  await sleep(LINGER_MS);
  again?.close();
  return { sent, answers: client.received, closedByServer, reconnectAnswers: again?.received.length ?? 0 };
};
