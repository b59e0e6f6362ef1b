import type { Severity } from '../../../model/index.ts';
import { VALIDATION_RULES } from './catalogue.ts';

/** One bit of Kamailio's `sanity_check(msg_checks, uri_checks)` and the rules of ours that look at the same. */
export interface SanityBit {
  readonly bit: number;
  /** What Kamailio checks. */
  readonly text: string;
  readonly rules: readonly string[];
  /** Where ours differs, or why there is none. */
  readonly note?: string;
}

/** First argument. Numbers as documented for the sanity module of Kamailio 5.6 to 6.1; 8 and 16 are switched off in its code. */
export const SANITY_BITS: readonly SanityBit[] = [
  { bit: 1, text: 'SIP version of the request line', rules: ['unsupported_version', 'invalid_request_line'] },
  { bit: 2, text: 'scheme of the Request-URI', rules: ['unsupported_scheme'] },
  {
    bit: 4,
    text: 'required headers',
    rules: ['missing_via', 'missing_from', 'missing_to', 'missing_call_id', 'missing_cseq'],
    note: "Kamailio's core drops such requests before a script can check them",
  },
  { bit: 8, text: 'SIP version of Via', rules: ['invalid_via'], note: 'does nothing in Kamailio' },
  { bit: 16, text: 'protocol of Via', rules: ['invalid_via'], note: 'does nothing in Kamailio' },
  { bit: 32, text: 'method of CSeq', rules: ['cseq_method_mismatch'] },
  { bit: 64, text: 'number of CSeq', rules: ['cseq_out_of_range', 'invalid_cseq'] },
  {
    bit: 128,
    text: 'Content-Length',
    rules: ['content_length_mismatch', 'invalid_content_length', 'content_length_conflict'],
    note: 'Kamailio also refuses datagrams that are longer than announced, which RFC 3261 18.3 has cut off',
  },
  { bit: 256, text: 'Expires', rules: ['invalid_expires', 'expires_out_of_range'] },
  {
    bit: 512,
    text: 'Proxy-Require',
    rules: ['invalid_proxy_require'],
    note: 'what is supported is for the server to say (420)',
  },
  { bit: 1_024, text: 'URIs, see the second number', rules: ['invalid_request_uri', 'invalid_from', 'invalid_to'] },
  { bit: 2_048, text: 'digest credentials', rules: ['invalid_authorization', 'invalid_proxy_authorization'] },
  { bit: 4_096, text: 'duplicate tags in To and From', rules: ['duplicate_tag', 'duplicate_parameter'] },
  { bit: 8_192, text: 'value of Authorization', rules: ['invalid_authorization', 'invalid_proxy_authorization'] },
  { bit: 16_384, text: 'the first Via', rules: ['invalid_via', 'duplicate_parameter'] },
  {
    bit: 32_768,
    text: 'what RFC 3261 asks for besides',
    rules: ['duplicate_header', 'invalid_call_id', 'invalid_contact'],
  },
  {
    bit: 65_536,
    text: 'sizes of headers and URIs',
    rules: ['oversized_header', 'oversized_message', 'too_many_headers'],
  },
];

/** Second argument: which URIs bit 1024 means. */
export const SANITY_URI_BITS: readonly SanityBit[] = [
  { bit: 1, text: 'Request-URI', rules: ['invalid_request_uri'] },
  { bit: 2, text: 'From', rules: ['invalid_from'] },
  { bit: 4, text: 'To', rules: ['invalid_to'] },
  { bit: 8, text: 'Contact', rules: ['invalid_contact'], note: 'does nothing in Kamailio' },
];

const PARSES_URIS = 1_024;

export interface SanityExplained {
  readonly checks: readonly SanityBit[];
  readonly uris: readonly SanityBit[];
  /** Bits that mean nothing here. */
  readonly unknown: number;
  readonly unknownUris: number;
  /** Our rules that cover the set bits, with their severity. */
  readonly rules: readonly { readonly rule: string; readonly severity: Severity }[];
}

const split = (bits: number, known: readonly SanityBit[]) => {
  const set = known.filter(({ bit }) => (bits & bit) !== 0);
  return { set, unknown: set.reduce((rest, { bit }) => rest - bit, bits) };
};

/** Takes the two numbers of `sanity_check("17895", "7")` apart. @param uriBits without it Kamailio checks all three URIs */
export const explainSanity = (bits: number, uriBits = 7): SanityExplained => {
  const checks = split(bits, SANITY_BITS);
  const uris = split(uriBits, SANITY_URI_BITS);
  const parsesUris = (bits & PARSES_URIS) !== 0;
  const named = [
    ...checks.set.filter(({ bit }) => bit !== PARSES_URIS).flatMap(({ rules }) => rules),
    ...(parsesUris ? uris.set.flatMap(({ rules }) => rules) : []),
  ];
  const rules = [...new Set(named)].map((rule) => ({
    rule,
    severity: VALIDATION_RULES.get(rule)?.severity ?? ('medium' as const),
  }));
  return {
    checks: checks.set,
    uris: parsesUris ? uris.set : [],
    unknown: checks.unknown,
    unknownUris: uris.unknown,
    rules,
  };
};
