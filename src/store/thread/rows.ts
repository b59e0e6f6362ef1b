import { z } from 'zod';
import { entryKey, type BanEntry, type Entry } from '../../model/index.ts';
import { withoutEvidence } from '../bounds.ts';
import type { Texts } from '../messages.ts';
import { textAt } from '../texts.ts';

/** Entries to rows and back. Bodies are JSON: it escapes NUL and lone surrogates, which SQLite text cannot hold. */
export interface EntryRow {
  readonly key: string;
  readonly kind: string;
  readonly subject: string;
  readonly until: number | null;
  readonly body: string;
  readonly evidence: string | null;
}

/** Text for a plain column: what SQLite or a terminal would choke on becomes U+FFFD. */
export const plainText = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd');

/** A key keeps its distinctions: two user names may differ only in what `plainText` flattens. */
export const keyOf = (entry: Entry): string => {
  const key = entryKey(entry);
  return plainText(key) === key ? key : JSON.stringify(key);
};

export const toRow = (entry: Entry): EntryRow => ({
  key: keyOf(entry),
  kind: entry.kind,
  subject: plainText(entry.kind === 'good' ? entry.ip : entry.subject),
  until: entry.until,
  body: JSON.stringify(withoutEvidence(entry)),
  evidence: entry.kind === 'ban' || entry.kind === 'quarantine' ? JSON.stringify(entry.evidence) : null,
});

const base = {
  since: z.number(),
  until: z.number().nullable(),
  origin: z.enum(['detector', 'operator', 'foreign']),
  reason: z.string(),
  subject: z.string(),
};
const evidence = z.array(
  z.object({
    at: z.number(),
    rule: z.string(),
    tier: z.enum(['proven', 'spoofable']),
    points: z.number(),
    text: z.string(),
  }),
);
const rules = z.array(z.string());
const list = { ...base, note: z.string(), author: z.string() };
const { subject: _, ...addressless } = base;

const banSchema = z.object({ ...base, kind: z.literal('ban'), level: z.number(), rules, evidence });

const entrySchema = z.discriminatedUnion('kind', [
  banSchema,
  z.object({ ...base, kind: z.literal('quarantine'), rules, evidence }),
  z.object({ ...base, kind: z.literal('throttle'), perSecond: z.number() }),
  z.object({
    ...base,
    kind: z.literal('throttle-user'),
    user: z.string(),
    port: z.number().optional(),
    intervalSeconds: z.number(),
  }),
  z.object({ ...addressless, kind: z.literal('good'), ip: z.string(), port: z.number(), user: z.string() }),
  z.object({ ...list, kind: z.literal('allow') }),
  z.object({ ...list, kind: z.literal('deny') }),
]);

const isText = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => Number.isFinite(value);
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isEvidence = (value: unknown): boolean => Array.isArray(value) && value.every((line) => isLine(line as object));
const isLine = (line: Partial<Record<string, unknown>> | null): boolean =>
  line !== null &&
  isNumber(line['at']) &&
  isText(line['rule']) &&
  (line['tier'] === 'proven' || line['tier'] === 'spoofable') &&
  isNumber(line['points']) &&
  isText(line['text']);

/**
 * What `entrySchema` would say, in a fifth of its time: it is asked a hundred thousand times at a start. Whatever this
 * refuses goes to the schema, which says why.
 */
const isEntry = (row: Partial<Record<string, unknown>>, evidenceIsKnown = false): boolean => {
  const { kind, origin, until } = row;
  const isPlain =
    isNumber(row['since']) &&
    (until === null || isNumber(until)) &&
    (origin === 'detector' || origin === 'operator' || origin === 'foreign') &&
    isText(row['reason']) &&
    isText(kind === 'good' ? row['ip'] : row['subject']);
  if (!isPlain) return false;
  switch (kind) {
    case 'ban':
      return isNumber(row['level']) && isTexts(row['rules']) && (evidenceIsKnown || isEvidence(row['evidence']));
    case 'quarantine':
      return isTexts(row['rules']) && (evidenceIsKnown || isEvidence(row['evidence']));
    case 'throttle':
      return isNumber(row['perSecond']);
    case 'throttle-user':
      return (
        isText(row['user']) && isNumber(row['intervalSeconds']) && (row['port'] === undefined || isNumber(row['port']))
      );
    case 'good':
      return isNumber(row['port']) && isText(row['user']);
    case 'allow':
    case 'deny':
      return isText(row['note']) && isText(row['author']);
    default:
      return false;
  }
};

const toEntry = (row: object | null): Entry => (row !== null && isEntry(row) ? (row as Entry) : entrySchema.parse(row));

/** @throws SyntaxError or ZodError for a row that this version did not write */
export const fromRow = (row: { readonly body: string; readonly evidence: string | null }): Entry => {
  const body = JSON.parse(row.body) as object | null;
  return toEntry(row.evidence === null ? body : { ...body, evidence: JSON.parse(row.evidence) as unknown });
};

/** How the body of an entry with evidence ends. */
const NO_EVIDENCE = ',"evidence":[]}';
/** Where a restored entry finds its evidence: not seen by whoever copies, compares or writes it. */
const SOURCE = Symbol('source');
const PLACE = Symbol('place');

interface Restored {
  readonly [SOURCE]: Texts;
  readonly [PLACE]: number;
}

/** One getter for all of them, added to objects without that member: V8 keeps the shape of the object then. */
const EVIDENCE = {
  enumerable: true,
  configurable: true,
  get(this: Restored): unknown {
    return JSON.parse(textAt(this[SOURCE], this[PLACE]));
  },
};

/**
 * The same, for evidence that `isWritten`: it is read when somebody looks, each time. Read at the start, that of 100,000
 * bans takes a third of a second and 100 MB.
 * @throws SyntaxError or ZodError for a row that this version did not write
 */
export const fromWrittenRow = (body: string, evidenceTexts: Texts, at: number): Entry => {
  if (body.endsWith(NO_EVIDENCE)) {
    const row = JSON.parse(`${body.slice(0, -NO_EVIDENCE.length)}}`) as object | null;
    if (row !== null && !('evidence' in row) && isEntry(row, true)) {
      Object.defineProperty(row, SOURCE, { value: evidenceTexts });
      Object.defineProperty(row, PLACE, { value: at });
      return Object.defineProperty(row, 'evidence', EVIDENCE) as Entry;
    }
  }
  return fromRow({ body, evidence: textAt(evidenceTexts, at) });
};

export interface BanRow {
  readonly subject: string;
  readonly since: number;
  readonly until: number | null;
  readonly level: number;
  readonly origin: string;
  readonly reason: string;
  readonly rules: string;
  readonly evidence: string;
}

export const toBanRow = (ban: BanEntry): BanRow => ({
  subject: plainText(ban.subject),
  since: ban.since,
  until: ban.until,
  level: ban.level,
  origin: ban.origin,
  reason: plainText(ban.reason),
  rules: JSON.stringify(ban.rules),
  evidence: JSON.stringify(ban.evidence),
});

/** @throws SyntaxError or ZodError for a row that this version did not write */
export const fromBanRow = (row: BanRow): BanEntry =>
  banSchema.parse({
    ...row,
    kind: 'ban',
    rules: JSON.parse(row.rules) as unknown,
    evidence: JSON.parse(row.evidence) as unknown,
  });
