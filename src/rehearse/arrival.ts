import type { Credentials, EpochMs, Outcome, ProofTier, SipView, Source } from '../model/index.ts';

/** A request that the server received, with what the rest of the capture tells about it. */
export interface RequestArrival {
  readonly kind: 'request';
  readonly at: EpochMs;
  readonly source: Source;
  readonly sip: SipView;
  readonly sizeBytes: number;
  readonly cut: boolean;
  readonly credentials: Credentials;
  readonly tier: ProofTier;
  /** It belongs to a dialog that was seen to be set up. */
  readonly inDialog: boolean;
  /** The request that this is a retransmission of. */
  readonly copyOf: RequestArrival | undefined;
}

/** The server's final reply to a request, as what the hook would have reported. */
export interface ReplyArrival {
  readonly kind: 'reply';
  readonly at: EpochMs;
  readonly request: RequestArrival;
  readonly outcomes: readonly Outcome[];
}

/** Something else that a source sent to the server: a reply, or bytes that are not SIP (with their outcome). */
export interface OtherArrival {
  readonly kind: 'other';
  readonly at: EpochMs;
  readonly source: Source;
  readonly outcome: Outcome | undefined;
}

export type Arrival = RequestArrival | ReplyArrival | OtherArrival;
