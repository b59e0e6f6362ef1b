/** The transports a SIP server reports (`$proto` in Kamailio). */
export type Transport = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss' | 'sctp';

/**
 * How much an observation proves about who sent it.
 * `proven`: a connection (TCP, TLS, WS), or a UDP source that returned something bound to its own address.
 * `spoofable`: any other UDP datagram, whatever it contains. It may throttle and quarantine, never ban.
 */
export type ProofTier = 'proven' | 'spoofable';

/** Who sent it, as the SIP server saw it. */
export interface Source {
  /** Canonical text: dotted IPv4, or compressed lower-case IPv6 without brackets. */
  readonly ip: string;
  /** What states and counters hang on: the IPv4 address, or the IPv6 /64 as `2001:db8:1:2::/64`. */
  readonly identity: string;
  readonly port: number;
  readonly transport: Transport;
}

/** A transport that needed a handshake proves its source address. */
export const provenTransport = (transport: Transport): boolean => transport !== 'udp';
