import { escapeText } from '../../model/index.ts';
import type { DecisionEvent } from '../../model/index.ts';

const VERDICTS: Readonly<Record<DecisionEvent['change'], string>> = {
  ban: 'deny',
  deny: 'deny',
  quarantine: 'quarantine',
  throttle: 'throttle',
  'throttle-user': 'throttle',
  good: 'good',
  allow: 'allow',
  lift: 'lift',
  'false-alarm': 'false-alarm',
};

/** A value of our own words, or of an attacker's: no space, no quote, nothing that a pattern could stumble over. */
const word = (text: string): string => text.replaceAll(/[^A-Za-z0-9_.:/-]/g, '_').slice(0, 64) || '-';

/**
 * One line for fail2ban and its like, source first, attacker's text last, quoted and escaped:
 * `companion[1]: verdict=deny src=203.0.113.7 port=5060 proto=udp method=REGISTER reason=enumeration.distinct evidence="…"`.
 * `deny` stands for what is proven or ordered; quarantine and throttles, which forged packets can cause, never say so.
 * In shadow mode the verdict is `would-deny`.
 */
export const securityLine = (event: DecisionEvent, pid: number): string => {
  const verdict = `${event.shadow && event.change !== 'false-alarm' ? 'would-' : ''}${VERDICTS[event.change]}`;
  const time = new Date(event.at).toISOString();
  const fields = [
    `verdict=${verdict}`,
    `src=${word(event.change === 'lift' || event.ip === '' ? event.subject : event.ip)}`,
    `port=${event.port}`,
    `proto=${word(event.transport)}`,
    `method=${word(event.method)}`,
    `reason=${word(event.rules[0] ?? event.reason)}`,
    `evidence="${escapeText(event.evidence)}"`,
  ];
  return `${time} companion[${pid}]: ${fields.join(' ')}\n`;
};
