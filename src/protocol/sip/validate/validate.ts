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

/** Bytes behind a broken first line that are searched for it. */
const SEARCHED_BYTES = 4_096;

const violationsOfFault = (fault: ParseFault, bytes: Buffer): readonly Violation[] => {
  const report = new Report();
  if (fault.fault === 'too-large') report.hit('oversized_message', fault.offset);
  if (fault.fault === 'not-sip' || fault.fault === 'no-headers') report.hit('invalid_start_line', fault.offset);
  if (fault.fault === 'not-sip' && !VIA_LINE.test(bytes.toString('latin1', 0, SEARCHED_BYTES))) {
    report.hit('missing_via', fault.offset);
  }
  return report.violations;
};

export interface Validated {
  /** The message, or undefined when the bytes are none. */
  readonly message: SipMessage | undefined;
  readonly fault: ParseFault | undefined;
  /** A reply, or no SIP at all: there is nobody to be answered, so that what is refused is dropped. */
  readonly answerable: boolean;
  readonly violations: readonly Violation[];
}

/** Parses and checks bytes as they came. Keep-alives break no rule: they are just no message. */
export const validateBytes = (bytes: Buffer, arrival: Arrival): Validated => {
  const message = parseSip(bytes);
  if (isParseFault(message)) {
    const violations = violationsOfFault(message, bytes);
    const answerable = message.fault === 'not-sip' && violations.length === 1;
    return { message: undefined, fault: message, answerable, violations };
  }
  const violations = findViolations(message, arrival);
  return { message, fault: undefined, answerable: message.start.kind === 'request', violations };
};
