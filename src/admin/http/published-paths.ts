import { z } from 'zod';

/** What `decisions.ts` answers, as CrowdSec's LAPI words it. */
const decision = z.object({
  id: z.int().describe('the same for the same address in each answer'),
  origin: z.literal('companion'),
  type: z.literal('ban'),
  scope: z.enum(['Ip', 'Range']),
  value: z.string().describe('address or network'),
  duration: z.string().describe("what is left of it, in Go's words: 3h59m58s"),
  until: z.iso.datetime().optional().describe('left out: without end'),
  scenario: z.string(),
  simulated: z.literal(false),
});
const decisions = z.array(decision).nullable().describe('null: none');

const schemaOf = (type: z.ZodType): object => {
  const { $schema: _, ...schema } = z.toJSONSchema(type);
  return schema;
};

interface Published {
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly query?: { readonly name: string; readonly description: string; readonly schema: object } | undefined;
  readonly mediaType: string;
  readonly answer: object;
}

const PUBLISHED: readonly Published[] = [
  {
    path: '/v1/decisions/stream',
    operationId: 'decisions.stream',
    summary:
      'Bans and the deny list for bouncers of CrowdSec: all of it, then what has changed since this reader last asked',
    query: {
      name: 'startup',
      description: 'everything, not only what is new',
      schema: { type: 'boolean', default: false },
    },
    mediaType: 'application/json',
    answer: schemaOf(z.object({ new: decisions, deleted: decisions })),
  },
  {
    path: '/v1/decisions',
    operationId: 'decisions.list',
    summary: 'What stands against an address, or everything, as CrowdSec words it',
    query: { name: 'ip', description: 'one address; left out: all', schema: { type: 'string' } },
    mediaType: 'application/json',
    answer: schemaOf(decisions),
  },
  {
    path: '/v1/blocklist',
    operationId: 'blocklist',
    summary: 'Banned and denied addresses and networks, one a line; # begins a remark',
    mediaType: 'text/plain',
    answer: { type: 'string' },
  },
];

/** Bouncers send their key in a header of its own. */
export const KEY_SCHEME = { type: 'apiKey', in: 'header', name: 'X-Api-Key' } as const;

/** The paths of bans for others, in OpenAPI 3.1. @param refusal the answer to what is refused */
export const publishedPaths = (refusal: object): Readonly<Record<string, Record<string, object>>> =>
  Object.fromEntries(
    PUBLISHED.map(({ path, operationId, summary, query, mediaType, answer }) => [
      path,
      {
        get: {
          operationId,
          summary,
          description: 'Needs the scope `read`.',
          security: [{ token: [] }, { key: [] }],
          parameters: query === undefined ? [] : [{ ...query, in: 'query', required: false }],
          responses: {
            '200': { description: 'Done', content: { [mediaType]: { schema: answer } } },
            default: refusal,
          },
        },
      },
    ]),
  );
