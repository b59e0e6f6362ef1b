import { readFileSync } from 'node:fs';
import { isSipFault, readSip } from '../../../src/protocol/index.ts';
import {
  canonicalIp,
  identityOf,
  provenTransport,
  type Outcome,
  type Request,
  type SipView,
  type Source,
  type Transport,
} from '../../../src/model/index.ts';

/** shared/ stands beside the checkout. */
export const SIP_DATA = new URL('../../../../shared/data/sip/', import.meta.url);

interface Line {
  readonly t: number;
  readonly src: string;
  readonly dst: string;
  readonly proto: Transport;
  readonly b64: string;
}

const sourceOf = (address: string, transport: Transport): Source => {
  const colon = address.lastIndexOf(':');
  const ip = canonicalIp(address.slice(0, colon)) ?? '';
  return { ip, identity: identityOf(ip), port: Number(address.slice(colon + 1)), transport };
};

/** Reads a header of a reply with the request reader, by giving it a request line. */
const readReply = (
  bytes: Buffer,
): { readonly code: number; readonly head: SipView; readonly nonce: string } | undefined => {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\r\n');
  const head = readSip(Buffer.from(`OPTIONS sip:reply SIP/2.0${text.slice(end)}`, 'latin1'));
  if (isSipFault(head)) return undefined;
  return { code: Number(text.slice(8, 11)), head, nonce: /nonce="([^"]*)"/.exec(text)?.[1] ?? '' };
};

const FINAL_NOT_FOUND = new Set([404, 480, 484, 486, 487, 600, 603, 604]);

/**
 * Turns a captured timeline into the events a door would report: requests as they were sent, outcomes from the replies.
 * Credentials are bound when their nonce came in a challenge to the same address. A 401, 407 or 403 to credentials is a
 * wrong password, a 200 to a REGISTER with credentials is a success, other final replies are reported as they are.
 */
export const readTrace = (name: string, change: (sip: SipView) => SipView = (sip) => sip): (Request | Outcome)[] => {
  const lines = readFileSync(new URL(`traces/${name}.jsonl`, SIP_DATA), 'utf8')
    .trim()
    .split('\n');
  const events: (Request | Outcome)[] = [];
  const nonces = new Map<string, Set<string>>();
  const pending = new Map<string, Request>();
  for (const { t, src, dst, proto, b64 } of lines.map((line) => JSON.parse(line) as Line)) {
    const bytes = Buffer.from(b64, 'base64');
    const at = t * 1_000;
    const sip = readSip(bytes);
    if (!isSipFault(sip)) {
      const source = sourceOf(src, proto);
      const nonce = /nonce="([^"]*)"/.exec(bytes.toString('latin1'))?.[1] ?? '';
      const bound = nonce !== '' && nonces.get(src)?.has(nonce) === true;
      const request: Request = {
        kind: 'request',
        at,
        node: 'trace',
        source,
        tier: provenTransport(proto) || bound ? 'proven' : 'spoofable',
        credentials: sip.authUser === '' ? 'none' : bound ? 'bound' : 'unbound',
        standing: sip.to.tag === '' ? 'stranger' : 'in-dialog',
        sip: change(sip),
        sizeBytes: bytes.length,
        cut: false,
      };
      events.push(request);
      pending.set(`${src} ${sip.callId} ${sip.cseq}`, request);
      continue;
    }
    const reply = sip.fault === 'reply' ? readReply(bytes) : undefined;
    const request = reply && pending.get(`${dst} ${reply.head.callId} ${reply.head.cseq}`);
    if (reply === undefined || request === undefined || reply.code < 200) continue;
    if (reply.nonce !== '') nonces.set(dst, (nonces.get(dst) ?? new Set()).add(reply.nonce));
    const { source, tier } = request;
    const { method, authUser: user, from, to, requestUser: target, callId } = request.sip;
    const base = { kind: 'outcome', at, node: 'trace', source, tier } as const;
    const claimed = method === 'REGISTER' ? to.user : from.user;
    if (user !== '' && [401, 403, 407].includes(reply.code)) {
      events.push({ ...base, type: 'auth', result: 'wrong-password', method, user, claimed, callId });
    } else if (user !== '' && reply.code < 300) {
      events.push({ ...base, type: 'auth', result: 'ok', method, user, claimed, callId });
      if (method === 'REGISTER') events.push({ ...base, type: 'registered', user: claimed, expiresSeconds: 3_600 });
    }
    if (reply.code < 300 || FINAL_NOT_FOUND.has(reply.code)) {
      events.push({ ...base, type: 'reply', code: reply.code, method, user: from.user, target, callId });
    }
  }
  return events;
};
