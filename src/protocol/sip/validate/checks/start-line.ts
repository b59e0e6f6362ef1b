import {
  checkRequestUri,
  isStatusWithin,
  isVersion2,
  scanRequestLine,
  scanStatusLine,
  sipSchemeChars,
} from '../../grammar/index.ts';
import type { SipMessage } from '../../message/index.ts';
import { hitGrammar } from '../report.ts';
import type { Report } from '../report.ts';

const TEL = /^tel:/i;

/** `SIP/2.0 ` before the status code. */
const STATUS_OFFSET = 8;

/** RFC 3261 7.1, 7.2: the first line to the letter. */
export const checkStartLine = ({ text, start }: SipMessage, report: Report): void => {
  const { from, to, version } = start;
  // only line ends may stand before the start line (RFC 3261 7.5)
  for (let at = 0; at < from; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x0d && text.charCodeAt(at + 1) === 0x0a) at += 1;
    else if (code === 0x0d || code === 0x0a) report.hit(code === 0x0d ? 'bare_cr' : 'bare_lf', at);
    else report.hit(code === 0 ? 'null_bytes' : 'leading_blanks', at);
  }
  if (text.charCodeAt(to) === 0x0a) report.hit('bare_lf', to);
  if (!isVersion2(text, version.from, version.to)) report.hit('unsupported_version', version.from);
  if (start.kind === 'reply') {
    const scanned = scanStatusLine(text, from, to);
    if (scanned !== to) hitGrammar(report, text, scanned < 0 ? scanned : ~scanned, to, 'invalid_status_line');
    else if (!isStatusWithin(text, from + STATUS_OFFSET, from + STATUS_OFFSET + 3)) {
      report.hit('invalid_status_line', from + STATUS_OFFSET);
    }
    return;
  }
  const { uri } = start;
  const scanned = scanRequestLine(text, from, to);
  if (scanned < 0) {
    const inUri = ~scanned >= uri.from && ~scanned <= uri.to && uri.to + 1 === version.from;
    hitGrammar(report, text, scanned, to, inUri ? 'invalid_request_uri' : 'invalid_request_line');
    return;
  }
  const checked = checkRequestUri(text, uri.from, uri.to);
  if (checked < 0) report.hit('invalid_request_uri', ~checked);
  if (sipSchemeChars(text, uri.from, uri.to) === 0 && !TEL.test(text.slice(uri.from, uri.from + 4))) {
    report.hit('unsupported_scheme', uri.from);
  }
};
