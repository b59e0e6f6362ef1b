import type { SipView } from '../../model/index.ts';
import type { AlarmRisk } from '../scanner-agents.ts';

/** A tool recognised by how it builds its messages. `detail` holds our own words, and never a secret. */
export interface WireMark {
  readonly tool: string;
  readonly detail: string;
  readonly risk: AlarmRisk;
}

/** Looks for the marks of one tool. Reads bounded values only (see SipView). */
export type MarkReader = (sip: SipView) => WireMark | null;

/** First value of a header by its lower-case name, or an empty string. */
export const headerValue = (sip: SipView, name: string): string =>
  sip.headers.find((header) => header.name.length === name.length && header.name.toLowerCase() === name)?.value ?? '';

/** The session name (`s=`) of an SDP body, or an empty string. RFC 8866 5.3. */
export const sessionName = (sip: SipView): string => {
  const start = sip.bodyStart.startsWith('s=') ? 0 : sip.bodyStart.indexOf('\ns=') + 1;
  if (start === 0 && !sip.bodyStart.startsWith('s=')) return '';
  const end = sip.bodyStart.indexOf('\n', start);
  return sip.bodyStart.slice(start + 2, end < 0 ? undefined : end).trim();
};
