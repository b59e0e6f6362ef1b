import { z } from 'zod';
import { canonicalHeader } from './headers.ts';
import { TEXT_FEATURES, type TextFeature } from './features.ts';
import { likeProblem } from './like.ts';
import { isWireId } from './shape.ts';
import { SIPVICIOUS_TAGS } from './sipvicious-tag.ts';

/** A pack is written by hand; what is longer belongs into a detector. */
const MAX_ENTRIES = 500;
const MAX_LIST = 32;
const MAX_MESSAGES = 64;
/** The largest UDP datagram. */
const MAX_MESSAGE_CHARS = 65_535;

const words = z.string().regex(/^[ -~]{1,256}$/, 'must be 1 to 256 printable ASCII characters');
const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be 1 to 63 small letters, digits, dots, dashes or underscores');
const like = words.superRefine((text, ctx) => {
  const problem = likeProblem(text);
  if (problem !== undefined) ctx.addIssue({ code: 'custom', message: problem });
});

const plainTest = z.strictObject({
  is: z.string().max(256).optional().describe('the whole value'),
  one_of: z.array(words).min(1).max(MAX_LIST).optional(),
  starts: words.optional(),
  ends: words.optional(),
  contains: words.optional(),
  like: like.optional().describe('a pattern for the whole value: characters, [a-f0-9], {8}, {1,10}, * at the end'),
  any_case: z.boolean().default(false).describe('ASCII letters in any case'),
});

/** A text alone means: is exactly that. */
const textTest = z.union([
  words.transform((is) => ({ is, any_case: false })),
  plainTest.extend({ not: plainTest.optional() }),
]);
export type TextTest = z.output<typeof textTest>;
export type PlainTest = z.output<typeof plainTest>;

const header = z
  .string()
  .regex(/^[A-Za-z0-9.!%*_+`'~-]{1,64}$/, 'must be the name of a header')
  .transform(canonicalHeader);
const headers = z.array(header).min(1).max(MAX_LIST);

const texts = Object.fromEntries(TEXT_FEATURES.map((feature) => [feature, textTest.optional()])) as Record<
  TextFeature,
  z.ZodOptional<typeof textTest>
>;

/** What is compared with one another: a text, or the Via branch behind its magic cookie and dashes. */
const comparable = z.enum([...TEXT_FEATURES, 'branch_value']);

const match = z
  .strictObject({
    ...texts,
    header: z
      .record(header, textTest)
      .refine((tests) => Object.keys(tests).length <= MAX_LIST, `has more than ${MAX_LIST} headers`)
      .optional()
      .describe('first value of a header by its name, in any spelling; absent is an empty text'),
    has: headers.optional().describe('these headers are there'),
    lacks: headers.optional().describe('these are not'),
    order: headers.optional().describe('these are there in this order, whatever stands between them'),
    cseq: z
      .union([
        z
          .int()
          .min(0)
          .transform((number) => ({ min: number, max: number })),
        z.strictObject({ min: z.int().min(0).default(0), max: z.int().min(0).default(4_294_967_295) }),
      ])
      .optional(),
    same: z
      .array(z.tuple([comparable, comparable]))
      .min(1)
      .max(MAX_LIST)
      .optional()
      .describe('pairs of texts that are equal and not empty'),
    sipvicious_tag: z
      .array(z.enum(SIPVICIOUS_TAGS))
      .min(1)
      .optional()
      .describe('what sipvicious wrote into the From tag'),
    tricks: z.array(words).min(1).max(MAX_LIST).optional().describe('all of these tricks of spelling'),
    wire: z
      .union([z.string().transform((id) => [id]), z.array(z.string()).min(1).max(MAX_LIST)])
      .refine((ids) => ids.every(isWireId), 'must be an id as companion shows it: w1- and eight hex digits')
      .optional(),
  })
  .refine((conditions) => Object.keys(conditions).length > 0, 'needs at least one condition');
export type MatchConditions = z.output<typeof match>;

/** A message: a file beside the one that names it, its text (line ends become CRLF), or Base64. */
export const messageFields = {
  file: z.string().min(1).max(1_024).optional().describe('a message, beside this file'),
  message: z.string().min(1).max(MAX_MESSAGE_CHARS).optional().describe('its text; line ends become CRLF'),
  base64: z
    .base64()
    .max(2 * MAX_MESSAGE_CHARS)
    .optional(),
};

/** Exactly one of the three is given. */
export interface MessageSource {
  readonly file?: string | undefined;
  readonly message?: string | undefined;
  readonly base64?: string | undefined;
}

const oneMessage = z
  .strictObject(messageFields)
  .refine(
    ({ file, message, base64 }) => [file, message, base64].filter((given) => given !== undefined).length === 1,
    "needs one of 'file', 'message' and 'base64'",
  );

const entry = z.strictObject({
  name,
  tool: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$/, 'must be 1 to 40 letters, digits, blanks, dots or dashes'),
  versions: words.optional(),
  risk: z
    .enum(['low', 'medium', 'high'])
    .describe('of hitting a customer: low an attack tool only, high also operators'),
  detail: words.describe('what gives it away, for whoever asks why'),
  source: words.describe('where that is known from'),
  match,
  tests: z
    .strictObject({
      matches: z.array(oneMessage).min(1).max(MAX_MESSAGES),
      spares: z.array(oneMessage).max(MAX_MESSAGES).default([]),
    })
    .optional(),
});
export type PackEntry = z.output<typeof entry>;

/** A pack of known tools. A later pack replaces entries of an earlier one by their name, or switches them off. */
export const packSchema = z
  .strictObject({
    pack: name,
    off: z.array(name).max(MAX_ENTRIES).default([]).describe('entries of other packs that are not to match'),
    entries: z.array(entry).max(MAX_ENTRIES).default([]),
  })
  .superRefine(({ entries }, ctx) => {
    const seen = new Set<string>();
    for (const [index, { name: own }] of entries.entries()) {
      if (seen.has(own)) ctx.addIssue({ code: 'custom', path: ['entries', index, 'name'], message: 'is there twice' });
      seen.add(own);
    }
  });
export type ToolPack = z.output<typeof packSchema>;
