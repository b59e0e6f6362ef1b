import type { Condition } from '../conditions/index.ts';
import type { Patch } from '../patch.ts';

/** Both crashes of 2018 were fixed in the same releases. */
const BEFORE_5_1_4 = [{ fixed: '5.0.7' }, { from: '5.1', fixed: '5.1.4' }] as const;

/** Shared by two patches: one look at each Via is enough for both. */
export const BROKEN_VIA: Condition = { test: 'breaks-grammar', header: 'via' };

/** Honest senders break that grammar too. */
export const HONEST_VIA = 'Via of honest phones: branches with / or =, hosts with _, IPv6 zones, a last ;';

export const KAMAILIO: readonly Patch[] = [
  {
    id: 'CVE-2018-8828',
    title: 'long tag, branch and Call-ID overflow the heap by one byte in tmx (t_precheck_trans)',
    advisory: 'ES2018-05',
    products: [
      {
        product: 'kamailio',
        affected: [{ fixed: '4.4.7' }, { from: '5.0', fixed: '5.0.6' }, { from: '5.1', fixed: '5.1.2' }],
      },
    ],
    acts: ['pre-parse', 'proxy'],
    // five fields with their four ends were put into a buffer of 256 bytes, or of just their size when longer, and then a
    // fifth end; CSeq is counted with the blank between its parts
    condition: { test: 'transaction-key-longer', bytes: 252 },
    stopsLegal: 'RFC 4475 longreq',
  },
  {
    id: 'CVE-2018-14767',
    title: 'a second To and an empty To tag crash the building of replies',
    advisory: 'Kamailio security announcement of July 2018',
    products: [{ product: 'kamailio', affected: BEFORE_5_1_4 }],
    acts: ['pre-parse', 'hook', 'proxy'],
    condition: {
      test: 'all',
      of: [
        { test: 'repeated', header: 'to' },
        { test: 'empty-tag', header: 'to' },
      ],
    },
  },
  {
    id: 'CVE-2018-16657',
    title: 'an invalid Via crashes the checksum of To tags and the check of its address',
    advisory: 'Kamailio security announcement of July 2018',
    products: [{ product: 'kamailio', affected: BEFORE_5_1_4 }],
    acts: ['pre-parse', 'proxy'],
    condition: BROKEN_VIA,
    stopsLegal: HONEST_VIA,
  },
  {
    id: 'CVE-2020-28361',
    title: 'blanks before the colon hide an extension header from remove_hf',
    advisory: 'ES2020-01',
    products: [{ product: 'kamailio', affected: [{ fixed: '5.4.0' }] }],
    acts: ['pre-parse', 'hook', 'proxy'],
    condition: { test: 'blank-before-colon' },
    stopsLegal: 'headers with a blank before the colon (RFC 3261 7.3.1) that Kamailio 5.3 had no name for',
  },
  {
    id: 'kamailio-4920',
    title: 'a Call-ID of 49 bytes overflows the stack in lrkproxy',
    advisory: 'kamailio/kamailio#4920',
    products: [{ product: 'kamailio', affected: [{ from: '6.0' }] }],
    acts: ['pre-parse', 'hook', 'proxy'],
    condition: { test: 'value-longer', header: 'call-id', bytes: 48 },
    stopsLegal: 'every Call-ID of more than 48 bytes, as many phones send',
    byHand: 'only servers with the module lrkproxy are affected',
  },
  {
    id: 'kamailio-exec',
    title: 'header values reach the environment of commands that exec runs',
    advisory: 'documentation of the module exec (setvars)',
    products: [{ product: 'kamailio', affected: 'unknown' }],
    acts: ['hook', 'proxy'],
    condition: { test: 'shell-text' },
    stopsLegal: 'names and User-Agents with a backtick or $(',
    byHand: 'only servers that run commands with the module exec are affected',
  },
];
