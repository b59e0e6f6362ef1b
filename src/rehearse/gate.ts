import { LRUCache } from 'lru-cache';
import type { EpochMs, Facts, Standing } from '../model/index.ts';
import type { Ledger } from '../decide/index.ts';
import type { Received } from './arrival.ts';

/** The knobs of kamailio/companion.cfg with the same names, at their defaults. */
export const SERVER_LIMITS = {
  asksPerSecond: 300,
  askBytes: 5_000,
  challengesPerSecond: 4_000,
  provingPerSecond: 20,
  goodPerSecond: 200,
  callsPerSecond: 50,
} as const;

/** What is counted by the second, and the accounts that pay for challenges; both are forgotten when they are old. */
const MAX_ACCOUNTS = 100_000;
const ACCOUNT_MS = 60_000;
/** Bytes of a challenge besides the headers that it repeats. */
const CHALLENGE_BYTES = 360;
const MAX_CREDIT_BYTES = 100_000_000;

/** What the server's own tables say of a request, before companion hears of it. */
export type Gate =
  /** Nobody is told: dropped before the parser, over a rate, or served without a question. */
  | { readonly kind: 'blocked' | 'dropped' | 'challenged' | 'unanswered' | 'served' }
  /** Companion is told, and the server does this in any case. */
  | { readonly kind: 'tell'; readonly standing: Standing; readonly does: 'served' | 'challenged' | 'unanswered' }
  /** Companion decides. */
  | { readonly kind: 'ask' };

type Challenge = 'challenged' | 'unanswered';

/**
 * The server's part of the protection, as `kamailio/companion/request.cfg` does it from its tables: here the ledger
 * itself stands for them. Chance is a parameter.
 */
export const createGate = (
  ledger: Ledger,
  random: () => number,
): ((arrival: Received, list: Facts['list']) => Gate) => {
  // by size, not by number: tables grow with what is in them, and a case of one message is judged in no time
  const capped = { maxSize: MAX_ACCOUNTS, sizeCalculation: () => 1 };
  const accounts = new LRUCache<string, { bytes: number; at: EpochMs }>(capped);
  const lastTries = new LRUCache<string, EpochMs>(capped);
  let second = -1;
  let counts = new Map<string, number>();
  let before = new Map<string, number>();

  const tick = (at: EpochMs): void => {
    const now = Math.floor(at / 1_000);
    if (now === second) return;
    before = now === second + 1 ? counts : new Map<string, number>();
    counts = new Map<string, number>();
    second = now;
  };
  const count = (key: string): number => {
    const next = (counts.get(key) ?? 0) + 1;
    counts.set(key, next);
    return next;
  };
  /** True for about `limit` of them in a second, whichever. */
  const chosen = (key: string, limit: number): boolean => {
    const rate = Math.max(count(key), before.get(key) ?? 0);
    return rate <= limit || random() * rate < limit;
  };

  /** Never more bytes out than came in: what a source sent pays for what it gets. */
  const challenge = ({ at, source, sip, sizeBytes }: Received, account: string): Challenge => {
    if (source.transport !== 'udp') return 'challenged';
    const may = chosen('challenges', SERVER_LIMITS.challengesPerSecond);
    let credit = accounts.get(account);
    if (credit === undefined || at - credit.at > ACCOUNT_MS) credit = { bytes: 0, at };
    credit.at = at;
    credit.bytes = Math.min(MAX_CREDIT_BYTES, credit.bytes + sizeBytes);
    accounts.set(account, credit);
    let price = CHALLENGE_BYTES + sip.callId.length + String(sip.cseq).length + 1 + sip.method.length;
    for (const { name, value } of sip.headers) if (/^(?:via|v|from|f|to|t)$/i.test(name)) price += value.length;
    if (!may || credit.bytes <= price) return 'unanswered';
    credit.bytes -= price;
    return 'challenged';
  };

  const isGoodPort = (identity: string, ip: string, port: number): boolean => {
    if (!ledger.hasGood(identity)) return false;
    for (const good of ledger.goodOf(identity)) if (good.ip === ip && good.port === port) return true;
    return false;
  };

  /** This user guesses, or has a wrong password, at this source or this port of it: one attempt in so many seconds. */
  const waits = ({ at, source, sip }: Received): boolean => {
    for (const place of ['*', source.port]) {
      const key = `throttle-user ${source.identity} ${place} ${sip.authUser}`;
      const entry = ledger.get(key);
      if (entry?.kind !== 'throttle-user') continue;
      const last = lastTries.get(key);
      if (last !== undefined && at - last < entry.intervalSeconds * 1_000) return true;
      lastTries.set(key, at);
      return false;
    }
    return false;
  };

  return (arrival, list) => {
    const { at, source, sip, credentials, sizeBytes } = arrival;
    const { ip, port, identity } = source;
    tick(at);
    if (list === 'allow') return { kind: 'served' };
    if ((list === 'deny' || ledger.ban(identity) !== undefined) && !isGoodPort(identity, ip, port))
      return { kind: 'blocked' };
    if (sip.method === 'ACK' || sip.method === 'CANCEL') return { kind: 'served' };
    if (arrival.inDialog) return { kind: 'tell', standing: 'in-dialog', does: 'served' };
    const isBound = credentials === 'bound';
    const { user } = sip.from;
    if (
      ledger.hasGood(identity) &&
      ledger.good(ip, port, user) !== undefined &&
      (sip.method !== 'REGISTER' || sip.to.user === user)
    ) {
      const key = `g ${ip} ${port} ${user}`;
      if (count(key) <= SERVER_LIMITS.goodPerSecond) return { kind: 'tell', standing: 'good', does: 'served' };
      return isBound ? { kind: 'served' } : { kind: challenge(arrival, key) };
    }
    if (isBound && waits(arrival)) return { kind: 'dropped' };
    if (ledger.quarantine(identity) !== undefined) {
      if (!isBound) return { kind: 'tell', standing: 'quarantined', does: challenge(arrival, identity) };
      return chosen(`pv ${identity}`, SERVER_LIMITS.provingPerSecond)
        ? { kind: 'tell', standing: 'quarantined', does: 'served' }
        : { kind: 'dropped' };
    }
    const throttle = ledger.throttle(identity);
    if (throttle !== undefined && !isBound && count(`t ${identity}`) > throttle.perSecond)
      return { kind: source.transport === 'udp' ? 'dropped' : challenge(arrival, 'all') };
    if (sizeBytes > SERVER_LIMITS.askBytes && !isBound) return { kind: 'dropped' };
    if (count('asks') > SERVER_LIMITS.asksPerSecond)
      return { kind: 'tell', standing: 'over-budget', does: isBound ? 'served' : challenge(arrival, 'all') };
    return { kind: 'ask' };
  };
};
