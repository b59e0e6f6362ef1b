import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { CompanionError, formatCidr, isHostName, parseCidr } from '../model/index.ts';

/** Static lists are for the operator's hand; feeds have their own room. */
const MAX_LIST_ENTRIES = 10_000;
const MAX_LIST_FILES = 100;
const MAX_PEERS = 1_000;
const MAX_PEER_PARTS = 1_000;

const cidrText = z.string({ error: 'must be an address or CIDR' }).transform((text, ctx): string => {
  try {
    return formatCidr(parseCidr(text));
  } catch (error) {
    if (!(error instanceof CompanionError)) throw error;
    ctx.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
});

/** `subject`: canonical CIDR, single addresses as /32 or /128 (the form of a ListEntry). */
export interface ListConfigEntry {
  readonly subject: string;
  readonly note: string;
}

/** A name whose addresses are on the list. `private`: also where it leads to private addresses. */
export interface NameConfigEntry {
  readonly name: string;
  readonly note: string;
  readonly private: boolean;
}

const note = z.string().max(200).default('');

const listText = cidrText.transform((subject): ListConfigEntry => ({ subject, note: '' }));
const named = (name: string): NameConfigEntry => ({ name, note: '', private: false });

const listEntry = z.union([
  listText,
  z
    .strictObject({ address: cidrText, note })
    .transform(({ address, note: said }): ListConfigEntry => ({ subject: address, note: said })),
]);

const hostName = z
  .string()
  .refine(isHostName, 'must be a name such as sip.example.com, or of services such as _sip._udp.example.com')
  .transform((text) => text.toLowerCase().replace(/\.$/, ''));

const allowText = z.string({ error: 'must be an address, a CIDR or a name' }).transform((text, ctx) => {
  const entry = isHostName(text) ? hostName.transform(named).safeParse(text) : listText.safeParse(text);
  if (entry.success) return entry.data;
  for (const { message } of entry.error.issues) ctx.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const allowEntry = z.union([
  allowText,
  z
    .strictObject({
      address: cidrText.optional(),
      name: hostName.optional(),
      note,
      private: z.boolean().default(false).describe('the name may lead to private addresses'),
    })
    .refine(({ address, name }) => (address === undefined) !== (name === undefined), {
      message: "needs either 'address' or 'name'",
    })
    .transform(({ address, name, note: said, ...rest }): ListConfigEntry | NameConfigEntry =>
      name === undefined ? { subject: address ?? '', note: said } : { name, note: said, private: rest.private },
    ),
]);

/** What a peer is spared; what is not named is looked at. */
const SPARED = ['rate', 'scan', 'passwords', 'validation'] as const;

const peer = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 letters, digits, dots, dashes, underscores'),
  addresses: z.array(cidrText).max(MAX_PEER_PARTS).default([]),
  names: z.array(hostName).max(MAX_PEER_PARTS).default([]).describe('names, and names of services (_sip._udp.…)'),
  private: z.boolean().default(false).describe('its names may lead to private addresses'),
  note,
  skip: z
    .union([z.literal('all'), z.array(z.enum(SPARED)).max(SPARED.length)])
    .default('all')
    .describe('rate, scan, passwords, validation: what it is spared; a request that fails what is left is dropped'),
  requests_per_second: z.int().min(1).max(1_000_000).optional().describe('more of its requests are dropped'),
});

export type PeerConfig = z.infer<typeof peer>;

const listFile = z.strictObject({
  file: z.string().refine((text) => isAbsolute(text) && !text.includes('\0'), 'must be an absolute path'),
  kind: z.enum(['allow', 'deny']),
  note,
});

/** The operator's lists. */
export const listSettings = {
  allow: z.array(allowEntry).max(MAX_LIST_ENTRIES).default([]).describe('addresses, networks and names'),
  deny: z.array(listEntry).max(MAX_LIST_ENTRIES).default([]),
  lists: z
    .array(listFile)
    .max(MAX_LIST_FILES)
    .refine((files) => new Set(files.map(({ file }) => file)).size === files.length, 'must be different files')
    .default([])
    .describe('files of addresses, read again when they change'),
  peers: z
    .array(peer)
    .max(MAX_PEERS)
    .refine((peers) => new Set(peers.map(({ name }) => name)).size === peers.length, 'must have different names')
    .default([])
    .describe('carriers and trunks: on the allow list, each with what it is spared'),
};
