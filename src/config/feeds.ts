import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { isHostName } from '../model/index.ts';
import { spanMs } from './duration.ts';

const MAX_FEEDS = 64;

const webUrl = z
  .string()
  .max(2_000)
  .refine((text) => {
    const url = URL.parse(text);
    return url !== null && /^https?:$/.test(url.protocol) && url.username === '';
  }, 'must be an http:// or https:// URL without a user name');

const apiKey = z
  .string({ error: 'must be text; put digits in quotes' })
  .regex(/^[\x21-\x7e]{1,256}$/, 'must be 1 to 256 printable characters without spaces');

const absolutePath = z.string().refine((text) => isAbsolute(text) && !text.includes('\0'), 'must be an absolute path');

/** No feed may be asked more often than it likes. */
const every = (usual: string, leastMs: number, least: string) =>
  spanMs.prefault(usual).refine((ms) => ms >= leastMs, `must be at least ${least}`);

const common = {
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'must be 1 to 32 letters, digits, dashes or underscores'),
  enabled: z.boolean().default(true),
  action: z
    .enum(['ban', 'challenge', 'log'])
    .default('ban')
    .describe('what strangers that it lists get: dropped, only the challenge, or nothing but a mention'),
};

const feed = z.discriminatedUnion('type', [
  z.strictObject({
    ...common,
    type: z.literal('apiban'),
    url: webUrl.default('https://apiban.org'),
    api_key: apiKey,
    version: z.union([z.literal(1), z.literal(2)]).default(2),
    set: z.enum(['sip', 'http', 'all']).default('sip'),
    every: every('4m', 240_000, '4m (its limit of requests)'),
  }),
  z.strictObject({
    ...common,
    type: z.literal('crowdsec'),
    url: webUrl.default('http://127.0.0.1:8080'),
    api_key: apiKey,
    origins: z
      .array(z.string().regex(/^[\w-]{1,64}$/))
      .max(20)
      .default([]),
    every: every('10s', 5_000, '5s'),
  }),
  z
    .strictObject({
      ...common,
      type: z.literal('list'),
      url: webUrl.optional(),
      file: absolutePath.optional(),
      every: every('4h', 60_000, '1m'),
    })
    .refine(({ url, file }) => (url === undefined) !== (file === undefined), "needs either 'url' or 'file'"),
  z.strictObject({
    ...common,
    type: z.literal('dnsbl'),
    zone: z.string().refine(isHostName, 'must be the name of a zone, for example dnsbl.example.org'),
    reversed: z.boolean().default(true).describe('the parts of the address the other way round, as RFC 5782 says'),
    every: every('1m', 10_000, '10s'),
  }),
  z.strictObject({
    ...common,
    type: z.literal('sentrypeer'),
    url: webUrl,
    api_key: apiKey.optional(),
    min_count: z.int().min(1).max(1_000_000).default(2),
    every: every('15m', 60_000, '1m'),
  }),
]);

export type FeedConfig = z.infer<typeof feed>;

/** Lists of other people's attackers. */
export const feedSettings = {
  feeds: z
    .array(feed)
    .max(MAX_FEEDS)
    .refine((feeds) => new Set(feeds.map(({ name }) => name)).size === feeds.length, 'must have different names')
    .default([])
    .describe("other people's lists of attackers: apiban, crowdsec, list, dnsbl, sentrypeer"),
  feed_policy: z
    .strictObject({
      quorum: z.int().min(1).max(10).default(2).describe('so many feeds must agree on a ban that lasts'),
      alone_for: spanMs.prefault('24h').describe('what fewer list is banned for this long, then only challenged'),
      push: z
        .int()
        .min(0)
        .max(100_000)
        .default(20_000)
        .describe(
          'listed addresses that come are put into each server, so many at most; companion answers for the rest',
        ),
    })
    .prefault({}),
};
