import { headerGrammar, isPlainVia, scanAnyValue } from '../../grammar/index.ts';
import type { Scanner } from '../../grammar/index.ts';
import { HEADER_NAMES, headerIdOf, headerNameOf, LINE, OTHER_HEADER, SINGLETONS } from '../../message/index.ts';
import type { SipMessage } from '../../message/index.ts';
import { invalidRuleOf, VALIDATION_RULES } from '../catalogue.ts';
import { hitGrammar } from '../report.ts';
import type { Report } from '../report.ts';

/** Longer values are legal and come from nobody honest; RFC 4475 longreq has 2,000 characters in one. */
const MAX_VALUE_BYTES = 8_192;

interface Judged {
  readonly scan: Scanner;
  readonly rule: string;
  readonly single: boolean;
  /** Strict does not refuse for it. */
  readonly forgiven: boolean;
}

const CONTENT_LENGTH = headerIdOf('content-length');
const USER_AGENT = headerIdOf('user-agent');
const VIA = headerIdOf('via');
const SERVER = headerIdOf('server');

/** `FPBX-16.0(18.20)`, `name@host`: products write what they like. Markup and control characters are no product's. */
const isOddProduct = (text: string, from: number, to: number): boolean =>
  scanAnyValue(text, from, to) === to && !/[<>"\\]/.test(text.slice(from, to));

/** By header id, so that no name is looked up per message. */
const JUDGED: readonly Judged[] = Array.from({ length: HEADER_NAMES.length + 1 }, (_, id) => {
  const name = headerNameOf(id);
  const scan = id === OTHER_HEADER ? undefined : headerGrammar(name);
  const rule = scan === undefined ? 'invalid_header_value' : invalidRuleOf(name);
  const forgiven = VALIDATION_RULES.get(rule)?.actions.strict !== 'reject';
  return { scan: scan ?? scanAnyValue, rule, single: SINGLETONS.has(id), forgiven };
});

const checkForm = (message: SipMessage, line: number, flags: number, report: Report): void => {
  const at = message.nameStart(line);
  if ((flags & LINE.noColon) !== 0) report.hit('header_without_colon', at);
  if ((flags & (LINE.emptyName | LINE.badName)) !== 0) {
    if (message.name(line).includes('\0')) report.hit('null_bytes', at);
    report.hit('invalid_header_name', at);
  }
  if ((flags & LINE.blankBeforeColon) !== 0) report.hit('space_before_colon', message.nameEnd(line));
  if ((flags & LINE.folded) !== 0) report.hit('folded_header', at);
  if ((flags & LINE.bareLf) !== 0) report.hit('bare_lf', message.lineEnd(line) - 1);
  if ((flags & LINE.bareCr) !== 0) {
    const colon = message.nameEnd(line);
    report.hit('bare_cr', colon + message.text.slice(colon, message.lineEnd(line)).search(/\r(?!\n)/));
  }
};

/** Each header line for itself: its form, its value by the grammar of its header, and whether it may come again. */
export const checkLines = (message: SipMessage, report: Report): void => {
  const { text, count } = message;
  let seenLow = 0;
  let seenHigh = 0;
  for (let line = 0; line < count; line += 1) {
    const flags = message.flags(line);
    if (flags !== 0) {
      checkForm(message, line, flags, report);
      if ((flags & LINE.noColon) !== 0) continue;
    }
    const id = message.id(line);
    const { scan, rule, single, forgiven } = JUDGED[id]!;
    const from = message.valueStart(line);
    const to = message.valueEnd(line);
    if (to - from > MAX_VALUE_BYTES) report.hit('oversized_header', from);
    const scanned = id === VIA && isPlainVia(message.bytes, from, to) ? to : scan(text, from, to);
    if (scanned !== to) {
      const odd = (id === USER_AGENT || id === SERVER) && isOddProduct(text, from, to);
      hitGrammar(report, text, scanned < 0 ? scanned : ~scanned, to, odd ? 'odd_user_agent' : rule);
      // a fault against its own grammar may be forgiven, but every value is text at least (RFC 3261 25.1)
      const asText = forgiven ? scanAnyValue(text, from, to) : to;
      if (asText < 0) report.hit('invalid_header_value', ~asText);
    }
    if (!single) continue;
    const bit = 1 << (id & 31);
    const seen = id < 32 ? seenLow : seenHigh;
    if ((seen & bit) === 0) {
      if (id < 32) seenLow |= bit;
      else seenHigh |= bit;
    } else {
      const differs = id === CONTENT_LENGTH && message.value(line) !== message.value(message.first(id));
      report.hit(differs ? 'content_length_conflict' : 'duplicate_header', message.nameStart(line));
    }
  }
  if (message.overflow) report.hit('too_many_headers', text.length - 1);
};
