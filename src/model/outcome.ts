import type { ProofTier, Source } from './source.ts';
import type { EpochMs } from './time.ts';

/**
 * Digest outcomes, from Kamailio's auth return codes (measured on 5.6.3): 1 ok, -2 wrong-password, -3 unknown-user,
 * -4 stale (also: a nonce bound to another source), -6 replayed nonce, -8 user does not match the address of record,
 * -1 forged-nonce or broken credentials. "No credentials" (-5) is an ordinary first request and is never reported.
 */
export type AuthResult =
  | 'ok'
  | 'wrong-password'
  | 'unknown-user'
  | 'stale'
  | 'nonce-reused'
  | 'user-mismatch'
  | 'forged-nonce';

interface OutcomeBase {
  readonly kind: 'outcome';
  readonly at: EpochMs;
  readonly node: string;
  readonly source: Source;
  readonly tier: ProofTier;
}

export interface AuthOutcome extends OutcomeBase {
  readonly type: 'auth';
  readonly result: AuthResult;
  readonly method: string;
  /** Username in the credentials. */
  readonly user: string;
  /** User part of From (REGISTER: To), i.e. the address of record that was claimed. */
  readonly claimed: string;
  readonly callId: string;
}

/** A binding was saved; `expiresSeconds` is what the registrar granted, 0 for an un-REGISTER. */
export interface RegisteredOutcome extends OutcomeBase {
  readonly type: 'registered';
  readonly user: string;
  readonly expiresSeconds: number;
}

/** A final reply that came back for a request of this source. */
export interface ReplyOutcome extends OutcomeBase {
  readonly type: 'reply';
  readonly code: number;
  readonly method: string;
  /** User part of From of the request. */
  readonly user: string;
  /** User part of the Request-URI. */
  readonly target: string;
  readonly callId: string;
}

/**
 * A stranger's call was challenged or refused, and no ACK came within 32 s (RFC 3261 17.1.1.3, timer H). Told only by
 * servers that see ACKs, and only of the calls without one: what is lost on the way accuses nobody.
 */
export interface UnacknowledgedOutcome extends OutcomeBase {
  readonly type: 'unacknowledged';
  readonly callId: string;
  /** Calls of this source that were acknowledged lately, as the server counted them. */
  readonly acked: number;
}

/** Bytes that the server could not parse as SIP. */
export interface ParseErrorOutcome extends OutcomeBase {
  readonly type: 'parse-error';
  readonly bytes: Buffer;
  readonly sizeBytes: number;
}

/** What became of a request. */
export type Outcome = AuthOutcome | RegisteredOutcome | ReplyOutcome | UnacknowledgedOutcome | ParseErrorOutcome;
