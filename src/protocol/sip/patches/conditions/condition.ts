import type { HeaderName } from '../../message/index.ts';

/**
 * What a message must look like, as data. Everything here is a count, a length or a shape: no patch needs code of its
 * own, and what can be said of a header in front of its server is generated from the same words.
 */
export type Condition =
  | { readonly test: 'all'; readonly of: readonly Condition[] }
  | { readonly test: 'any'; readonly of: readonly Condition[] }
  | { readonly test: 'method'; readonly method: string }
  /** A reply of one of these codes to that method. */
  | { readonly test: 'reply'; readonly codes: readonly number[]; readonly method: string }
  /** More than one line of the header. */
  | { readonly test: 'repeated'; readonly header: HeaderName }
  /** A line of the header has a tag parameter without a value. */
  | { readonly test: 'empty-tag'; readonly header: HeaderName }
  /** A line of the header breaks its grammar (RFC 3261 25.1). */
  | { readonly test: 'breaks-grammar'; readonly header: HeaderName }
  /** A line of one of the headers ends within a quoted string. */
  | { readonly test: 'open-quote'; readonly headers: readonly HeaderName[] }
  /** Blanks between name and colon of a header that Kamailio's parser does not know by name. */
  | { readonly test: 'blank-before-colon' }
  | { readonly test: 'name-longer'; readonly bytes: number }
  | { readonly test: 'value-longer'; readonly header: HeaderName; readonly bytes: number }
  /** Decimal digits of more than this value. */
  | { readonly test: 'number-above'; readonly header: HeaderName; readonly value: number }
  /** All values of the header together, several in one line counted each. */
  | { readonly test: 'values-above'; readonly header: HeaderName; readonly count: number }
  /** Call-ID, CSeq number and method, From tag and the branch of the first Via, added up. */
  | { readonly test: 'transaction-key-longer'; readonly bytes: number }
  /** The method in CSeq is longer, and not the request's own method. */
  | { readonly test: 'cseq-method-longer'; readonly bytes: number }
  /** Digest credentials with an open quote, a parameter without value, or a name longer than this. */
  | { readonly test: 'digest-malformed'; readonly nameBytes: number }
  /** A claim of the token in Bearer credentials, read without its signature, holds quotes, backslashes or control characters. */
  | { readonly test: 'claim-with-quotes'; readonly claim: string }
  /** Text that a shell would run, where a header becomes an environment variable. */
  | { readonly test: 'shell-text' }
  /** Content-Type multipart without a boundary, or a body without its closing delimiter. */
  | { readonly test: 'multipart-malformed' }
  /** An fmtp attribute with NUL, or without colon or format. */
  | { readonly test: 'sdp-fmtp-malformed' }
  /** A number among the formats of a media line that is not rejected: larger than a payload type where it is RTP, or than 2^31. */
  | { readonly test: 'sdp-format-above'; readonly payloadType: number }
  | { readonly test: 'sdp-media-longer'; readonly bytes: number }
  | { readonly test: 'sdp-address-longer'; readonly bytes: number };

/** Conditions that look at the body: they need the whole message. */
export const BODY_TESTS: ReadonlySet<Condition['test']> = new Set([
  'multipart-malformed',
  'sdp-fmtp-malformed',
  'sdp-format-above',
  'sdp-media-longer',
  'sdp-address-longer',
]);
