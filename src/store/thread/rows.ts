import { z } from 'zod';
import { entryKey, type BanEntry, type Entry } from '../../model/index.ts';
import { withoutEvidence } from '../bounds.ts';

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

/** @throws SyntaxError or ZodError for a row that this version did not write */
export const fromRow = (row: { readonly body: string; readonly evidence: string | null }): Entry => {
  const body = JSON.parse(row.body) as object;
  return entrySchema.parse(row.evidence === null ? body : { ...body, evidence: JSON.parse(row.evidence) as unknown });
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
