import { identityOf, provenTransport } from '../model/index.ts';
import type { ProofTier, SipView, Source } from '../model/index.ts';
import {
  classifyKeepAlive,
  isParseFault,
  inspectRequest,
  parseSip,
  readExchangeMarks,
  viewOf,
} from '../protocol/index.ts';
import type { CapturedMessage, Drop, ExchangeMarks } from '../protocol/index.ts';
import type { Arrival, Exchange, NonceOrigin, OtherArrival } from './arrival.ts';
import { UnheardReplies, outcomesOf } from './outcomes.ts';
import { Recent } from './recent.ts';
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
  readonly exchange: Exchange;
  copies: number;
}

type SipMessage = Exclude<ReturnType<typeof parseSip>, { fault: unknown }>;

/** Detached from the text of its message. */
const own = (text: string): string => (text === '' ? text : Buffer.from(text).toString());

const exchangeOf = (
  { at }: CapturedMessage,
  source: Source,
  tier: ProofTier,
  sip: SipView,
  origin: NonceOrigin,
  marks: ExchangeMarks,
): Exchange => {
  const isRegister = sip.method === 'REGISTER';
  return {
    at,
    source,
    tier,
    method: sip.method,
    authUser: sip.authUser,
    fromUser: sip.from.user,
    toUser: sip.to.user,
    target: sip.requestUser,
    callId: sip.callId,
    contact: isRegister ? own(sip.contact) : '',
    expires: isRegister ? own(marks.expires) : '',
    origin,
  };
};

/** CSeq tells an INVITE from its CANCEL, which have the same branch (RFC 3261 9.1). */
const keyOf = (ip: string, { callId, cseq, branch }: ExchangeMarks): string => `${ip} ${cseq} ${branch} ${callId}`;

const dialogOf = (callId: string, a: string, b: string): string =>
  a < b ? `${a} ${b} ${callId}` : `${b} ${a} ${callId}`;

/** RFC 3261 10.2 and 11.2: no registration does, and no ping; they are most of what is accepted. */
const setsUpDialog = (method: string): boolean => method !== 'REGISTER' && method !== 'OPTIONS';

/** Turns the messages of a capture into what a door would have reported, whatever the policy. */
export const createArrivals = (servers: Servers, drop: Drop): ((message: CapturedMessage) => Arrival | undefined) => {
  const transactions = new Recent<Transaction>(MAX_TRANSACTIONS);
  /** To which address each challenge went. */
  const nonces = new Recent<string>(MAX_NONCES);
  const dialogs = new Recent<true>(MAX_DIALOGS);
  const trusted = new Recent<true>(MAX_TRUSTED);
  const identities = new Recent<string>(10_000);
  const unheardReplies = new UnheardReplies();

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
    const marks = readExchangeMarks(parsed);
    // where the server was not heard nobody can say whose nonce it is: whoever answers is believed to have been asked
    const unheard = servers.isUnheard(message.to.ip);
    const origin = unheard && marks.hasCredentials ? 'own' : originOf(marks.nonce, source.ip);
    const bound = marks.hasCredentials && origin === 'own';
    const inDialog = marks.toTag !== '' && dialogs.get(dialogOf(marks.callId, marks.fromTag, marks.toTag)) === true;
    const key = keyOf(source.ip, marks);
    const known = marks.branch === '' ? undefined : transactions.get(key);
    const again =
      known !== undefined && at - known.exchange.at <= COPIES_MS && known.exchange.source.port === source.port;
    const isCopy = again && known.copies < MAX_COPIES;
    const tier = (bound && !unheard) || provenTransport(transport) ? 'proven' : 'spoofable';
    const exchange = isCopy ? known.exchange : exchangeOf(message, source, tier, sip, origin, marks);
    if (isCopy) known.copies += 1;
    else if (sip.method !== 'ACK') transactions.set(key, { exchange, copies: again ? MAX_COPIES : 0 });
    const presupposes = unheard && !isCopy ? unheardReplies.before(exchange, marks) : undefined;
    if (presupposes !== undefined && sip.method === 'ACK')
      dialogs.set(dialogOf(marks.callId, marks.fromTag, marks.toTag), true);
    return {
      kind: 'request',
      at,
      source,
      sip,
      sizeBytes: bytes.length,
      cut,
      credentials: marks.hasCredentials ? (bound ? 'bound' : 'unbound') : 'none',
      tier,
      inDialog,
      inspect: () => inspectRequest(parsed, transport, cut),
      exchange,
      copy: isCopy,
      presupposes,
    };
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

  const onReply = ({ at, from, to }: CapturedMessage, head: ExchangeMarks): Arrival | undefined => {
    servers.heard(from.ip);
    if (head.code < 200) return undefined;
    const key = keyOf(to.ip, head);
    const transaction = transactions.get(key);
    if (transaction === undefined) {
      drop('stray-reply');
      return undefined;
    }
    const { exchange } = transaction;
    if (head.nonce !== '') nonces.set(own(head.nonce), to.ip);
    // a copy of the request that comes after its answer is a request again, as for a server that answers statelessly
    transactions.delete(key);
    if (head.code < 300 && head.toTag !== '' && setsUpDialog(exchange.method))
      dialogs.set(dialogOf(head.callId, head.fromTag, head.toTag), true);
    const who = `${to.ip} ${exchange.authUser}`;
    const outcomes = outcomesOf(exchange, head, at, () => trusted.get(who) === true);
    if (outcomes.some((outcome) => outcome.type === 'auth' && outcome.result === 'ok')) trusted.set(who, true);
    const wantsAck = exchange.method === 'INVITE' && head.code >= 300;
    return { kind: 'reply', at, exchange, outcomes, wantsAck };
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
    if (direction === 'out' && isSip && !isRequest) return onReply(message, readExchangeMarks(parsed));
    drop(isSip ? 'own-traffic' : 'not-sip');
    return undefined;
  };
};
