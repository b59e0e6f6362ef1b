import type { EpochMs, Transport } from '../../model/index.ts';

export interface Endpoint {
  /** Canonical address. */
  readonly ip: string;
  readonly port: number;
}

/** One message as it stood on the wire: a datagram, or what a stream's framing cut out. */
export interface CapturedMessage {
  readonly at: EpochMs;
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly transport: Transport;
  readonly bytes: Buffer;
  /** The capture holds only the beginning of it. */
  readonly cut: boolean;
}

/** Told of everything that is not taken; `reason` is one of our own words. */
export type Drop = (reason: string) => void;
