const [DOT, SLASH, ZERO] = [0x2e, 0x2f, 0x30];

/** An IPv4 address or network as it stands in a line. */
export interface V4Word {
  /** 32 bits, host bits zero. */
  start: number;
  prefix: number;
  /** Where it ends in the text. */
  end: number;
}

/**
 * Reads an IPv4 address or CIDR from a place in a text, without making anything: most lines of most lists are that.
 * @param into what was read
 * @returns false for anything else, which is read at leisure
 */
export const readV4Word = (text: string, from: number, to: number, into: V4Word): boolean => {
  let value = 0;
  let at = from;
  for (let octet = 0; octet < 4; octet += 1) {
    let number = 0;
    const begin = at;
    for (; at < to && at - begin < 4; at += 1) {
      const digit = text.charCodeAt(at) - ZERO;
      if (digit < 0 || digit > 9) break;
      number = number * 10 + digit;
    }
    // leading zeros: some read them as octal
    if (at === begin || at - begin > 3 || number > 255 || (at - begin > 1 && text.charCodeAt(begin) === ZERO))
      return false;
    value = value * 256 + number;
    if (octet < 3 && text.charCodeAt(at++) !== DOT) return false;
  }
  let prefix = 32;
  if (at < to && text.charCodeAt(at) === SLASH) {
    const begin = ++at;
    prefix = 0;
    for (; at < to && at - begin < 3; at += 1) {
      const digit = text.charCodeAt(at) - ZERO;
      if (digit < 0 || digit > 9) break;
      prefix = prefix * 10 + digit;
    }
    if (at === begin || prefix > 32) return false;
  }
  const size = 2 ** (32 - prefix);
  into.start = Math.floor(value / size) * size;
  into.prefix = prefix;
  into.end = at;
  return true;
};
