import { lookup as lookUp } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { Agent } from 'undici';
import type { Dispatcher } from 'undici';
import { canonicalIp, parseCidr } from '../model/index.ts';
import { withDeadline } from '../system/index.ts';
import { createProtection } from './sift/index.ts';

/** Connections to other people's servers. */
export interface Agents {
  /** To what the operator has configured. */
  readonly configured: Dispatcher;
  /** For where a configured URL redirects to: what it says must not choose what of our own network is asked. */
  redirectedFrom(url: string): Promise<Dispatcher>;
  destroy(): Promise<void>;
}

export interface AgentOptions {
  readonly lookup?: LookupFunction | undefined;
  /** Of this machine or its site, or nobody's. */
  readonly isInner?: ((ip: string) => boolean) | undefined;
}

const CONNECT_MS = 10_000;
const MAX_HEADER_BYTES = 16_384;
const PLAIN = {
  allowH2: false,
  connections: 4,
  keepAliveTimeout: 1_000,
  maxHeaderSize: MAX_HEADER_BYTES,
} as const;

const { refuse } = createProtection([]);
/** No server of others is at these: loopback, link-local, private, multicast; what cannot be read neither. */
const isInnerAddress = (ip: string): boolean => {
  const canonical = canonicalIp(ip);
  return canonical === undefined || refuse(parseCidr(canonical))?.why === 'nobody';
};

const hostOf = (url: string | URL): string => new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');

const leadsInside = (): Error => new Error('it redirects to an address of this machine or its network');

/** Agents whose redirects stay outside, unless the configured URL is inside itself. */
export const createAgents = ({ lookup = lookUp, isInner = isInnerAddress }: AgentOptions = {}): Agents => {
  const addressesOf = (host: string): Promise<readonly string[]> =>
    isIP(host) === 0
      ? new Promise((resolve, reject) => {
          lookup(host, { all: true }, (error, found) => {
            if (error !== null) reject(error);
            else resolve((found as LookupAddress[]).map(({ address }) => address));
          });
        })
      : Promise.resolve([host]);

  /** The connection goes to one of the addresses that were looked at: a second answer of the name is never asked for. */
  const outwardLookup: LookupFunction = (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      const addresses = error === null ? (found as LookupAddress[]) : [];
      const refused = addresses.some(({ address }) => isInner(address)) ? leadsInside() : error;
      const [first] = addresses;
      if (refused !== null || first === undefined) done(refused ?? new Error('its name leads nowhere'), '', 0);
      else if (options.all === true) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
  const configured = new Agent({ ...PLAIN, connect: { timeout: CONNECT_MS, lookup } });
  const outward = new Agent({ ...PLAIN, connect: { timeout: CONNECT_MS, lookup: outwardLookup } });
  const refusing = outward.compose((dispatch) => (options, handler) => {
    // an address is connected to without a look-up
    const host = hostOf(options.origin ?? '');
    if (isIP(host) !== 0 && isInner(host)) throw leadsInside();
    return dispatch(options, handler);
  });
  return {
    configured,
    async redirectedFrom(url) {
      const late = (): Error => new Error('its name cannot be resolved in time');
      const addresses = await withDeadline(addressesOf(hostOf(url)), CONNECT_MS, late).catch(() => []);
      return addresses.length > 0 && addresses.every(isInner) ? configured : refusing;
    },
    async destroy() {
      await Promise.all([configured.destroy(), outward.destroy()]);
    },
  };
};
