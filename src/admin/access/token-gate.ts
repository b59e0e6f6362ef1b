import { timingSafeEqual } from 'node:crypto';
import { canonicalIp, identityOf } from '../../model/index.ts';
import type { Clock } from '../../model/index.ts';
import type { Scope } from '../routes/index.ts';
import { tokenHash } from './token-file.ts';
import type { StoredToken } from './token-file.ts';

/** Wrong tokens that one address may send in a window before it is told to wait. */
const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;

/** Addresses remembered; the oldest is forgotten first. Only failures are remembered. */
const MAX_ADDRESSES = 1_024;

const ALL_SCOPES: readonly Scope[] = ['read', 'operate', 'hook', 'admin'];

/** What became of a token: `wait` carries the seconds after which it is worth trying again. */
export type GateAnswer =
  | { readonly kind: 'open'; readonly name: string; readonly scopes: readonly Scope[] }
  | { readonly kind: 'refused' }
  | { readonly kind: 'wait'; readonly seconds: number };

export interface TokenGate {
  /** @param authorization the header's value @param address of the peer, as the socket reports it */
  judge(authorization: string | undefined, address: string): GateAnswer;
  failures(): number;
}

/**
 * Compares bearer tokens in constant time and limits failures per address. The right token always opens: all local
 * users share 127.0.0.1, so that a lock-out would let any of them shut out the monitoring. What makes guessing
 * hopeless is the token (at least 16 characters); the limit bounds what guessing costs us.
 * @param token the installation's own, which may do everything
 */
export const createTokenGate = (token: string, stored: () => readonly StoredToken[], clock: Clock): TokenGate => {
  const right = tokenHash(token);
  const failed = new Map<string, { count: number; readonly start: number }>();
  let failures = 0;

  const fail = (key: string): GateAnswer => {
    const now = clock.now();
    failures += 1;
    const known = failed.get(key);
    const record = known !== undefined && now - known.start < WINDOW_MS ? known : { count: 0, start: now };
    record.count += 1;
    if (record !== known) {
      failed.delete(key);
      failed.set(key, record);
      const oldest = failed.size > MAX_ADDRESSES ? failed.keys().next().value : undefined;
      if (oldest !== undefined) failed.delete(oldest);
    }
    if (record.count <= MAX_FAILURES) return { kind: 'refused' };
    return { kind: 'wait', seconds: Math.max(1, Math.ceil((record.start + WINDOW_MS - now) / 1_000)) };
  };

  const open = (given: string): GateAnswer | undefined => {
    const hash = tokenHash(given);
    if (timingSafeEqual(hash, right)) return { kind: 'open', name: 'installation', scopes: ALL_SCOPES };
    const known = stored().find(({ sha256 }) => timingSafeEqual(hash, Buffer.from(sha256, 'hex')));
    return known === undefined ? undefined : { kind: 'open', name: known.name, scopes: known.scopes };
  };

  return {
    judge: (authorization, address) => {
      const given = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(authorization?.slice(0, 600) ?? '')?.[1];
      const opened = given === undefined ? undefined : open(given);
      if (opened !== undefined) return opened;
      const ip = canonicalIp(address.split('%', 1)[0] ?? '');
      return fail(ip === undefined ? 'unknown' : identityOf(ip));
    },
    failures: () => failures,
  };
};
