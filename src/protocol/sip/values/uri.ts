import {
  COLON,
  MAX_PORT,
  numberOf,
  OPEN_BRACKET,
  scanDigits,
  scanHost,
  scanIpv4,
  scanSipUri,
  scanTelUri,
  scanUri,
  sipSchemeChars,
  skipUserinfo,
} from '../grammar/index.ts';
import { faultAt, faultOf, isValueFault, type ValueFault } from './fault.ts';

/** Parameter or header of a URI, as written (percent-encoded); headers always have a value. */
export interface UriPart {
  readonly name: string;
  readonly value: string | undefined;
}

export type HostKind = 'name' | 'ipv4' | 'ipv6';

/** sip or sips URI. All texts as written: percent-encoded, bytes above ASCII do not occur. */
export interface SipUri {
  readonly kind: 'sip';
  readonly scheme: 'sip' | 'sips';
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** IPv6 with its brackets. */
  readonly host: string;
  readonly hostKind: HostKind;
  readonly port: number | undefined;
  readonly params: readonly UriPart[];
  readonly headers: readonly UriPart[];
}

export interface TelUri {
  readonly kind: 'tel';
  /** With `+` when global, with its visual separators. */
  readonly number: string;
  readonly params: readonly UriPart[];
}

/** Any other absolute URI. */
export interface OtherUri {
  readonly kind: 'other';
  /** In lower case. */
  readonly scheme: string;
  readonly rest: string;
}

export type Uri = SipUri | TelUri | OtherUri;

export const hostKindOf = (host: string): HostKind => {
  if (host.charCodeAt(0) === OPEN_BRACKET) return 'ipv6';
  return scanIpv4(host, 0, host.length) === host.length ? 'ipv4' : 'name';
};

const cutParts = (text: string, separator: string): UriPart[] =>
  text === ''
    ? []
    : text.split(separator).map((part) => {
        const equals = part.indexOf('=');
        return equals < 0
          ? { name: part, value: undefined }
          : { name: part.slice(0, equals), value: part.slice(equals + 1) };
      });

const writeParts = (parts: readonly UriPart[]): string[] =>
  parts.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`));

/** @returns the port between `from` and `to`, or the fault when it is above 65,535 */
export const readPort = (text: string, from: number, to: number): number | ValueFault => {
  const port = numberOf(text, from, to);
  return port <= MAX_PORT ? port : faultAt('port out of range', from);
};

export const readSipUri = (text: string, from = 0, to = text.length): SipUri | ValueFault => {
  const scanned = scanSipUri(text, from, to);
  if (scanned !== to) return faultOf('not a SIP URI', scanned);
  const schemeChars = sipSchemeChars(text, from, to);
  const body = from + schemeChars;
  const hostAt = skipUserinfo(text, body, to, false);
  const hostEnd = scanHost(text, hostAt, to);
  const hasUser = hostAt > body;
  const userinfo = hasUser ? text.slice(body, hostAt - 1) : '';
  const colon = userinfo.indexOf(':');
  const host = text.slice(hostAt, hostEnd);
  const hasPort = hostEnd < to && text.charCodeAt(hostEnd) === COLON;
  const portEnd = hasPort ? scanDigits(text, hostEnd + 1, to) : hostEnd;
  const port = hasPort ? readPort(text, hostEnd + 1, portEnd) : undefined;
  if (isValueFault(port)) return port;
  const rest = text.slice(portEnd, to);
  const question = rest.indexOf('?');
  const paramsEnd = question < 0 ? rest.length : question;
  return {
    kind: 'sip',
    scheme: schemeChars === 4 ? 'sip' : 'sips',
    user: hasUser ? userinfo.slice(0, colon < 0 ? userinfo.length : colon) : undefined,
    password: colon < 0 ? undefined : userinfo.slice(colon + 1),
    host,
    hostKind: hostKindOf(host),
    port,
    params: cutParts(rest.slice(1, Math.max(1, paramsEnd)), ';'),
    headers: cutParts(rest.slice(paramsEnd + 1), '&'),
  };
};

export const writeSipUri = (uri: SipUri): string => {
  const password = uri.password === undefined ? '' : `:${uri.password}`;
  const userinfo = uri.user === undefined ? '' : `${uri.user}${password}@`;
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  const params = writeParts(uri.params).map((part) => `;${part}`);
  const headers = uri.headers.length === 0 ? '' : `?${writeParts(uri.headers).join('&')}`;
  return `${uri.scheme}:${userinfo}${uri.host}${port}${params.join('')}${headers}`;
};

/** tel URI. Other than in RFC 3966, a local number without `phone-context` is a value: dial plans know `tel:911`. */
export const readTelUri = (text: string, from = 0, to = text.length): TelUri | ValueFault => {
  const scanned = scanTelUri(text, from, to, false);
  if (scanned !== to) return faultOf('not a tel URI', scanned);
  const body = text.slice(from + 4, to);
  const semi = body.indexOf(';');
  const numberEnd = semi < 0 ? body.length : semi;
  return { kind: 'tel', number: body.slice(0, numberEnd), params: cutParts(body.slice(numberEnd + 1), ';') };
};

export const writeTelUri = (uri: TelUri): string => ['tel:' + uri.number, ...writeParts(uri.params)].join(';');

/** Any absolute URI. What begins with `sip:`, `sips:` or `tel:` is one of these, or a fault. */
export const readUri = (text: string, from = 0, to = text.length): Uri | ValueFault => {
  if (sipSchemeChars(text, from, to) > 0) return readSipUri(text, from, to);
  const scanned = scanUri(text, from, to);
  if (scanned !== to) return faultOf('not a URI', scanned);
  const colon = text.indexOf(':', from);
  const scheme = text.slice(from, colon).toLowerCase();
  return scheme === 'tel' ? readTelUri(text, from, to) : { kind: 'other', scheme, rest: text.slice(colon + 1, to) };
};

export const writeUri = (uri: Uri): string => {
  if (uri.kind === 'sip') return writeSipUri(uri);
  return uri.kind === 'tel' ? writeTelUri(uri) : `${uri.scheme}:${uri.rest}`;
};
