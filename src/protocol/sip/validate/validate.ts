import type { Violation } from '../../../model/index.ts';
import { isParseFault, parseSip } from '../message/index.ts';
import type { ParseFault, SipMessage } from '../message/index.ts';
import { checkLines } from './checks/lines.ts';
import { checkStartLine } from './checks/start-line.ts';
import { checkWhole } from './checks/whole.ts';
import type { Arrival } from './checks/whole.ts';
import { Report } from './report.ts';

/** Which rules a message breaks, whatever the policy makes of it. Linear in the size of the message; never throws. */
export const findViolations = (message: SipMessage, arrival: Arrival): readonly Violation[] => {
  const report = new Report();
  checkStartLine(message, report);
  checkLines(message, report);
  checkWhole(message, arrival, report);
  return report.violations;
};

/** A Via line somewhere, whatever ends lines: what came is SIP with a broken first line, and could be answered. */
const VIA_LINE = /[\r\n](?:via|v)[ \t]{0,64}:/i;

/** A reply, whatever is wrong with its first line: nobody answers those. */
const REPLY = /^[\0- ]*SIP\//i;

/** What every message needs (RFC 3261 8.1.1). */
const MANDATORY = ['missing_via', 'missing_from', 'missing_to', 'missing_call_id', 'missing_cseq'];

const violationsOfFault = ({ fault, offset }: ParseFault, text: string): readonly Violation[] => {
  const report = new Report();
  if (fault === 'too-large') report.hit('oversized_message', offset);
  if (fault === 'no-headers') for (const rule of MANDATORY) report.hit(rule, offset);
  if (fault === 'not-sip') {
    report.hit('invalid_start_line', offset);
    if (!VIA_LINE.test(text)) report.hit('missing_via', offset);
  }
  return report.violations;
};

const isAnswerable = (fault: ParseFault['fault'], text: string): boolean =>
  !REPLY.test(text) && (fault === 'no-headers' || (fault === 'not-sip' && VIA_LINE.test(text)));

export interface Validated {
  /** The message, or undefined when the bytes are none. */
  readonly message: SipMessage | undefined;
  readonly fault: ParseFault | undefined;
  /** False for a reply, or no SIP at all: there is nobody to be answered, so that what is refused is dropped. */
  readonly answerable: boolean;
  readonly violations: readonly Violation[];
}

/** Parses and checks bytes as they came. Keep-alives break no rule: they are just no message. */
export const validateBytes = (bytes: Buffer, arrival: Arrival): Validated => {
  const message = parseSip(bytes);
  if (isParseFault(message)) {
    // larger ones are refused for their size alone
    const text = message.fault === 'too-large' ? '' : bytes.toString('latin1');
    const answerable = isAnswerable(message.fault, text);
    return { message: undefined, fault: message, answerable, violations: violationsOfFault(message, text) };
  }
  const violations = findViolations(message, arrival);
  return { message, fault: undefined, answerable: message.start.kind === 'request', violations };
};
