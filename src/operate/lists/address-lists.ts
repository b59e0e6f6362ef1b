import { formatCidr, parseCidr } from '../../model/index.ts';
import type { BanEntry, Change, Entry, EpochMs, Facts, ListEntry } from '../../model/index.ts';
import { PrefixMap } from '../../enrich/index.ts';
import type { NetworkTable } from '../../enrich/index.ts';

/** A ban of more than one identity (an IPv4 address, an IPv6 /64) is a network: it is looked up like a deny entry. */
const isNetworkBan = (entry: BanEntry): boolean =>
  entry.subject.includes('/') && !(entry.subject.includes(':') && entry.subject.endsWith('/64'));

/** A deny list that is too long for entries. */
export interface DenyTable {
  /** `file:…` */
  readonly author: string;
  readonly table: NetworkTable;
  readonly note: string;
  readonly since: EpochMs;
}

/**
 * The operator's lists and banned networks, by longest match. Allow wins over deny at any length: to deny a network and
 * allow one address in it is the common wish.
 */
export class AddressLists {
  readonly #allow = new PrefixMap<ListEntry>();
  readonly #deny = new PrefixMap<ListEntry>();
  readonly #banned = new PrefixMap<BanEntry>();
  readonly #tables = new Map<string, DenyTable>();
  /** Allow entries of peers: without any, nobody is looked for. */
  #peers = 0;

  apply(change: Change): void {
    const { entry } = change;
    const put = change.op === 'put';
    if (entry.kind === 'ban') {
      if (!isNetworkBan(entry)) return;
      if (put) this.#banned.set(parseCidr(entry.subject), entry);
      else this.#banned.delete(parseCidr(entry.subject));
    } else if (entry.kind === 'allow' || entry.kind === 'deny') {
      const map = entry.kind === 'allow' ? this.#allow : this.#deny;
      const cidr = parseCidr(entry.subject);
      const before = map.get(cidr)?.peer === undefined ? 0 : 1;
      if (put) map.set(cidr, entry);
      else map.delete(cidr);
      this.#peers += (put && entry.peer !== undefined ? 1 : 0) - before;
    }
  }

  putTable(table: DenyTable): void {
    this.#tables.set(table.author, table);
  }

  dropTable(author: string): void {
    this.#tables.delete(author);
  }

  /** Entries of all tables. */
  get tabledCount(): number {
    return [...this.#tables.values()].reduce((sum, { table }) => sum + table.size, 0);
  }

  /** The entry of a table that covers the address, made when asked for: a table keeps no entries. */
  tabled(ip: string): ListEntry | undefined {
    for (const { author, table, note, since } of this.#tables.values()) {
      const found = table.match(ip);
      if (found === undefined) continue;
      const subject = formatCidr(parseCidr(`${ip}/${found.prefix}`));
      const reason = note === '' ? 'deny list' : note;
      return { kind: 'deny', subject, note, author, origin: 'operator', reason, since, until: null };
    }
    return undefined;
  }

  #inTable(ip: string): boolean {
    if (this.#tables.size === 0) return false;
    for (const { table } of this.#tables.values()) if (table.has(ip)) return true;
    return false;
  }

  /** For each event: allow before deny. Takes a canonical address. */
  verdict(ip: string): Facts['list'] {
    if (this.#allow.match(ip) !== undefined) return 'allow';
    const isDenied = this.#deny.match(ip) !== undefined || this.#banned.match(ip) !== undefined || this.#inTable(ip);
    return isDenied ? 'deny' : 'none';
  }

  /** The peer that the address belongs to: of the closest allow entry that belongs to one. */
  peer(ip: string): string | undefined {
    const closest = this.#allow.match(ip);
    if (closest?.peer !== undefined || this.#peers === 0) return closest?.peer;
    return this.#allow.covering(ip).find(({ peer }) => peer !== undefined)?.peer;
  }

  /** List entries that cover the address. */
  covering(ip: string): readonly ListEntry[] {
    const tabled = this.tabled(ip);
    return [...this.#allow.covering(ip), ...this.#deny.covering(ip), ...(tabled === undefined ? [] : [tabled])];
  }

  /** The entry that decides `verdict`: the closest allow entry, else the closest deny entry, else the banned network, else a table's. */
  deciding(ip: string): ListEntry | BanEntry | undefined {
    return this.#allow.match(ip) ?? this.#deny.match(ip) ?? this.#banned.match(ip) ?? this.tabled(ip);
  }

  /** The banned network that covers the address, if any. */
  networkBan(ip: string): Entry | undefined {
    return this.#banned.match(ip);
  }
}
