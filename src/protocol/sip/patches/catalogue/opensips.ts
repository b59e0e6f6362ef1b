import type { Patch } from '../patch.ts';
import { BROKEN_VIA, HONEST_VIA } from './kamailio.ts';

/** Most crashes found by the audit of 2022 were fixed in the same releases. */
const BEFORE_3_2_4 = [{ fixed: '3.1.7' }, { from: '3.2', fixed: '3.2.4' }] as const;

/** Names of digest parameters have 8 characters at most. */
const DIGEST_NAME_BYTES = 64;

export const OPENSIPS: readonly Patch[] = [
  {
    id: 'CVE-2023-27598',
    title: 'a malformed Via crashes the making of To tags (sl_send_reply)',
    advisory: 'GHSA-wxfg-3gwh-rhvx',
    products: [{ product: 'opensips', affected: BEFORE_3_2_4 }],
    acts: ['hook', 'proxy'],
    condition: BROKEN_VIA,
    stopsLegal: HONEST_VIA,
  },
  {
    id: 'CVE-2023-27599',
    title: 'an open quote in a parameter of To aborts the parser (parse_to_param)',
    advisory: 'GHSA-qvj2-vqrg-f5jx',
    products: [{ product: 'opensips', affected: BEFORE_3_2_4 }],
    acts: ['pre-parse', 'proxy'],
    condition: { test: 'open-quote', headers: ['to', 'from'] },
  },
  {
    id: 'CVE-2023-28097',
    title: 'a huge Content-Length crashes the parser where much shared memory is configured',
    advisory: 'GHSA-c6j5-f4h4-2xrq',
    products: [{ product: 'opensips', affected: [{ fixed: '3.1.9' }, { from: '3.2', fixed: '3.2.6' }] }],
    acts: ['pre-parse', 'proxy'],
    condition: { test: 'number-above', header: 'content-length', value: 2_147_483_647 },
  },
  {
    id: 'CVE-2023-28098',
    title: 'broken digest parameters are read beyond their end (parse_param_name)',
    advisory: 'GHSA-jrqg-vppj-hr2h',
    products: [{ product: 'opensips', affected: BEFORE_3_2_4 }],
    acts: ['pre-parse', 'hook', 'proxy'],
    condition: { test: 'digest-malformed', nameBytes: DIGEST_NAME_BYTES },
  },
  {
    id: 'CVE-2026-25554',
    title: 'quotes in the tag claim of a token change the SQL query of auth_jwt',
    advisory: 'OpenSIPS/opensips#3807',
    products: [{ product: 'opensips', affected: [{ from: '3.1', fixed: '3.6.4' }] }],
    acts: ['hook', 'proxy'],
    condition: { test: 'claim-with-quotes', claim: 'tag' },
  },
  {
    id: 'CVE-2026-45538',
    title: 'a header name of more than 255 bytes overflows the stack in sip_to_json',
    advisory: 'GHSA-37wc-5j8j-95x3',
    products: [{ product: 'opensips', affected: [{ last: '4.0.0' }] }],
    acts: ['pre-parse', 'hook', 'proxy'],
    condition: { test: 'name-longer', bytes: 255 },
  },
];
