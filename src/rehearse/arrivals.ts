import { LRUCache } from 'lru-cache';
import { identityOf, provenTransport } from '../model/index.ts';
import type { Source } from '../model/index.ts';
import {
  classifyKeepAlive,
  isParseFault,
  parseSip,
  readCredentials,
  readReplyHead,
  viewOf,
} from '../protocol/index.ts';
import type { CapturedMessage, Drop, ReplyHead } from '../protocol/index.ts';
import type { Arrival, OtherArrival, RequestArrival } from './arrival.ts';
import { outcomesOf } from './outcomes.ts';
import type { NonceOrigin } from './outcomes.ts';
import type { Servers } from './servers.ts';

/** Requests that wait for a reply, challenges, dialogs and users who authenticated: the oldest make room. */
const MAX_TRANSACTIONS = 100_000;
const MAX_NONCES = 100_000;
const MAX_DIALOGS = 100_000;
const MAX_TRUSTED = 100_000;

/** RFC 3261 17.1: how often a client repeats a request, and for how long. More than that is no retransmission. */
const MAX_COPIES = 10;
const COPIES_MS = 32_000;

/** A parse error is judged by its first bytes, as the hook reports it. */
const GARBAGE_BYTES = 256;

interface Transaction {
  readonly request: RequestArrival;
  readonly nonce: string;
  copies: number;
  answered: boolean;
}

type SipMessage = Exclude<ReturnType<typeof parseSip>, { fault: unknown }>;

const keyOf = (ip: string, callId: string, cseq: number, method: string, branch: string): string =>
  `${ip} ${cseq} ${method} ${branch} ${callId}`;

const dialogOf = (callId: string, a: string, b: string): string =>
  a < b ? `${a} ${b} ${callId}` : `${b} ${a} ${callId}`;

/** Turns the messages of a capture into what a door would have reported, whatever the policy. */
export const createArrivals = (servers: Servers, drop: Drop): ((message: CapturedMessage) => Arrival | undefined) => {
  const transactions = new LRUCache<string, Transaction>({ max: MAX_TRANSACTIONS });
  /** To which address each challenge went. */
  const nonces = new LRUCache<string, string>({ max: MAX_NONCES });
  const dialogs = new LRUCache<string, true>({ max: MAX_DIALOGS });
  const trusted = new LRUCache<string, true>({ max: MAX_TRUSTED });
  const identities = new LRUCache<string, string>({ max: 10_000 });

  const sourceOf = ({ from: { ip, port }, transport }: CapturedMessage): Source => {
    if (!ip.includes(':')) return { ip, identity: ip, port, transport };
    let identity = identities.get(ip);
    if (identity === undefined) {
      identity = identityOf(ip);
      identities.set(ip, identity);
    }
    return { ip, identity, port, transport };
  };

  const originOf = (nonce: string, ip: string): NonceOrigin => {
    const owner = nonce === '' ? undefined : nonces.get(nonce);
    return owner === undefined ? 'unseen' : owner === ip ? 'own' : 'foreign';
  };

  const onRequest = (message: CapturedMessage, parsed: SipMessage): Arrival | undefined => {
    const sip = viewOf(parsed);
    if ('fault' in sip) return onGarbage(message);
    servers.received(message.to);
    const { at, bytes, cut, transport } = message;
    const source = sourceOf(message);
    const { present, nonce } = readCredentials(parsed);
    const bound = present && originOf(nonce, source.ip) === 'own';
    const inDialog = sip.to.tag !== '' && dialogs.has(dialogOf(sip.callId, sip.from.tag, sip.to.tag));
    const key = keyOf(source.ip, sip.callId, sip.cseq, sip.method, sip.viaBranch);
    const known = sip.viaBranch === '' ? undefined : transactions.get(key);
    const isCopy =
      known !== undefined &&
      !known.answered &&
      known.copies < MAX_COPIES &&
      at - known.request.at <= COPIES_MS &&
      known.request.source.port === source.port;
    const request: RequestArrival = {
      kind: 'request',
      at,
      source,
      sip,
      sizeBytes: bytes.length,
      cut,
      credentials: present ? (bound ? 'bound' : 'unbound') : 'none',
      tier: bound || provenTransport(transport) ? 'proven' : 'spoofable',
      inDialog,
      copyOf: isCopy ? known.request : undefined,
    };
    if (isCopy) known.copies += 1;
    else if (sip.method !== 'ACK') transactions.set(key, { request, nonce, copies: 0, answered: false });
    return request;
  };

  const onGarbage = (message: CapturedMessage): OtherArrival | undefined => {
    const { at, bytes, transport } = message;
    // other traffic of the machine: media, name lookups
    if (!servers.listens(message.to)) {
      drop('not-sip');
      return undefined;
    }
    const source = sourceOf(message);
    const tier = provenTransport(transport) ? ('proven' as const) : ('spoofable' as const);
    const garbage = { bytes: Buffer.from(bytes.subarray(0, GARBAGE_BYTES)), sizeBytes: bytes.length };
    const base = { kind: 'outcome' as const, type: 'parse-error' as const, at, node: 'capture', source, tier };
    return { kind: 'other', at, source, outcome: { ...base, ...garbage } };
  };

  const onReply = ({ at, to }: CapturedMessage, head: ReplyHead): Arrival | undefined => {
    if (head.code < 200) return undefined;
    const transaction = transactions.get(keyOf(to.ip, head.callId, head.cseq, head.method, head.branch));
    if (transaction === undefined) {
      drop('stray-reply');
      return undefined;
    }
    const { request, nonce } = transaction;
    if (head.nonce !== '') nonces.set(head.nonce, to.ip);
    if (transaction.answered) return undefined;
    transaction.answered = true;
    if (head.code < 300 && head.toTag !== '') dialogs.set(dialogOf(head.callId, head.fromTag, head.toTag), true);
    const who = `${to.ip} ${request.sip.authUser}`;
    const outcomes = outcomesOf(request, head, at, originOf(nonce, to.ip), trusted.has(who));
    if (outcomes.some((outcome) => outcome.type === 'auth' && outcome.result === 'ok')) trusted.set(who, true);
    return { kind: 'reply', at, request, outcomes };
  };

  return (message) => {
    if (classifyKeepAlive(message.bytes) !== undefined) {
      drop('keep-alive');
      return undefined;
    }
    const parsed = parseSip(message.bytes);
    const isSip = !isParseFault(parsed);
    const isRequest = isSip && parsed.start.kind === 'request';
    let direction = servers.direction(message);
    if (direction === 'none' && isRequest && parsed.start.kind === 'request') {
      const { method } = parsed.start;
      const initial = method !== 'ACK' && method !== 'CANCEL' && method !== 'BYE';
      if (initial && servers.learn(message.to)) direction = 'in';
    }
    if (direction === 'none') {
      drop(isSip ? 'other-traffic' : 'not-sip');
      return undefined;
    }
    if (direction === 'in') {
      if (isParseFault(parsed)) return onGarbage(message);
      if (isRequest) return onRequest(message, parsed);
      return { kind: 'other', at: message.at, source: sourceOf(message), outcome: undefined };
    }
    if (direction === 'out' && isSip && !isRequest) return onReply(message, readReplyHead(parsed));
    drop(isSip ? 'own-traffic' : 'not-sip');
    return undefined;
  };
};
