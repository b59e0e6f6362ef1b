import { z } from 'zod';
import { messageFields } from '../enrich/index.ts';
import { canonicalIp } from '../model/index.ts';
import { DISGUISES } from './disguise.ts';

const MAX_CASES = 2_000;
const MAX_STEPS = 10_000;
const MAX_LIST = 64;

const words = z.string().min(1).max(200);
const address = z.string().transform((text, ctx): string => {
  const ip = canonicalIp(text);
  if (ip !== undefined) return ip;
  ctx.addIssue({ code: 'custom', message: 'must be an IP address' });
  return z.NEVER;
});
const transport = z.enum(['udp', 'tcp', 'tls', 'ws', 'wss', 'sctp']);
const names = z.array(words).max(MAX_LIST);

/** What is held against a source after its last message. */
export const VERDICTS = ['allow', 'throttle', 'quarantine', 'ban', 'deny'] as const;
export type CaseVerdict = (typeof VERDICTS)[number];

const expectation = z.strictObject({
  of: address.optional().describe('which source; left out: every one'),
  verdict: z.enum(VERDICTS).optional().describe('what is held against it after the last message'),
  rules: names.optional().describe('rules that must be among those found; none at all with []'),
  lacks: names.optional().describe('rules that must not be'),
  tool: words.optional().describe('the tool that a pack recognises, or none'),
  entry: words.optional().describe('the entry of the pack'),
  wire: words.optional().describe('the id of the shape of its first request'),
  flagged_at: z
    .union([z.int().min(1), z.literal('never')])
    .optional()
    .describe('by which of its messages, at the latest, it is quarantined or banned'),
});
export type Expectation = z.output<typeof expectation>;

const given = (...values: readonly unknown[]): number => values.filter((value) => value !== undefined).length;

const step = z
  .strictObject({
    ...messageFields,
    at: z.number().min(0).max(1e9).default(0).describe('seconds since the first'),
    from: address.optional(),
    port: z.int().min(1).max(65_535).default(5_060),
    transport: transport.optional(),
    times: z.int().min(1).max(MAX_STEPS).default(1).describe('so often'),
    every: z.number().min(0).max(86_400).default(0).describe('seconds between them'),
  })
  .refine(({ file, message: text, base64 }) => given(file, text, base64) === 1, {
    message: "needs one of 'file', 'message' and 'base64'",
  });

const caseSchema = z
  .strictObject({
    name: words,
    ...messageFields,
    timeline: z
      .union([z.string().min(1).max(1_024), z.array(step).min(1).max(MAX_STEPS)])
      .optional()
      .describe('a capture (pcap, HEP, JSONL) beside this file, or a list of messages with their times'),
    transport: transport.default('udp'),
    source: address.prefault('203.0.113.7'),
    server: address.optional().describe('which address of a capture is the server; found out when it is left out'),
    disguise: z
      .union([z.literal('all').transform(() => [...DISGUISES]), z.array(z.enum(DISGUISES)).min(1)])
      .default([])
      .describe('tried again with the User-Agent taken away, changed, folded, in capitals, doubled'),
    expect: z.union([expectation.transform((one) => [one]), z.array(expectation).min(1).max(MAX_LIST)]),
  })
  .refine(
    ({ file, message: text, base64, timeline }) => given(file, text, base64, timeline) === 1,
    "needs one of 'file', 'message', 'base64' and 'timeline'",
  )
  .refine(({ expect }) => expect.every((one) => Object.keys(one).some((key) => key !== 'of')), {
    path: ['expect'],
    message: 'expects nothing',
  });
export type Case = z.output<typeof caseSchema>;

export const casesSchema = z.strictObject({ cases: z.array(caseSchema).min(1).max(MAX_CASES) });
