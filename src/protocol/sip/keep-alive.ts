/** Datagrams this short cannot be SIP; phones send them to hold their NAT binding open (CRLF, NUL, `jaK`). */
const MAX_SHORT_BYTES = 4;

/** RFC 8489 section 5: bytes 4 to 7 of every STUN message. RFC 5626 4.4.2 sends them on the SIP port. */
const STUN_MAGIC_COOKIE = 0x2112a442;
const STUN_HEADER_BYTES = 20;

const isStun = (bytes: Buffer): boolean =>
  bytes.length >= STUN_HEADER_BYTES && bytes.readUInt8(0) < 0x40 && bytes.readUInt32BE(4) === STUN_MAGIC_COOKIE;

const isBlank = (bytes: Buffer): boolean => {
  for (const byte of bytes) {
    if (byte !== 0 && byte !== 0x0d && byte !== 0x0a && byte !== 0x20 && byte !== 0x09) return false;
  }
  return true;
};

/** Tells keep-alives from garbage: very short, only white space and NUL, or STUN. They are never held against anyone. */
export const isKeepAlive = (bytes: Buffer): boolean =>
  bytes.length <= MAX_SHORT_BYTES || isStun(bytes) || isBlank(bytes);
