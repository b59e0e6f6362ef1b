import type { AuthResult, Outcome } from '../model/index.ts';
import { grantedSeconds } from '../protocol/index.ts';
import type { ExchangeMarks } from '../protocol/index.ts';
import type { Exchange, ReplyArrival } from './arrival.ts';
import { Recent } from './recent.ts';

/** Replies that a server gives only after it has let the credentials through: somebody exists who does not answer. */
const BEYOND_AUTHENTICATION = new Set([480, 486, 487, 600, 603]);

/**
 * What a final reply says about the credentials of its request. Without any it says nothing: 401 and 407 are the ordinary
 * challenge. Servers that answer 403 to a wrong password are many; to somebody who has authenticated it means that this
 * call is not allowed.
 */
const authResultOf = (
  { method, authUser, origin }: Exchange,
  { code, stale }: ExchangeMarks,
  isTrusted: () => boolean,
): AuthResult | undefined => {
  if (authUser === '') return undefined;
  if (code < 300) return 'ok';
  if (BEYOND_AUTHENTICATION.has(code) && origin === 'own') return 'ok';
  if (code === 401 || code === 407) {
    if (stale || origin === 'foreign') return 'stale';
    return origin === 'own' ? 'wrong-password' : 'forged-nonce';
  }
  if (code === 403 && (method === 'REGISTER' || !isTrusted()))
    return origin === 'own' ? 'wrong-password' : 'forged-nonce';
  return code === 404 && method === 'REGISTER' ? 'unknown-user' : undefined;
};

/** What says nothing more: a challenge, a registration that was told of already, the server's answer to a ping. */
const isOrdinary = ({ method, target }: Exchange, { code }: ExchangeMarks, told: readonly Outcome[]): boolean =>
  code === 401 ||
  code === 407 ||
  (code < 300 && ((method === 'OPTIONS' && target === '') || told.some(({ type }) => type === 'registered')));

/**
 * The outcomes that a hook would have reported for a final reply, in the same terms.
 * @param isTrusted whether this user has authenticated from this address before
 */
export const outcomesOf = (
  exchange: Exchange,
  reply: ExchangeMarks,
  at: number,
  isTrusted: () => boolean,
): readonly Outcome[] => {
  const { source, method, authUser, fromUser, toUser, callId, origin } = exchange;
  const connected = source.transport !== 'udp';
  const tier = connected || origin === 'own' ? ('proven' as const) : ('spoofable' as const);
  const base = { kind: 'outcome' as const, at, node: 'capture', source };
  const claimed = method === 'REGISTER' ? toUser : fromUser;
  const outcomes: Outcome[] = [];
  const result = authResultOf(exchange, reply, isTrusted);
  if (result !== undefined) {
    // accepted, and the nonce is older than the capture: the server has looked whose it is
    const accepted = result === 'ok' && origin === 'unseen';
    outcomes.push({
      ...base,
      type: 'auth',
      tier: accepted ? 'proven' : tier,
      result,
      method,
      user: authUser,
      claimed,
      callId,
    });
  }
  if (method === 'REGISTER' && reply.code >= 200 && reply.code < 300) {
    const expiresSeconds = grantedSeconds(exchange.contact, exchange.expires, reply);
    if (expiresSeconds !== undefined)
      outcomes.push({ ...base, type: 'registered', tier: 'proven', user: claimed, expiresSeconds });
  }
  if (!isOrdinary(exchange, reply, outcomes))
    outcomes.push({
      ...base,
      type: 'reply',
      tier: connected || exchange.tier === 'proven' ? 'proven' : 'spoofable',
      code: reply.code,
      method,
      user: fromUser,
      target: exchange.target,
      callId,
    });
  return outcomes;
};

const MAX_CALLS = 20_000;
const MAX_TRIES = 50_000;
/** Who was let in does not come back so soon. */
const AGAIN_MS = 10_000;

const NO_MARKS = { contacts: [], expires: '', stale: false } as const;

interface Try {
  readonly exchange: Exchange;
  /** Empty without credentials. */
  readonly nonce: string;
  /** It followed another so soon that it answers a challenge of now: what it says is not out of date. */
  readonly prompt: boolean;
}

/**
 * What a server must have said that the capture did not hear, by what its clients did next: an ACK outside of the INVITE's
 * transaction acknowledges an answered call (RFC 3261 17.1.1.3), and who answers a challenge and comes back at once was
 * refused. The first answer may have been to a challenge of yesterday, as phones cache them, and says nothing. Whoever
 * forges one direction can feign it all: nothing here proves anything against anybody.
 */
export class UnheardReplies {
  readonly #calls = new Recent<{ readonly exchange: Exchange; readonly branch: string }>(MAX_CALLS);
  readonly #tries = new Recent<Try>(MAX_TRIES);

  /** @returns the reply to an earlier request that this one presupposes */
  before(exchange: Exchange, marks: ExchangeMarks): ReplyArrival | undefined {
    const { source, method, fromUser, callId, at } = exchange;
    const call = `${source.ip} ${callId}`;
    if (method === 'ACK') {
      const invite = marks.toTag === '' ? undefined : this.#calls.get(call);
      if (invite === undefined || invite.branch === marks.branch) return undefined;
      this.#calls.delete(call);
      return this.#replied(invite.exchange, at, { ...marks, ...NO_MARKS, code: 200, nonce: '' });
    }
    if (marks.toTag !== '') return undefined;
    if (method === 'INVITE') this.#calls.set(call, { exchange, branch: marks.branch });
    // a caller answers a challenge for each of its calls, a phone one for its registration
    const key = `${source.ip} ${method} ${fromUser}${method === 'REGISTER' ? '' : ` ${callId}`}`;
    const last = this.#tries.get(key);
    const prompt = last !== undefined && at - last.exchange.at <= AGAIN_MS;
    this.#tries.set(key, { exchange, nonce: marks.nonce, prompt });
    if (!prompt || last.nonce === '' || last.nonce === marks.nonce || !last.prompt) return undefined;
    return this.#replied(last.exchange, at, { ...marks, ...NO_MARKS, code: 401, nonce: '' });
  }

  #replied(exchange: Exchange, at: number, reply: ExchangeMarks): ReplyArrival {
    const outcomes = outcomesOf(exchange, reply, at, () => false);
    return {
      kind: 'reply',
      at,
      exchange,
      outcomes: reply.code < 300 ? outcomes : outcomes.map((outcome) => ({ ...outcome, tier: 'spoofable' as const })),
      wantsAck: false,
    };
  }
}
