import { EXAMPLE_CONFIG } from './layout.ts';
import type { Layout } from './layout.ts';
import type { LineAddresses } from './ports.ts';
import { LabError } from '../problem.ts';
import type { SipEndpoint } from './sip-endpoint.ts';
import { TRANSPORT_DEFINES } from './transport.ts';
import type { HookTransport } from './transport.ts';

const DOMAIN = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

/** What users are registered under: the domain of their addresses, and the realm of their passwords. */
export interface Domain {
  /** As it stands in a SIP URI. */
  readonly host: string;
  readonly realm: string;
}

/**
 * The address itself unless a name is given, so that phones that register at the address work.
 * @throws LabError
 */
export const chooseDomain = (name: string | undefined, sip: SipEndpoint): Domain => {
  if (name === undefined) return { host: sip.host, realm: sip.ip };
  if (!DOMAIN.test(name)) throw new LabError(`--domain ${name.slice(0, 80)} is not a domain name.`);
  return { host: name, realm: name };
};

/** The lab's own part of Kamailio's configuration: the knobs of the example, then the example as it is shipped. */
export const kamailioConfig = (
  layout: Layout,
  sip: SipEndpoint,
  domain: Domain,
  line: LineAddresses,
  transport: HookTransport,
): string => `#!KAMAILIO
# Written by the lab.
#!define SIP_ADDRESS ${sip.host}
#!define SIP_PORT ${sip.port}
#!define SIP_DOMAIN ${domain.host}
#!define COMPANION_REALM ${domain.realm}
#!define DATABASE "sqlite:///${layout.database}"
#!define COMPANION_NODE kamailio
#!define COMPANION_HOST ${line.host}
#!define COMPANION_ASK_PORT ${line.ask}
#!define COMPANION_TELL_PORT ${line.tell}
#!define COMPANION_CONTROL_HOST ${line.host}
#!define COMPANION_CONTROL_PORT ${line.control}
#!define COMPANION_RPC_PORT ${line.rpc}
#!define COMPANION_EVAPI_BIND "${line.host}:${line.evapi}"
#!define COMPANION_HTTP_URL http://${line.host}:${line.http}
${TRANSPORT_DEFINES[transport]}
include_file "${layout.secrets}"
include_file "${EXAMPLE_CONFIG}"
`;
