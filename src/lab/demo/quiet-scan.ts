import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { bindUdp, wallClock } from './wiretap.ts';
import type { Wire } from './wiretap.ts';

export interface QuietScan extends Wire {
  /** Extensions whose answer differs from that of most others: the scanner has learned that they exist. */
  readonly learned: readonly string[];
}

/** After the last request, for answers that are on their way. */
const LINGER_MS = 1_000;

/** What a scanner compares: the start line, and which headers there are. */
const shapeOf = (text: string): string => {
  const [first = '', ...rest] = text.split('\r\n');
  return [first, ...rest.map((line) => line.split(':', 1)[0])].join('|');
};

/**
 * The scan of svwar without anything by which a tool is recognised: requests like those of a phone, one extension after
 * the other. Only what it does can give it away.
 */
export const runQuietScan = async (options: {
  readonly attacker: string;
  readonly server: { readonly ip: string; readonly port: number };
  readonly domain: string;
  readonly extensions: readonly string[];
  readonly everyMs: number;
  readonly signal: AbortSignal;
}): Promise<QuietScan> => {
  const { server, domain } = options;
  const socket = await bindUdp(options.attacker);
  const local = `${options.attacker}:${socket.address().port}`;
  const sent: number[] = [];
  const answers: { at: number; status: number }[] = [];
  const shapes = new Map<string, string>();
  socket.on('message', (datagram) => {
    const text = datagram.toString('latin1');
    const status = Number(text.slice(8, 11));
    answers.push({ at: wallClock(), status });
    const extension = /^To:[^\r]*<sip:(\w{1,40})@/im.exec(text)?.[1];
    if (status >= 200 && extension !== undefined) shapes.set(extension, shapeOf(text));
  });
  for (const extension of options.extensions) {
    const id = (): string => randomBytes(8).toString('hex');
    const request = [
      `REGISTER sip:${domain} SIP/2.0`,
      `Via: SIP/2.0/UDP ${local};rport;branch=z9hG4bK.${id()}`,
      'Max-Forwards: 70',
      `From: <sip:${extension}@${domain}>;tag=x${id()}`,
      `To: <sip:${extension}@${domain}>`,
      `Call-ID: ${id()}@${options.attacker}`,
      'CSeq: 1 REGISTER',
      `Contact: <sip:${extension}@${local}>`,
      'Expires: 60',
      'User-Agent: Yealink SIP-T46U 108.86.0.20',
      'Content-Length: 0\r\n\r\n',
    ];
    sent.push(wallClock());
    socket.send(request.join('\r\n'), server.port, server.ip);
    await sleep(options.everyMs, undefined, { signal: options.signal });
  }
  await sleep(LINGER_MS);
  socket.close();
  const counts = new Map<string, number>();
  for (const shape of shapes.values()) counts.set(shape, (counts.get(shape) ?? 0) + 1);
  const [usual] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [];
  return { sent, answers, learned: [...shapes].filter(([, shape]) => shape !== usual).map(([name]) => name) };
};
