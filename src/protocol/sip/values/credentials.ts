import {
  isOtherScheme,
  isTrue,
  othersOf,
  quotedField,
  readScheme,
  tokenField,
  writeOtherScheme,
  type DigestFields,
  type OtherScheme,
} from './digest.ts';
import { faultAt, isValueFault, type ValueFault } from './fault.ts';
import { writeParameters, type Parameter } from './parameters.ts';

/** Authorization and Proxy-Authorization of scheme Digest (RFC 7616 3.4). Texts without quotes, bytes as latin1 chars. */
export interface DigestCredentials {
  readonly scheme: 'Digest';
  /** Empty when `usernameExtended` has it. */
  readonly username: string;
  /** `username*` as written (RFC 5987), for `decodeExtended`. */
  readonly usernameExtended: string | undefined;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: string | undefined;
  readonly cnonce: string | undefined;
  readonly opaque: string | undefined;
  /** `auth`, `auth-int` or an unknown one. */
  readonly qop: string | undefined;
  /** Nonce count, from its eight hexadecimal digits. */
  readonly nc: number | undefined;
  readonly userhash: boolean | undefined;
  readonly others: readonly Parameter[];
}

const REQUIRED = ['realm', 'nonce', 'uri', 'response'] as const;
const KNOWN: ReadonlySet<string> = new Set([
  ...REQUIRED,
  'username',
  'username*',
  'algorithm',
  'cnonce',
  'opaque',
  'qop',
  'nc',
  'userhash',
]);

const NONCE_COUNT = /^[0-9a-f]{8}$/i;

const toCredentials = (fields: DigestFields, from: number): DigestCredentials | ValueFault => {
  for (const name of REQUIRED) if (!fields.has(name)) return faultAt(`no ${name}`, from);
  const valueOf = (name: string): string | undefined => fields.get(name)?.value;
  const username = valueOf('username');
  const usernameExtended = valueOf('username*');
  if (username === undefined && usernameExtended === undefined) return faultAt('no username', from);
  if (username !== undefined && usernameExtended !== undefined) return faultAt('username and username*', from);
  const userhash = isTrue(fields.get('userhash'));
  if (userhash === true && usernameExtended !== undefined) return faultAt('userhash with username*', from);
  const nc = valueOf('nc');
  if (nc !== undefined && !NONCE_COUNT.test(nc)) return faultAt('nc is not eight hexadecimal digits', from);
  return {
    scheme: 'Digest',
    username: username ?? '',
    usernameExtended,
    realm: valueOf('realm') ?? '',
    nonce: valueOf('nonce') ?? '',
    uri: valueOf('uri') ?? '',
    response: valueOf('response') ?? '',
    algorithm: valueOf('algorithm'),
    cnonce: valueOf('cnonce'),
    opaque: valueOf('opaque'),
    qop: valueOf('qop'),
    nc: nc === undefined ? undefined : Number.parseInt(nc, 16),
    userhash,
    others: othersOf(fields, KNOWN),
  };
};

/** Typed for Digest; faults: a missing or repeated parameter, `username` beside `username*`, an `nc` that is none. */
export const readCredentials = (
  text: string,
  from = 0,
  to = text.length,
): DigestCredentials | OtherScheme | ValueFault => {
  const read = readScheme(text, from, to);
  return isValueFault(read) || isOtherScheme(read) ? read : toCredentials(read, from);
};

export const writeCredentials = (credentials: DigestCredentials | OtherScheme): string => {
  if (isOtherScheme(credentials)) return writeOtherScheme(credentials);
  const { usernameExtended, nc, userhash } = credentials;
  const fields = [
    ...(usernameExtended === undefined ? quotedField('username', credentials.username) : []),
    ...tokenField('username*', usernameExtended),
    ...quotedField('realm', credentials.realm),
    ...quotedField('nonce', credentials.nonce),
    ...quotedField('uri', credentials.uri),
    ...quotedField('response', credentials.response),
    ...tokenField('algorithm', credentials.algorithm),
    ...quotedField('cnonce', credentials.cnonce),
    ...quotedField('opaque', credentials.opaque),
    ...tokenField('qop', credentials.qop),
    ...tokenField('nc', nc?.toString(16).padStart(8, '0')),
    ...tokenField('userhash', userhash === undefined ? undefined : String(userhash)),
    ...credentials.others,
  ];
  return `Digest ${writeParameters(fields, ', ').slice(2)}`;
};
