import {
  COLON,
  COMMA,
  LESS,
  QUOTE,
  scanAddress,
  scanBareUri,
  scanParameters,
  scanQuoted,
  scanSeparator,
  scanToken,
  scanUri,
  skipSpaces,
  skipSws,
  STAR,
} from '../grammar/index.ts';
import { faultAt, faultOf, isValueFault, type ValueFault } from './fault.ts';
import { cutParameters, quote, unquoteAt, writeParameters, type Parameter } from './parameters.ts';
import { readUri, writeUri, type Uri } from './uri.ts';

/** RFC 3261 sets no limit; a REGISTER with more bindings than this is no phone. */
export const MAX_ADDRESSES = 256;

/** name-addr or addr-spec with the parameters of its header: From, To, Contact, Route, P-Asserted-Identity. */
export interface NameAddr {
  /** Without quotes and escapes; undefined when there is none, other than `""`. Bytes as latin1 chars. */
  readonly display: string | undefined;
  readonly uri: Uri;
  readonly params: readonly Parameter[];
}

/** What Contact holds: `*`, or addresses. */
export type Contacts = '*' | readonly NameAddr[];

interface Cut {
  readonly display: string | undefined;
  readonly from: number;
  readonly to: number;
}

/** Takes an address apart that `scanAddress` has taken. */
const cutAddress = (text: string, at: number, end: number): Cut => {
  const start = skipSpaces(text, at, end);
  let display: string | undefined;
  let open = start;
  if (text.charCodeAt(start) === QUOTE) {
    const after = scanQuoted(text, start, end);
    display = unquoteAt(text, start, after);
    open = skipSpaces(text, after, end);
  } else if (text.charCodeAt(start) !== LESS) {
    if (text.charCodeAt(scanToken(text, start, end)) === COLON) {
      return { display, from: start, to: scanBareUri(text, start, end) };
    }
    open = text.indexOf('<', start);
    display = text
      .slice(start, open)
      .trim()
      .split(/[ \t\r\n]+/)
      .join(' ');
  }
  return { display, from: open + 1, to: scanUri(text, open + 1, end) };
};

/** One address, and the position behind it and its parameters. */
const readPart = (text: string, at: number, end: number): readonly [NameAddr, number] | ValueFault => {
  const address = scanAddress(text, skipSws(text, at, end), end);
  if (address < 0) return faultOf('not an address', address);
  const next = scanParameters(text, address, end);
  if (next < 0) return faultOf('not a parameter', next);
  const { display, from, to } = cutAddress(text, at, end);
  const uri = readUri(text, from, to);
  return isValueFault(uri) ? uri : [{ display, uri, params: cutParameters(text, address, next) }, next];
};

/** The one address of From, To, Reply-To, Refer-To. */
export const readNameAddr = (text: string, from = 0, to = text.length): NameAddr | ValueFault => {
  const read = readPart(text, from, to);
  if (isValueFault(read)) return read;
  const [address, next] = read;
  return next === to ? address : faultAt('text behind the address', next);
};

/** In brackets, and a display name always in quotes. */
export const writeNameAddr = ({ display, uri, params }: NameAddr): string =>
  `${display === undefined ? '' : `${quote(display)} `}<${writeUri(uri)}>${writeParameters(params, ';')}`;

/** The addresses of Route, Record-Route, Path, P-Asserted-Identity: one at least. */
export const readNameAddrs = (text: string, from = 0, to = text.length): readonly NameAddr[] | ValueFault => {
  const addresses: NameAddr[] = [];
  let next = from;
  for (;;) {
    const read = readPart(text, next, to);
    if (isValueFault(read)) return read;
    addresses.push(read[0]);
    if (read[1] === to) return addresses;
    if (addresses.length === MAX_ADDRESSES) return faultAt('too many addresses', read[1]);
    next = scanSeparator(text, read[1], to, COMMA);
    if (next < 0) return faultOf('text behind the address', next);
  }
};

export const writeNameAddrs = (addresses: readonly NameAddr[]): string => addresses.map(writeNameAddr).join(', ');

export const readContacts = (text: string, from = 0, to = text.length): Contacts | ValueFault => {
  const start = skipSws(text, from, to);
  const isStar = start < to && text.charCodeAt(start) === STAR && skipSws(text, start + 1, to) === to;
  return isStar ? '*' : readNameAddrs(text, from, to);
};

export const writeContacts = (contacts: Contacts): string => (contacts === '*' ? '*' : writeNameAddrs(contacts));
