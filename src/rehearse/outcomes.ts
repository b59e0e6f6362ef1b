import type { AuthResult, Outcome } from '../model/index.ts';
import { grantedSeconds } from '../protocol/index.ts';
import type { ExchangeMarks } from '../protocol/index.ts';
import type { Exchange } from './arrival.ts';

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
