import { CompanionError, formatCidr, parseCidr } from '../../model/index.ts';
import type { Cidr } from '../../model/index.ts';
import { buildNetworkTable, readNetworks } from '../../enrich/index.ts';
import type { NetworkTableData } from '../../enrich/index.ts';
import { createProtection } from './protection.ts';
import type { Protected, Refusal } from './protection.ts';
import { readV4Word } from './read-v4.ts';

/** Lines of one list. */
const MAX_LINES = 2_000_000;
const MAX_LINE_CHARS = 200;
/** What an alarm names of what was hit. */
export const MAX_NAMED_HITS = 10;

/** What became of the lines of a list. `table` holds what may enter. */
export interface Sifted {
  readonly table: NetworkTableData;
  readonly taken: number;
  readonly unread: number;
  readonly nobody: number;
  readonly tooWide: number;
  readonly hits: number;
  /** `198.51.100.1/32 hits 198.51.100.0/24 (peer carrier)`; the first ones. */
  readonly named: readonly string[];
}

/** What may stand behind the first word of a line. */
const BREAKS: ReadonlySet<number> = new Set(Array.from('\t\r ",#;|', (char) => char.charCodeAt(0)));

/** The first word of a line: what stands behind it (scores, dates, remarks) is not for us. */
const firstWord = (line: string): string => /^[^\s,;|#"]+/.exec(line.replace(/^["\s]+/, ''))?.[0] ?? '';

const readLine = (line: string): Cidr | 'unread' | 'blank' => {
  const word = firstWord(line.slice(0, MAX_LINE_CHARS));
  if (word === '') return /^\s*(?:[#;].*)?$/.test(line) ? 'blank' : 'unread';
  try {
    return parseCidr(word);
  } catch (error) {
    if (!(error instanceof CompanionError)) throw error;
    return 'unread';
  }
};

/**
 * Reads a list of addresses and networks, leaves out what must not be hit, and builds the table to look addresses up in.
 * Some seconds for a million lines: for a thread.
 * @throws Error in a few words when there are too many lines
 */
export const sift = (name: string, bytes: Uint8Array, subjects: readonly Protected[]): Sifted => {
  const protection = createProtection(subjects);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const kept: string[] = [];
  const counts = { unread: 0, nobody: 0, tooWide: 0, hits: 0 };
  const named: string[] = [];
  const word = { start: 0, prefix: 0, end: 0 };
  let lines = 0;
  const refuse = ({ why, what }: Refusal, subject: () => string): void => {
    if (why === 'nobody') counts.nobody += 1;
    else if (why === 'too-wide') counts.tooWide += 1;
    else {
      counts.hits += 1;
      if (named.length < MAX_NAMED_HITS) named.push(`${subject()} hits ${what}`);
    }
  };
  for (let start = text.startsWith('\u00ef\u00bb\u00bf') ? 3 : 0; start < text.length;) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    lines += 1;
    if (lines > MAX_LINES) throw new Error(`it has more than ${MAX_LINES} lines`);
    const from = start;
    start = end + 1;
    if (readV4Word(text, from, end, word) && (word.end >= end || BREAKS.has(text.charCodeAt(word.end)))) {
      const refused = protection.refuseV4(word.start, word.prefix);
      if (refused === undefined) kept.push(text.slice(from, word.end));
      else refuse(refused, () => text.slice(from, word.end));
      continue;
    }
    const cidr = readLine(text.slice(from, end));
    if (cidr === 'blank') continue;
    if (cidr === 'unread') {
      counts.unread += 1;
      continue;
    }
    const refused = protection.refuse(cidr);
    if (refused === undefined) kept.push(formatCidr(cidr));
    else refuse(refused, () => formatCidr(cidr));
  }
  const table = buildNetworkTable(readNetworks([{ name, bytes: Buffer.from(kept.join('\n')) }]));
  return { table, taken: kept.length, ...counts, named };
};
