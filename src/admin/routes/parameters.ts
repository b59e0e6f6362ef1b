import { z } from 'zod';
import { parseDuration } from '../../model/index.ts';

/** Longest CIDR text is 49 characters; longer ones are refused by the address parser, with its own sentence. */
export const subject = z.string().min(1).max(100).describe('an address or CIDR');
export const ip = z.string().min(1).max(100).describe('one address');
export const author = z.string().min(1).max(100).default('operator').describe('who asks, for the audit trail');
export const note = z.string().max(200).describe('what it is, or why');

/** How long, in one of two ways: text as on the command line, or milliseconds. */
export const lasting = {
  duration: z.string().max(40).optional().describe('90s, 15m, 4h, 7d or permanent'),
  durationMs: z.int().positive().nullable().optional().describe('milliseconds; null: no end'),
};

/** @throws CompanionError DURATION_INVALID */
export const lastingMs = (given: {
  readonly duration?: string | undefined;
  readonly durationMs?: number | null | undefined;
}): number | null | undefined => (given.duration === undefined ? given.durationMs : parseDuration(given.duration));

/** Rows of one request: what is longer comes in several, so that none of them holds up a verdict. */
export const MAX_IMPORT_ROWS = 500;

/** A row is read leniently: what is wrong with it is told in the report, and the others are taken. */
export const importing = {
  rows: z
    .array(
      z.strictObject({
        subject: z.string().max(200),
        note: z.string().max(2_000).optional(),
        until: z.number().nullable().optional().describe('milliseconds since 1970; null: no end'),
      }),
    )
    .max(MAX_IMPORT_ROWS),
  author,
  dryRun: z.boolean().optional().describe('look at every row, change nothing'),
  ...lasting,
};

export const none = z.strictObject({});
export const removing = z.strictObject({ subject, author });
