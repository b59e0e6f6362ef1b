import { isIP } from 'node:net';
import { LabError } from '../problem.ts';

/** Where the lab's Kamailio listens. */
export interface SipEndpoint {
  /** Without brackets. */
  readonly ip: string;
  readonly port: number;
  /** As it stands in URIs and in Kamailio's configuration: IPv6 in brackets. */
  readonly host: string;
}

/**
 * `127.77.0.1:15060`, `[::1]:15060`; without a port 5060.
 * @throws LabError
 */
export const parseSipEndpoint = (text: string): SipEndpoint => {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const ip = (match?.[1] ?? match?.[2] ?? '').toLowerCase();
  const port = Number(match?.[3] ?? 5060);
  if (isIP(ip) !== (match?.[1] === undefined ? 4 : 6) || port < 1 || port > 65_535) {
    throw new LabError(
      `--sip ${text.slice(0, 80)} is not ADDRESS:PORT. Write for example 127.77.0.1:15060 or [::1]:15060.`,
    );
  }
  return { ip, port, host: match?.[1] === undefined ? ip : `[${ip}]` };
};
