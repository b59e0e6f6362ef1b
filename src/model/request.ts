import type { ProofTier, Source } from './source.ts';
import type { EpochMs } from './time.ts';
import type { Exploit } from './contracts/exploit.ts';
import type { Violation } from './contracts/validity.ts';

/** One header line as it stood on the wire (name as written, value unfolded), in order. */
export interface HeaderLine {
  readonly name: string;
  readonly value: string;
}

/** A From or To header, taken apart. Missing parts are empty strings. */
export interface PartyView {
  readonly display: string;
  readonly user: string;
  readonly host: string;
  readonly tag: string;
}

/**
 * What detectors may read of a SIP request. Text is attacker's text: bounded in length (see `protocol/sip`),
 * not trusted, escaped where it is shown. Missing values are empty strings, a missing CSeq number is -1.
 */
export interface SipView {
  readonly method: string;
  readonly requestUri: string;
  readonly requestUser: string;
  readonly requestHost: string;
  readonly from: PartyView;
  readonly to: PartyView;
  readonly callId: string;
  readonly cseq: number;
  readonly userAgent: string;
  /** Every User-Agent value in wire order, unfolded, at most four: a second one must not hide the first. */
  readonly userAgents: readonly string[];
  readonly contact: string;
  readonly viaBranch: string;
  /** Username of the Authorization or Proxy-Authorization header; empty without credentials. */
  readonly authUser: string;
  readonly headers: readonly HeaderLine[];
  /** First bytes of the body, for SDP marks. */
  readonly bodyStart: string;
  /**
   * How the message tried to be read differently by different readers, in our own stable words: `space-before-colon`,
   * `duplicate-from`, `duplicate-to`, `duplicate-call-id`, `duplicate-cseq`, `duplicate-user-agent`,
   * `folded-user-agent` and `folded-` with any other header that stands once, `encoded-user`, `lf-only`.
   */
  readonly tricks: readonly string[];
}

/** Credentials in the request: none, answered on a nonce bound to this very source address, or anything else. */
export type Credentials = 'none' | 'bound' | 'unbound';

/** Why the server consulted or told us, i.e. what it took the sender for. */
export type Standing = 'stranger' | 'good' | 'in-dialog' | 'quarantined' | 'throttled' | 'over-budget' | 'dropped';

/** A SIP request at any door: hook, HEP, proxy, replay. */
export interface Request {
  readonly kind: 'request';
  readonly at: EpochMs;
  /** Name of the SIP server that saw it. */
  readonly node: string;
  readonly source: Source;
  readonly tier: ProofTier;
  readonly credentials: Credentials;
  readonly standing: Standing;
  readonly sip: SipView;
  /** Size of the whole request on the wire. */
  readonly sizeBytes: number;
  /** True when the door could not hand over the whole message. */
  readonly cut: boolean;
  /** Rules of the standard that the message breaks; undefined where nobody looked (what is only told). */
  readonly violations?: readonly Violation[] | undefined;
  /** Why nothing of the message could be read, though the server did; its view is empty then. */
  readonly unreadable?: string | undefined;
  /** Virtual patches that the message fits, on or not; undefined where nobody looked. */
  readonly exploits?: readonly Exploit[] | undefined;
  /** The message without its secrets, at most 2 KB: redacted when called, which is before anybody keeps it. */
  readonly sample?: (() => string) | undefined;
}
