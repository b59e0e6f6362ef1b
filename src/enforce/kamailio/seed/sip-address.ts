import { canonicalIp } from '../../../model/index.ts';
import type { Transport } from '../../../model/index.ts';

export interface SipAddress {
  readonly ip: string;
  readonly port: number;
  readonly transport: Transport;
}

const MAX_URI_CHARS = 1_024;
const TRANSPORTS: Readonly<Record<string, Transport>> = {
  udp: 'udp',
  tcp: 'tcp',
  tls: 'tls',
  ws: 'ws',
  wss: 'wss',
  sctp: 'sctp',
};

const portOf = (text: string | undefined, fallback: number): number | undefined => {
  if (text === undefined || text === '') return fallback;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port > 0 && port < 65_536 ? port : undefined;
};

/**
 * Address, port and transport that a SIP URI from Kamailio's own tables names.
 * @returns undefined for anything else, host names included: they are not resolved
 */
export const sipAddressOf = (uri: string): SipAddress | undefined => {
  if (uri.length > MAX_URI_CHARS) return undefined;
  const scheme = /^(sips?):/i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined) return undefined;
  const afterScheme = uri.slice(scheme.length + 1);
  const hostAndRest = afterScheme.slice(afterScheme.lastIndexOf('@') + 1);
  const [hostPort = '', ...parameters] = hostAndRest.split('?', 1).join('').split(';');
  const [, v6, v4, portText] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(hostPort) ?? [];
  const ip = canonicalIp(v6 ?? v4 ?? '');
  const named = parameters
    .find((parameter) => /^transport=/i.test(parameter))
    ?.slice('transport='.length)
    .toLowerCase();
  const transport = TRANSPORTS[named ?? (scheme === 'sips' ? 'tls' : 'udp')];
  const port = portOf(portText, transport === 'tls' || transport === 'wss' ? 5061 : 5060);
  return ip === undefined || port === undefined || transport === undefined ? undefined : { ip, port, transport };
};
