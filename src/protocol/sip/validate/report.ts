import type { Violation } from '../../../model/index.ts';
import { VALIDATION_RULES } from './catalogue.ts';

/** A message that breaks more than these is bad enough; the rest is not listed. */
const MAX_VIOLATIONS = 32;

const NONE: readonly Violation[] = [];

/** Collects what the checks find; each rule once, where it was seen first. */
export class Report {
  #found: Violation[] | undefined;

  hit(rule: string, offset: number): void {
    this.#found ??= [];
    if (this.#found.length >= MAX_VIOLATIONS || this.#found.some((violation) => violation.rule === rule)) return;
    const known = VALIDATION_RULES.get(rule);
    if (known === undefined) throw new Error(`no such validation rule: ${rule}`);
    this.#found.push({ rule, severity: known.severity, offset });
  }

  get violations(): readonly Violation[] {
    return this.#found ?? NONE;
  }
}

const UNDERSCORE = 0x5f;
const CR = 0x0d;
const LF = 0x0a;

/** Where hosts stand by RFC 3261. There only they refuse an underscore: tokens, users and quoted strings hold it. */
const WITH_HOSTS: ReadonlySet<string> = new Set([
  'invalid_request_uri',
  'invalid_request_line',
  'invalid_via',
  'invalid_from',
  'invalid_to',
  'invalid_contact',
  'invalid_route',
  'invalid_record_route',
  'invalid_reply_to',
]);

/**
 * Names a fault of the grammar. Control characters at it or behind it are worse than the rest: for C programs text ends
 * at NUL, and terminals obey the others.
 * @param fault result of a scanner, negative
 * @param end where the value ends
 */
export const hitGrammar = (report: Report, text: string, fault: number, end: number, rule: string): void => {
  for (let at = ~fault; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0) report.hit('null_bytes', at);
    else if (code === CR) {
      if (text.charCodeAt(at + 1) !== LF) report.hit('bare_cr', at);
    } else if ((code < 0x20 && code !== 0x09 && code !== LF) || code === 0x7f) report.hit('binary_injection', at);
  }
  const isHost = text.charCodeAt(~fault) === UNDERSCORE && WITH_HOSTS.has(rule);
  report.hit(isHost ? 'host_with_underscore' : rule, ~fault);
};
