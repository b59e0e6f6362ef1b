import { NO_V4, readV4 } from '../../model/index.ts';

/** Marks IPv4 keys: no source has an IPv6 address of this network (multicast, RFC 4291 2.7). */
const V4_MARK = 0xffff_ffff;
/** Marks keys of what is no identity: hashes of texts. */
const TEXT_MARK = 0xff00_0000;

/** What was read last: every detector asks for the source of the same message. Always what reading it again would give. */
let lastText = '';
let lastHi = 0;
let lastLo = 0;

/**
 * An identity as 64 bits: an IPv4 address, or the first half of an IPv6 address. Exact, so that no two sources share
 * what is remembered of them. One object is read into again and again, since every message passes here.
 */
export class SourceKey {
  hi = 0;
  lo = 0;

  /** Reads `192.0.2.1` or `2001:db8:1:2::/64`; anything else is hashed. */
  read(identity: string): this {
    if (identity !== lastText || identity === '') {
      if (!this.#readV4(identity) && !this.#readV6(identity)) this.#hash(identity);
      lastText = identity;
      lastHi = this.hi;
      lastLo = this.lo;
    }
    this.hi = lastHi;
    this.lo = lastLo;
    return this;
  }

  /** The /24 or /48 of this key. */
  toPrefix(): this {
    this.lo = this.hi === V4_MARK ? this.lo & 0xffff_ff00 : this.lo & 0xffff_0000;
    return this;
  }

  #readV4(text: string): boolean {
    const address = readV4(text);
    if (address === NO_V4) return false;
    this.hi = V4_MARK;
    this.lo = address;
    return true;
  }

  /** Identities are compressed at their end (RFC 5952), and maybe at an earlier run of zeros instead. */
  #readV6(text: string): boolean {
    if (!text.endsWith('/64')) return false;
    const address = text.slice(0, -3);
    const gap = address.indexOf('::');
    const head = (gap < 0 ? address : address.slice(0, gap)).split(':');
    const tail = gap < 0 ? [] : address.slice(gap + 2).split(':');
    const groups =
      gap < 0
        ? head
        : [...head, ...Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0'), ...tail];
    const numbers = groups.slice(0, 4).map((group) => (group === '' ? 0 : Number.parseInt(group, 16)));
    if (numbers.length < 4 || !numbers.every((number) => number >= 0 && number <= 0xffff)) return false;
    const [a = 0, b = 0, c = 0, d = 0] = numbers;
    this.hi = ((a << 16) | b) >>> 0;
    this.lo = (c << 16) | d;
    return true;
  }

  #hash(text: string): void {
    let hi = 0x811c_9dc5;
    let lo = 0x1234_5678;
    for (let index = 0; index < text.length; index += 1) {
      hi = Math.imul(hi ^ text.charCodeAt(index), 0x0100_0193);
      lo = Math.imul(lo + text.charCodeAt(index), 0x5bd1_e995) ^ (lo >>> 15);
    }
    this.hi = (TEXT_MARK | (hi >>> 8)) >>> 0;
    this.lo = lo | 0;
  }
}
