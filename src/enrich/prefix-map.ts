import { NO_V4, readV4 } from '../model/index.ts';
import type { Cidr } from '../model/index.ts';

const GROUP = /^[0-9a-f]{1,4}$/;

const readGroups = (text: string): number[] | undefined => {
  if (text === '') return [];
  const groups = text.split(':');
  if (groups.length > 8 || !groups.every((group) => GROUP.test(group))) return undefined;
  return groups.map((group) => Number.parseInt(group, 16));
};

/** Reads a canonical IPv6 address (RFC 5952, no embedded IPv4) as 128 bits. */
const readV6 = (ip: string): bigint | undefined => {
  if (ip.length > 39) return undefined;
  const gap = ip.indexOf('::');
  const head = readGroups(gap < 0 ? ip : ip.slice(0, gap));
  const tail = readGroups(gap < 0 ? '' : ip.slice(gap + 2));
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (gap < 0 ? missing !== 0 : missing < 1) return undefined;
  let value = 0n;
  for (const group of head) value = (value << 16n) | BigInt(group);
  value <<= BigInt(16 * missing);
  for (const group of tail) value = (value << 16n) | BigInt(group);
  return value;
};

/** The networks of one family: for each prefix length in use, a map from the network's leading bits to its value. */
class Lengths<Key, T> {
  readonly #maps = new Map<number, Map<Key, T>>();
  readonly #leading: (address: Key, prefix: number) => Key;
  #longestFirst: readonly { readonly prefix: number; readonly map: Map<Key, T> }[] = [];

  constructor(leading: (address: Key, prefix: number) => Key) {
    this.#leading = leading;
  }

  set(address: Key, prefix: number, value: T): boolean {
    let map = this.#maps.get(prefix);
    if (map === undefined) {
      map = new Map();
      this.#maps.set(prefix, map);
      this.#sort();
    }
    const before = map.size;
    map.set(this.#leading(address, prefix), value);
    return map.size > before;
  }

  delete(address: Key, prefix: number): boolean {
    const map = this.#maps.get(prefix);
    if (map?.delete(this.#leading(address, prefix)) !== true) return false;
    if (map.size === 0) {
      this.#maps.delete(prefix);
      this.#sort();
    }
    return true;
  }

  get(address: Key, prefix: number): T | undefined {
    return this.#maps.get(prefix)?.get(this.#leading(address, prefix));
  }

  match(address: Key): T | undefined {
    for (const { prefix, map } of this.#longestFirst) {
      const value = map.get(this.#leading(address, prefix));
      if (value !== undefined) return value;
    }
    return undefined;
  }

  covering(address: Key): T[] {
    return this.#longestFirst
      .map(({ prefix, map }) => map.get(this.#leading(address, prefix)))
      .filter((value) => value !== undefined);
  }

  #sort(): void {
    this.#longestFirst = [...this.#maps]
      .map(([prefix, map]) => ({ prefix, map }))
      .sort((left, right) => right.prefix - left.prefix);
  }
}

/** An IPv4 address without its last bits; a shift by 32 would be none. */
const leadingV4 = (address: number, prefix: number): number => (prefix === 0 ? 0 : address >> (32 - prefix));
const leadingV6 = (address: bigint, prefix: number): bigint => address >> BigInt(128 - prefix);

const toV4 = (cidr: Cidr): number => cidr.bytes.reduce((value, byte) => (value << 8) | byte, 0);
const toV6 = (cidr: Cidr): bigint => cidr.bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

/**
 * Networks with a value each, found by address. A lookup costs one map access for each prefix length in use, however
 * many networks there are. Takes canonical addresses (see model/address); anything else matches nothing.
 */
export class PrefixMap<T extends NonNullable<unknown>> {
  readonly #v4 = new Lengths<number, T>(leadingV4);
  readonly #v6 = new Lengths<bigint, T>(leadingV6);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds the network or replaces its value. */
  set(cidr: Cidr, value: T): void {
    const added =
      cidr.family === 4 ? this.#v4.set(toV4(cidr), cidr.prefix, value) : this.#v6.set(toV6(cidr), cidr.prefix, value);
    if (added) this.#size += 1;
  }

  delete(cidr: Cidr): boolean {
    const deleted =
      cidr.family === 4 ? this.#v4.delete(toV4(cidr), cidr.prefix) : this.#v6.delete(toV6(cidr), cidr.prefix);
    if (deleted) this.#size -= 1;
    return deleted;
  }

  /** The value of exactly this network. */
  get(cidr: Cidr): T | undefined {
    return cidr.family === 4 ? this.#v4.get(toV4(cidr), cidr.prefix) : this.#v6.get(toV6(cidr), cidr.prefix);
  }

  /** The value of the longest prefix that covers the address. */
  match(ip: string): T | undefined {
    if (this.#size === 0) return undefined;
    const v4 = readV4(ip);
    if (v4 !== NO_V4) return this.#v4.match(v4);
    const v6 = readV6(ip);
    return v6 === undefined ? undefined : this.#v6.match(v6);
  }

  /** The values of all networks that cover the address, longest prefix first. */
  covering(ip: string): T[] {
    const v4 = readV4(ip);
    if (v4 !== NO_V4) return this.#v4.covering(v4);
    const v6 = readV6(ip);
    return v6 === undefined ? [] : this.#v6.covering(v6);
  }
}
