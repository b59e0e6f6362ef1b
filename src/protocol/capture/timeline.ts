import { canonicalIp } from '../../model/index.ts';
import type { Transport } from '../../model/index.ts';
import type { CapturedMessage, Drop, Endpoint } from './captured-message.ts';
import type { Intake } from './intake.ts';

/** A datagram in base64 with its addresses needs 90 KB. */
const MAX_LINE_BYTES = 131_072;

const TRANSPORTS: ReadonlySet<string> = new Set<Transport>(['udp', 'tcp', 'tls', 'ws', 'wss', 'sctp']);
/** `udp`, in any case. */
const transportOf = (value: unknown): Transport | undefined => {
  const name = typeof value === 'string' && value.length <= 4 ? value.toLowerCase() : '';
  return TRANSPORTS.has(name) ? (name as Transport) : undefined;
};

/** `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
const endpointOf = (value: unknown): Endpoint | undefined => {
  if (typeof value !== 'string' || value.length > 60) return undefined;
  const colon = value.lastIndexOf(':');
  const host = value.slice(0, Math.max(0, colon));
  const ip = canonicalIp(host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host);
  const port = /^\d{1,5}$/.test(value.slice(colon + 1)) ? Number(value.slice(colon + 1)) : -1;
  return ip === undefined || port < 0 || port > 65_535 ? undefined : { ip, port };
};

const messageOf = (line: string): CapturedMessage | undefined => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { t, src, dst, proto, b64 } = value as Readonly<Record<string, unknown>>;
  const from = endpointOf(src);
  const to = endpointOf(dst);
  const transport = transportOf(proto);
  if (from === undefined || to === undefined || transport === undefined) return undefined;
  if (typeof t !== 'number' || !Number.isFinite(t) || typeof b64 !== 'string') return undefined;
  return { at: t * 1_000, from, to, transport, bytes: Buffer.from(b64, 'base64'), cut: false };
};

/** A JSON object a line: `t` (seconds), `src` and `dst` (`ip:port`), `proto`, `b64` (the message). */
export const readTimeline = function* (intake: Intake, drop: Drop): Generator<CapturedMessage> {
  for (let line = intake.line(MAX_LINE_BYTES); line !== undefined; line = intake.line(MAX_LINE_BYTES)) {
    const text = line.text.trim();
    if (text === '' || text === '\ufeff') continue;
    const message = line.cut ? undefined : messageOf(text);
    if (message === undefined) drop('timeline-line');
    else yield message;
  }
};
