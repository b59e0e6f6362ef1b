import { createHash, randomBytes } from 'node:crypto';

/** A digest challenge (RFC 2617), as far as SIP phones answer it: MD5, with or without qop=auth. */
export interface Challenge {
  /** The header in which the answer goes. */
  readonly header: 'Authorization' | 'Proxy-Authorization';
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly qop: boolean;
}

const parameter = (text: string, name: string): string | undefined => {
  const match = new RegExp(`[\\s,]${name}\\s*=\\s*(?:"([^"]{0,512})"|([^\\s,]{1,64}))`, 'i').exec(text);
  return match?.[1] ?? match?.[2];
};

/** The challenge of a 401 or 407; undefined when there is none that can be answered. */
export const challengeOf = (response: string): Challenge | undefined => {
  const line = /^(WWW|Proxy)-Authenticate:\s*Digest(\s.{0,2000})$/im.exec(response);
  const [, kind = '', text = ''] = line ?? [];
  const realm = parameter(text, 'realm');
  const nonce = parameter(text, 'nonce');
  if (realm === undefined || nonce === undefined) return undefined;
  return {
    header: kind.toLowerCase() === 'www' ? 'Authorization' : 'Proxy-Authorization',
    realm,
    nonce,
    opaque: parameter(text, 'opaque'),
    qop: /\bauth\b/.test(parameter(text, 'qop') ?? ''),
  };
};

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** RFC 2617, section 3.2.2.2. */
export const digestHa1 = (user: string, realm: string, password: string): string => md5(`${user}:${realm}:${password}`);

/** Who answers. `count`: how often this nonce has been used, this time included. */
export interface DigestClaim {
  readonly user: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  readonly count: number;
}

/** The header line that answers a challenge. */
export const digestAnswer = (challenge: Challenge, { user, password, method, uri, count }: DigestClaim): string => {
  const { realm, nonce } = challenge;
  const ha1 = digestHa1(user, realm, password);
  const ha2 = md5(`${method}:${uri}`);
  const parts = [`username="${user}"`, `realm="${realm}"`, `nonce="${nonce}"`, `uri="${uri}"`, 'algorithm=MD5'];
  if (challenge.qop) {
    const nc = count.toString(16).padStart(8, '0');
    const cnonce = randomBytes(8).toString('hex');
    parts.push(
      'qop=auth',
      `nc=${nc}`,
      `cnonce="${cnonce}"`,
      `response="${md5(`${ha1}:${nonce}:${nc}:${cnonce}:auth:${ha2}`)}"`,
    );
  } else parts.push(`response="${md5(`${ha1}:${nonce}:${ha2}`)}"`);
  if (challenge.opaque !== undefined) parts.push(`opaque="${challenge.opaque}"`);
  return `${challenge.header}: Digest ${parts.join(', ')}`;
};
