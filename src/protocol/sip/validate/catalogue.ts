import type { Severity, ValidationAction, ValidationMode } from '../../../model/index.ts';
import { headerGrammar, isCoreHeader } from '../grammar/index.ts';
import { HEADER_NAMES } from '../message/index.ts';

/** One rule of the validator: what it is about, and what follows from breaking it. */
export interface ValidationRule {
  readonly name: string;
  readonly severity: Severity;
  /** Status with which a server refuses such a message. */
  readonly code: number;
  readonly actions: Readonly<Record<ValidationMode, ValidationAction>>;
  /** One sentence for a human, and where the rule comes from. */
  readonly text: string;
}

/** Permissive refuses only what makes two readers see two messages; strict what the standard forbids; paranoid more. */
const CRITICAL = { permissive: 'reject', strict: 'reject', paranoid: 'reject' } as const;
const FORBIDDEN = { permissive: 'count', strict: 'reject', paranoid: 'reject' } as const;
const MINOR = { permissive: 'log', strict: 'reject', paranoid: 'reject' } as const;
/** Against the letter of the standard, or odd, and sent by honest software all the same. */
const TOLERATED = { permissive: 'log', strict: 'count', paranoid: 'reject' } as const;
const NOTED = { permissive: 'log', strict: 'log', paranoid: 'count' } as const;

const rule = (
  name: string,
  severity: Severity,
  actions: ValidationRule['actions'],
  text: string,
  code = 400,
): ValidationRule => ({ name, severity, code, actions, text });

const SINGLE_RULES: readonly ValidationRule[] = [
  rule(
    'invalid_start_line',
    'high',
    FORBIDDEN,
    'The first line is neither a request line nor a status line (RFC 3261 7.1, 7.2).',
  ),
  rule(
    'invalid_request_line',
    'high',
    FORBIDDEN,
    'Method, one SP, Request-URI, one SP, SIP/2.0, and nothing else (RFC 3261 7.1).',
  ),
  rule(
    'invalid_request_uri',
    'medium',
    MINOR,
    'The Request-URI is no URI, or holds what none there may hold (RFC 3261 19.1.1).',
  ),
  rule(
    'invalid_status_line',
    'high',
    FORBIDDEN,
    'SIP/2.0, one SP, three digits from 100 to 699, one SP, text (RFC 3261 7.2).',
  ),
  rule('unsupported_version', 'high', FORBIDDEN, 'The version is not SIP/2.0 (RFC 3261 7.1).', 505),
  rule(
    'unsupported_scheme',
    'medium',
    TOLERATED,
    'A Request-URI that is neither sip, sips nor tel (RFC 3261 8.2.2.1).',
    416,
  ),
  rule('missing_via', 'high', FORBIDDEN, 'No Via (RFC 3261 8.1.1).'),
  rule('missing_from', 'high', FORBIDDEN, 'No From (RFC 3261 8.1.1).'),
  rule('missing_to', 'high', FORBIDDEN, 'No To (RFC 3261 8.1.1).'),
  rule('missing_call_id', 'high', FORBIDDEN, 'No Call-ID (RFC 3261 8.1.1).'),
  rule('missing_cseq', 'high', FORBIDDEN, 'No CSeq (RFC 3261 8.1.1).'),
  rule('missing_max_forwards', 'medium', NOTED, 'No Max-Forwards (RFC 3261 8.1.1); RFC 2543 had none.'),
  rule('missing_from_tag', 'medium', NOTED, 'From without tag (RFC 3261 8.1.1.3); RFC 2543 allowed it.'),
  rule('missing_contact', 'medium', TOLERATED, 'An INVITE without Contact (RFC 3261 8.1.1.8).'),
  rule('missing_content_type', 'medium', TOLERATED, 'A body without Content-Type (RFC 3261 7.4.1).', 415),
  rule('missing_content_length', 'medium', MINOR, 'No Content-Length on a stream (RFC 3261 20.14).'),
  rule('content_length_mismatch', 'high', FORBIDDEN, 'Content-Length is larger than what came (RFC 3261 18.3).'),
  rule(
    'content_length_conflict',
    'critical',
    CRITICAL,
    'Two Content-Lengths that differ: readers disagree where the message ends.',
  ),
  rule('trailing_bytes', 'medium', NOTED, 'Bytes behind the body; they are cut off (RFC 3261 18.3).'),
  rule(
    'header_without_colon',
    'critical',
    CRITICAL,
    'A header line without colon, or with a fold before it (RFC 3261 7.3.1).',
  ),
  rule('invalid_header_name', 'critical', CRITICAL, 'A header name that is empty or no token (RFC 3261 25.1).'),
  rule('invalid_header_value', 'medium', MINOR, 'The value of an unknown header is no text (RFC 3261 25.1).'),
  rule(
    'space_before_colon',
    'medium',
    NOTED,
    'Blanks before the colon: legal, and a way round naive filters (CVE-2020-28361).',
  ),
  rule('bare_lf', 'high', FORBIDDEN, 'Lines that end with LF alone (RFC 3261 7): some readers see other lines.'),
  rule('bare_cr', 'high', FORBIDDEN, 'CR without LF in a header (RFC 3261 25.1): some readers see the end of a line.'),
  rule('unterminated_headers', 'high', FORBIDDEN, 'No blank line ends the headers (RFC 3261 7).'),
  rule(
    'null_bytes',
    'critical',
    CRITICAL,
    'NUL outside of the body and of quoted pairs: text ends there for C programs.',
  ),
  rule('binary_injection', 'critical', CRITICAL, 'Control characters outside of the body and of quoted pairs.'),
  rule('too_many_headers', 'high', FORBIDDEN, 'More header lines than are looked at.'),
  rule('oversized_message', 'high', FORBIDDEN, 'More than 65,535 bytes.', 513),
  rule('oversized_header', 'medium', TOLERATED, 'A header value of more than 8,192 bytes.'),
  rule(
    'duplicate_header',
    'high',
    FORBIDDEN,
    'A header twice of which there may be one: readers disagree which counts (RFC 3261 7.3.1).',
  ),
  rule('duplicate_tag', 'high', FORBIDDEN, 'Two tags in From or To (RFC 3261 7.3.1; CVE-2018-14767).'),
  rule('duplicate_parameter', 'high', FORBIDDEN, 'A parameter twice in From, To or Via (RFC 3261 7.3.1).'),
  rule('cseq_method_mismatch', 'high', FORBIDDEN, 'The method of CSeq is not that of the request (RFC 3261 8.1.1.5).'),
  rule('cseq_out_of_range', 'high', FORBIDDEN, 'CSeq is 2^31 or more (RFC 3261 8.1.1.5).'),
  rule('max_forwards_out_of_range', 'medium', MINOR, 'Max-Forwards is above 255 (RFC 3261 20.22).'),
  rule('port_out_of_range', 'medium', MINOR, 'A port above 65,535 in the Request-URI or the topmost Via.'),
  rule('expires_out_of_range', 'medium', TOLERATED, 'Expires is 2^32 or more (RFC 3261 20.19).'),
  rule(
    'via_invalid_branch',
    'medium',
    TOLERATED,
    'The topmost Via has no branch of RFC 3261 (8.1.1.7); RFC 2543 had none.',
  ),
  rule(
    'folded_header',
    'medium',
    NOTED,
    'A header folded over several lines: legal, deprecated, and a way round naive filters.',
  ),
  rule(
    'odd_user_agent',
    'medium',
    NOTED,
    'User-Agent or Server against the grammar in a way in which honest products are.',
  ),
  rule(
    'leading_blanks',
    'critical',
    CRITICAL,
    'Blanks or control characters before the start line: servers skip them, filters do not.',
  ),
  rule(
    'unreadable',
    'critical',
    CRITICAL,
    'The server read a message that is none to us: what cannot be judged is not let through.',
  ),
  rule(
    'host_with_underscore',
    'medium',
    MINOR,
    'An underscore in a host name: against RFC 3261 25.1, and common in container networks.',
  ),
];

/**
 * What only informs is no reason to refuse a call: RFC 4475 3.1.2.12 says so of Date. Each reply of Asterisk to OPTIONS has
 * `Accept-Encoding: text/plain`, and ring tones and intercoms are asked for by `Alert-Info: Bellcore-dr1` and
 * `Call-Info: answer-after=0`.
 */
const LENIENT: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'alert-info',
  'call-info',
  'content-language',
  'date',
  'error-info',
  'in-reply-to',
  'mime-version',
  'organization',
  'priority',
  'retry-after',
  'timestamp',
  'warning',
]);

const ROUTING: ReadonlySet<string> = new Set(['via', 'from', 'to', 'call-id', 'cseq', 'content-length']);

export const invalidRuleOf = (header: string): string => `invalid_${header.replaceAll('-', '_')}`;

/** One rule for each header with a grammar of its own: its value must be of it. */
const GRAMMAR_RULES: readonly ValidationRule[] = HEADER_NAMES.filter((name) => headerGrammar(name) !== undefined).map(
  (name) => {
    const text = `The value of ${name} is against its grammar${isCoreHeader(name) ? ' (RFC 3261 25.1)' : ''}.`;
    if (name === 'content-length') return rule(invalidRuleOf(name), 'critical', CRITICAL, text);
    if (ROUTING.has(name)) return rule(invalidRuleOf(name), 'high', FORBIDDEN, text);
    const tolerated = !isCoreHeader(name) || LENIENT.has(name);
    return rule(invalidRuleOf(name), 'medium', tolerated ? TOLERATED : MINOR, text);
  },
);

/** Every rule, by name. */
export const VALIDATION_RULES: ReadonlyMap<string, ValidationRule> = new Map(
  [...SINGLE_RULES, ...GRAMMAR_RULES].map((one) => [one.name, one]),
);
