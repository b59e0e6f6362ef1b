import {
  COLON,
  COMMA,
  MAX_TTL,
  numberOf,
  scanDigits,
  scanHost,
  scanSeparator,
  scanToken,
  scanViaPart,
  SLASH,
  skipSws,
} from '../grammar/index.ts';
import { faultAt, faultOf, isValueFault, type ValueFault } from './fault.ts';
import { cutParameters, parameterNamed, writeParameters, type Parameter } from './parameters.ts';
import { hostKindOf, readPort, type HostKind } from './uri.ts';

/** Max-Forwards starts at 70 (RFC 3261 8.1.1.6) and may be 255, and every hop adds one Via. */
export const MAX_VIAS = 256;

/** One hop: `SIP/2.0/UDP host:port;branch=…`. */
export interface Via {
  readonly protocol: string;
  readonly version: string;
  readonly transport: string;
  /** IPv6 with its brackets. */
  readonly host: string;
  readonly hostKind: HostKind;
  readonly port: number | undefined;
  readonly params: readonly Parameter[];
}

/** The parameters by which a response finds its way; `undefined` when there is none. */
export interface ViaRoute {
  readonly branch: string | undefined;
  readonly received: string | undefined;
  readonly maddr: string | undefined;
  /** `'asked'` when it stands without a value (RFC 3581 3). */
  readonly rport: number | 'asked' | undefined;
  readonly ttl: number | undefined;
}

const readPart = (text: string, at: number, end: number): readonly [Via, number] | ValueFault => {
  const after = scanViaPart(text, at, end);
  if (after < 0) return faultOf('not a Via', after);
  const protocolEnd = scanToken(text, at, end);
  const versionAt = scanSeparator(text, protocolEnd, end, SLASH);
  const versionEnd = scanToken(text, versionAt, end);
  const transportAt = scanSeparator(text, versionEnd, end, SLASH);
  const transportEnd = scanToken(text, transportAt, end);
  const hostAt = skipSws(text, transportEnd, end);
  const hostEnd = scanHost(text, hostAt, end);
  const host = text.slice(hostAt, hostEnd);
  const portAt = scanSeparator(text, hostEnd, end, COLON);
  const portEnd = portAt < 0 ? hostEnd : scanDigits(text, portAt, end);
  const port = portAt < 0 ? undefined : readPort(text, portAt, portEnd);
  if (isValueFault(port)) return port;
  const via: Via = {
    protocol: text.slice(at, protocolEnd),
    version: text.slice(versionAt, versionEnd),
    transport: text.slice(transportAt, transportEnd),
    host,
    hostKind: hostKindOf(host),
    port,
    params: cutParameters(text, portEnd, after),
  };
  return [via, after];
};

/** All hops of one header line, topmost first. */
export const readVias = (text: string, from = 0, to = text.length): readonly Via[] | ValueFault => {
  const vias: Via[] = [];
  let next = skipSws(text, from, to);
  for (;;) {
    const read = readPart(text, next, to);
    if (isValueFault(read)) return read;
    vias.push(read[0]);
    if (read[1] === to) return vias;
    if (vias.length === MAX_VIAS) return faultAt('too many Via values', read[1]);
    next = scanSeparator(text, read[1], to, COMMA);
    if (next < 0) return faultOf('text behind the Via', next);
  }
};

/** The only hop of a header line, or of one value of it. */
export const readVia = (text: string, from = 0, to = text.length): Via | ValueFault => {
  const read = readPart(text, skipSws(text, from, to), to);
  if (isValueFault(read)) return read;
  return read[1] === to ? read[0] : faultAt('text behind the Via', read[1]);
};

export const writeVia = (via: Via): string => {
  const port = via.port === undefined ? '' : `:${via.port}`;
  return `${via.protocol}/${via.version}/${via.transport} ${via.host}${port}${writeParameters(via.params, ';')}`;
};

export const writeVias = (vias: readonly Via[]): string => vias.map(writeVia).join(', ');

/** Number of a parameter that is one and within its bound. */
const numberIn = (value: string | undefined, most: number): number | undefined => {
  if (value === undefined || scanDigits(value, 0, value.length) !== value.length) return undefined;
  const number = numberOf(value, 0, value.length);
  return number <= most ? number : undefined;
};

export const viaRoute = ({ params }: Via): ViaRoute => {
  const rport = parameterNamed(params, 'rport');
  return {
    branch: parameterNamed(params, 'branch')?.value,
    received: parameterNamed(params, 'received')?.value,
    maddr: parameterNamed(params, 'maddr')?.value,
    rport: rport !== undefined && rport.value === undefined ? 'asked' : numberIn(rport?.value, 65_535),
    ttl: numberIn(parameterNamed(params, 'ttl')?.value, MAX_TTL),
  };
};
