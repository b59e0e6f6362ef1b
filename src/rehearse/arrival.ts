import type { Credentials, EpochMs, Outcome, ProofTier, SipView, Source } from '../model/index.ts';
import type { Inspection } from '../protocol/index.ts';

/** How the nonce of credentials came to the sender: issued to that very address, to another, or before the capture. */
export type NonceOrigin = 'own' | 'foreign' | 'unseen';

/**
 * What has to be remembered of a request until its reply is there: no view of the message, which would hold all of its
 * bytes, a hundred thousand times.
 */
export interface Exchange {
  readonly at: EpochMs;
  readonly source: Source;
  readonly tier: ProofTier;
  readonly method: string;
  readonly authUser: string;
  readonly fromUser: string;
  readonly toUser: string;
  readonly target: string;
  readonly callId: string;
  /** Contact and Expires of a REGISTER. */
  readonly contact: string;
  readonly expires: string;
  readonly origin: NonceOrigin;
}

/** A request that the server received, with what is known of its credentials and its dialog. */
export interface Received {
  readonly at: EpochMs;
  readonly source: Source;
  readonly sip: SipView;
  readonly sizeBytes: number;
  readonly cut: boolean;
  readonly credentials: Credentials;
  readonly tier: ProofTier;
  /** It belongs to a dialog that was seen to be set up. */
  readonly inDialog: boolean;
  /** Looks the message over; left out where there is none (made-up traffic). */
  readonly inspect?: () => Inspection;
}

/** The same out of a capture. */
export interface RequestArrival extends Received {
  readonly kind: 'request';
  /** The same object for a request and its retransmissions. */
  readonly exchange: Exchange;
  readonly copy: boolean;
  /** The reply to an earlier request that was not captured, and without which this one would not have been sent. */
  readonly presupposes: ReplyArrival | undefined;
}

/** The server's final reply to a request, as what the hook would have reported. */
export interface ReplyArrival {
  readonly kind: 'reply';
  readonly at: EpochMs;
  readonly exchange: Exchange;
  readonly outcomes: readonly Outcome[];
  /** An INVITE was challenged or refused: its sender has to acknowledge that. */
  readonly wantsAck: boolean;
}

/** Something else that a source sent to the server: a reply, or bytes that are not SIP (with their outcome). */
export interface OtherArrival {
  readonly kind: 'other';
  readonly at: EpochMs;
  readonly source: Source;
  readonly outcome: Outcome | undefined;
}

export type Arrival = RequestArrival | ReplyArrival | OtherArrival;
