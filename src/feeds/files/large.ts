import { buildNetworkTable, readNetworks } from '../../enrich/index.ts';
import type { NetworkTableData, Networks } from '../../enrich/index.ts';

/** A long list of addresses and networks, read. */
export interface Large {
  readonly table: NetworkTableData;
  /** `line 7: 'x' is no address`, the first ones. */
  readonly bad: readonly string[];
  readonly badCount: number;
}

/** As of feeds. */
const MAX_LINES = 2_000_000;
/** A list of which more than this share cannot be read is something else. */
const MOST_UNREAD = 0.2;
/** Bits of an IPv6 address that name a customer: one address stands for its /64, as everywhere. */
const IDENTITY_BITS = 64;

const [TAB, LF, CR, SPACE, QUOTE, HASH, COMMA, SEMICOLON, BAR] = [0x09, 0x0a, 0x0d, 0x20, 0x22, 0x23, 0x2c, 0x3b, 0x7c];
const BREAKS: ReadonlySet<number | undefined> = new Set([TAB, CR, SPACE, QUOTE, COMMA, BAR]);

/** Blanks everything but the first word of each line, in place: notes are for the reader of the file. */
const bareWords = (bytes: Uint8Array): number => {
  let lines = 1;
  let place: 'before' | 'word' | 'behind' = 'before';
  for (let at = 0; at < bytes.length; at += 1) {
    const code = bytes[at];
    if (code === LF) {
      lines += 1;
      place = 'before';
      continue;
    }
    if (place === 'word' ? BREAKS.has(code) : place === 'before' && (code === HASH || code === SEMICOLON))
      place = 'behind';
    else if (place === 'before' && !BREAKS.has(code)) place = 'word';
    if (place !== 'word') bytes[at] = SPACE!;
  }
  return lines;
};

const widenToIdentities = ({ v6: { words, prefixes, count } }: Networks): void => {
  for (let row = 0; row < count; row += 1) {
    if (prefixes[row]! <= IDENTITY_BITS) continue;
    prefixes[row] = IDENTITY_BITS;
    words[2]![row] = 0;
    words[3]![row] = 0;
  }
};

/** A heading that names an end: a table has no place for the ends of a million rows. */
const hasEnds = (bytes: Uint8Array): boolean => {
  const first = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 200)).toString('latin1');
  return /^[^\n#;]*,\s*"?(?:until|expires(?:_at)?|end|duration|for)\b/i.test(first);
};

/**
 * Reads a long list into a table; writes into the bytes.
 * @throws Error in a few words when it is none
 */
export const readLarge = (bytes: Uint8Array): Large => {
  if (hasEnds(bytes)) throw new Error('its rows have ends, which only lists of up to 50000 rows can have');
  const lines = bareWords(bytes);
  if (lines > MAX_LINES) throw new Error(`it has ${lines} lines, at most ${MAX_LINES} are taken`);
  const networks = readNetworks([{ name: '', bytes }]);
  const { unread, unreadCount, v4, v6 } = networks;
  if (unreadCount > (v4.count + v6.count + unreadCount) * MOST_UNREAD)
    throw new Error(`${unreadCount} of its ${v4.count + v6.count + unreadCount} lines are no addresses`);
  widenToIdentities(networks);
  return {
    table: buildNetworkTable(networks),
    bad: unread.map(({ line, text }) => `line ${line}: '${text}' is no address`),
    badCount: unreadCount,
  };
};
