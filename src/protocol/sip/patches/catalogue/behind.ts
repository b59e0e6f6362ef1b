import type { Patch } from '../patch.ts';

/** Last releases in which the authors of the three advisories of February 2018 saw the crash. */
const UP_TO_15_2_0 = [{ last: '13.19.0' }, { from: '14', last: '14.7.5' }, { from: '15', last: '15.2.0' }] as const;

const BEFORE_14_4_1 = [{ fixed: '13.15.1' }, { from: '14', fixed: '14.4.1' }] as const;

/** What stands behind the server, and watches it. Whether it is there, and in which version, nobody tells us. */
export const BEHIND: readonly Patch[] = [
  {
    id: 'CVE-2017-9372',
    title: 'a long method in CSeq overflows the heap in PJSIP',
    advisory: 'ES2017-01, AST-2017-002',
    products: [{ product: 'asterisk', affected: BEFORE_14_4_1 }],
    acts: ['pre-parse', 'hook', 'proxy'],
    condition: { test: 'cseq-method-longer', bytes: 32 },
  },
  {
    id: 'AST-2017-003',
    title: 'a multipart body without its boundaries is read beyond its end in PJSIP',
    advisory: 'ES2017-02, AST-2017-003',
    products: [{ product: 'asterisk', affected: BEFORE_14_4_1 }],
    acts: ['hook', 'proxy'],
    condition: { test: 'multipart-malformed' },
  },
  {
    id: 'CVE-2018-7284',
    title: 'SUBSCRIBE with more than 32 Accept values overwrites the stack',
    advisory: 'ES2018-01, AST-2018-004',
    products: [{ product: 'asterisk', affected: UP_TO_15_2_0 }],
    acts: ['hook', 'proxy'],
    condition: {
      test: 'all',
      of: [
        { test: 'method', method: 'SUBSCRIBE' },
        { test: 'values-above', header: 'accept', count: 32 },
      ],
    },
  },
  {
    id: 'CVE-2018-1000099',
    title: 'a malformed fmtp attribute in SDP crashes PJSIP',
    advisory: 'ES2018-02, AST-2018-003',
    products: [{ product: 'asterisk', affected: [...UP_TO_15_2_0] }],
    acts: ['hook', 'proxy'],
    condition: { test: 'sdp-fmtp-malformed' },
  },
  {
    id: 'CVE-2018-1000098',
    title: 'a media format like 4294967296 in SDP crashes PJSIP',
    advisory: 'ES2018-03, AST-2018-002',
    products: [{ product: 'asterisk', affected: UP_TO_15_2_0 }],
    acts: ['hook', 'proxy'],
    condition: { test: 'sdp-format-above', payloadType: 127 },
  },
  {
    id: 'CVE-2021-41158',
    title: 'a phone that challenges a BYE gets the digest of a gateway password',
    advisory: 'ES2021-05, GHSA-3v3f-99mv-qvj4',
    products: [{ product: 'freeswitch', affected: [{ last: '1.10.6' }] }],
    acts: ['pre-parse', 'proxy'],
    condition: { test: 'reply', codes: [401, 407], method: 'BYE' },
    stopsLegal: 'carriers that challenge a BYE',
    byHand: 'only an operator knows whether a carrier challenges a BYE',
  },
  {
    id: 'ES2020-03',
    title: 'a long media type in SDP crashes sngrep',
    advisory: 'ES2020-03',
    products: [{ product: 'sngrep', affected: [{ fixed: '1.4.8' }] }],
    acts: ['hook', 'proxy'],
    // its buffer has 15 bytes; the longest registered type, application, has 11
    condition: { test: 'sdp-media-longer', bytes: 14 },
  },
  {
    id: 'ES2020-04',
    title: 'a long connection address in SDP crashes sngrep',
    advisory: 'ES2020-04',
    products: [{ product: 'sngrep', affected: [{ fixed: '1.4.8' }] }],
    acts: ['hook', 'proxy'],
    // an IPv6 address has 45 characters at most, a host name 253
    condition: { test: 'sdp-address-longer', bytes: 253 },
  },
  {
    id: 'sngrep-512',
    title: 'a Call-ID of thousands of bytes crashes sngrep',
    advisory: 'irontec/sngrep#512',
    products: [{ product: 'sngrep', affected: 'unknown' }],
    acts: ['pre-parse', 'hook', 'proxy'],
    condition: { test: 'value-longer', header: 'call-id', bytes: 512 },
    stopsLegal: 'every Call-ID of more than 512 bytes',
  },
  {
    id: 'CVE-2026-23457',
    title: "a Content-Length beyond 2^31 wraps in Linux' SIP connection tracking over TCP",
    advisory: 'CVE-2026-23457',
    products: [{ product: 'linux', affected: 'unknown' }],
    acts: ['pre-parse', 'proxy'],
    condition: { test: 'number-above', header: 'content-length', value: 2_147_483_647 },
  },
];
