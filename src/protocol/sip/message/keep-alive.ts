/** Datagrams this short cannot be SIP; phones send them to hold their NAT binding open (CRLF, NUL, `jaK`). */
const MAX_SHORT_BYTES = 4;

/** `MIN_UDP_PACKET` of Kamailio and OpenSIPS: what is shorter reaches no parser. Phones send words (`hello`). */
const MIN_READ_BYTES = 20;
const WORD = /^[A-Za-z]+$/;

/** RFC 8489 section 5: bytes 4 to 7 of every STUN message. RFC 5626 4.4.2 sends them on the SIP port. */
const STUN_MAGIC_COOKIE = 0x2112a442;
const STUN_HEADER_BYTES = 20;

export type KeepAlive = 'crlf' | 'nul' | 'stun' | 'short' | 'blank';

/** Type below 0x4000, a length that is true and a multiple of four, the cookie: SIP behind a blank must not pass as STUN. */
const isStun = (bytes: Buffer): boolean =>
  bytes.length >= STUN_HEADER_BYTES &&
  bytes.readUInt8(0) < 0x40 &&
  bytes.readUInt16BE(2) === bytes.length - STUN_HEADER_BYTES &&
  bytes.length % 4 === 0 &&
  bytes.readUInt32BE(4) === STUN_MAGIC_COOKIE;

const STUN_BINDING = 0x0001;
const CLASSIC_STUN_MAX_BYTES = 28;

/**
 * A binding request of RFC 3489, which had no cookie, alone or with one attribute. Longer ones are judged: SIP fits into
 * them, behind bytes that servers skip.
 */
const isClassicStun = (bytes: Buffer): boolean =>
  bytes.length >= STUN_HEADER_BYTES &&
  bytes.length <= CLASSIC_STUN_MAX_BYTES &&
  bytes.readUInt16BE(0) === STUN_BINDING &&
  bytes.readUInt16BE(2) === bytes.length - STUN_HEADER_BYTES;

const isBlankByte = (byte: number): boolean =>
  byte === 0 || byte === 0x0d || byte === 0x0a || byte === 0x20 || byte === 0x09;

const blankKind = (bytes: Buffer): KeepAlive | undefined => {
  let nul = true;
  let crlf = true;
  for (const byte of bytes) {
    if (!isBlankByte(byte)) return undefined;
    if (byte !== 0) nul = false;
    if (byte !== 0x0d && byte !== 0x0a) crlf = false;
  }
  return nul ? 'nul' : crlf ? 'crlf' : 'blank';
};

/**
 * Names keep-alives, which are never held against anyone: CRLF (RFC 5626 4.4.1), STUN (4.4.2), NUL bytes, white space,
 * anything of four bytes or fewer, and a word of letters that servers do not read either.
 * @returns undefined for what must be judged; an empty datagram is `short`
 */
export const classifyKeepAlive = (bytes: Buffer): KeepAlive | undefined => {
  const first = bytes[0];
  // the usual message begins with a letter, and neither a blank nor STUN does
  if (first !== undefined && first >= 0x40 && bytes.length >= MIN_READ_BYTES) return undefined;
  if (isStun(bytes) || isClassicStun(bytes)) return 'stun';
  const blank = bytes.length === 0 ? undefined : blankKind(bytes);
  if (blank !== undefined) return blank;
  const isWord = bytes.length < MIN_READ_BYTES && WORD.test(bytes.toString('latin1'));
  return isWord || bytes.length <= MAX_SHORT_BYTES ? 'short' : undefined;
};
