import { canonicalIp, identityOf, provenTransport } from '../model/index.ts';
import type { AuthResult, Outcome, PartyView, ProofTier, Request, SipView, Source, Violation } from '../model/index.ts';
import { inspectRequest, isParseFault, isSipFault, parseSip, redactMessage, viewOf } from '../protocol/index.ts';
import type { UpFrame } from '../protocol/index.ts';

type AskFrame = Extract<UpFrame, { kind: 'ask' | 'tell' }>;
type OutcomeFrame = Extract<UpFrame, { kind: 'auth' | 'registered' | 'reply' | 'unacknowledged' | 'parse-error' }>;

/**
 * Kamailio's auth_check return codes (measured on 5.6.3 with source-bound nonces). 1, -2, -3 and -8 are only reached
 * after the nonce was found to be bound to the source address, so they prove the address over UDP as well.
 */
const AUTH_RESULTS: Readonly<Record<number, { readonly result: AuthResult; readonly bound: boolean }>> = {
  1: { result: 'ok', bound: true },
  [-1]: { result: 'forged-nonce', bound: false },
  [-2]: { result: 'wrong-password', bound: true },
  [-3]: { result: 'unknown-user', bound: true },
  [-4]: { result: 'stale', bound: false },
  [-6]: { result: 'nonce-reused', bound: false },
  [-8]: { result: 'user-mismatch', bound: true },
};

/** The code that stands for a result, for outcomes that came without one. */
export const authCodeOf = (result: AuthResult): number =>
  Number(Object.entries(AUTH_RESULTS).find(([, known]) => known.result === result)?.[0]);

const sourceOf = (frame: {
  readonly ip: string;
  readonly port: number;
  readonly transport: Source['transport'];
}): Source | undefined => {
  const ip = canonicalIp(frame.ip);
  return ip === undefined ? undefined : { ip, identity: identityOf(ip), port: frame.port, transport: frame.transport };
};

/** What proves that a message came from where it says: a connection, or a nonce bound to the address. */
export const tierOf = (source: Source, bound: boolean): ProofTier =>
  bound || provenTransport(source.transport) ? 'proven' : 'spoofable';

const NOBODY: PartyView = { display: '', user: '', host: '', tag: '' };

/** What is known of a message that is none to us. */
const NOTHING_READ: SipView = {
  method: '',
  requestUri: '',
  requestUser: '',
  requestHost: '',
  from: NOBODY,
  to: NOBODY,
  callId: '',
  cseq: -1,
  userAgent: '',
  userAgents: [],
  contact: '',
  viaBranch: '',
  authUser: '',
  headers: [],
  bodyStart: '',
  tricks: [],
};

/** The server hands over what it has parsed itself: whoever makes it read what we cannot is let through by nobody. */
const UNREADABLE: readonly Violation[] = [{ rule: 'unreadable', severity: 'critical', offset: 0 }];

/**
 * An ask that we cannot read is a request all the same: its source has a standing, and a bare `allow` would be a way past
 * everything. Without any bytes (a script that sends no message) nothing is held against it.
 * @returns the request, or why there is none ('address'; for what is only told also what the SIP reader says)
 */
export const requestOf = (frame: AskFrame, at: number): Request | string => {
  const source = sourceOf(frame);
  if (source === undefined) return 'address';
  const { cut } = frame;
  const message = parseSip(frame.raw);
  const sip = isParseFault(message) ? message : viewOf(message);
  const fault = isSipFault(sip) ? sip.fault : undefined;
  // what is only told has passed already
  if (frame.kind !== 'ask' && fault !== undefined) return fault;
  const inspected =
    isParseFault(message) || fault !== undefined
      ? { violations: frame.raw.length === 0 ? [] : UNREADABLE, unreadable: fault ?? 'not-sip' }
      : frame.kind === 'ask'
        ? inspectRequest(message, source.transport, cut)
        : {};
  return {
    kind: 'request',
    at,
    node: frame.node,
    source,
    tier: tierOf(source, frame.credentials === 'bound'),
    credentials: frame.credentials,
    standing: frame.standing,
    sip: isSipFault(sip) ? NOTHING_READ : sip,
    sizeBytes: frame.sizeBytes,
    cut,
    ...inspected,
    sample: () => redactMessage(frame.raw),
  };
};

/** @returns the outcome, or why there is none ('address', 'auth-code') */
export const outcomeOf = (frame: OutcomeFrame, at: number): Outcome | string => {
  const source = sourceOf(frame);
  if (source === undefined) return 'address';
  const base = { kind: 'outcome' as const, at, node: frame.node, source };
  switch (frame.kind) {
    case 'auth': {
      const auth = AUTH_RESULTS[frame.rc];
      if (auth === undefined) return 'auth-code';
      const { method, user, claimed, callId } = frame;
      return {
        ...base,
        type: 'auth',
        tier: tierOf(source, auth.bound),
        result: auth.result,
        method,
        user,
        claimed,
        callId,
      };
    }
    case 'registered':
      // the registrar saves a binding only after authentication, whose nonce was bound to the source
      return { ...base, type: 'registered', tier: 'proven', user: frame.user, expiresSeconds: frame.expiresSeconds };
    case 'reply': {
      const { code, method, user, target, callId } = frame;
      return { ...base, type: 'reply', tier: tierOf(source, false), code, method, user, target, callId };
    }
    case 'unacknowledged': {
      const { callId, acked } = frame;
      return { ...base, type: 'unacknowledged', tier: tierOf(source, false), callId, acked };
    }
    case 'parse-error':
      return {
        ...base,
        type: 'parse-error',
        tier: tierOf(source, false),
        bytes: frame.bytes,
        sizeBytes: frame.sizeBytes,
      };
  }
};

/**
 * A message that the server could parse and we could not: told as garbage, so that being unreadable hides nobody.
 * @returns undefined when not even the address can be read
 */
export const unreadableOf = (frame: AskFrame, at: number): Outcome | undefined => {
  const source = sourceOf(frame);
  if (source === undefined) return undefined;
  const tier = tierOf(source, frame.credentials === 'bound');
  return {
    kind: 'outcome',
    type: 'parse-error',
    at,
    node: frame.node,
    source,
    tier,
    bytes: frame.raw.subarray(0, 256),
    sizeBytes: frame.sizeBytes,
  };
};
