import { destination, pino } from 'pino';
import type { Logger } from 'pino';
import { escapeText } from '../model/index.ts';
import type { DecisionEvent, TraceEvent } from '../model/index.ts';

export type Log = Logger;

/** JSON lines on standard output. Secrets never reach it: nothing that holds one is logged. */
export const createLog = (level: string): Log =>
  pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: ['token', 'secret', '*.token', '*.secret'] },
    destination({ dest: 1, sync: false }),
  );

/** Fields of the line that `--debug` gives each judged event. */
export const judgedLine = (event: TraceEvent): Record<string, unknown> => ({
  ...event,
  event: 'judged',
  what: escapeText(event.what),
  user: escapeText(event.user),
  target: escapeText(event.target),
  userAgent: escapeText(event.userAgent),
  findings: event.findings.map(({ rule, points, evidence }) => ({ rule, points, evidence: escapeText(evidence) })),
});

/** Fields of the one line that a decision gets. What may quote an attacker is escaped, bounded and last. */
export const decisionLine = (event: DecisionEvent): Record<string, unknown> => ({
  event: 'decision',
  change: event.change,
  src: event.ip,
  port: event.port,
  proto: event.transport,
  method: event.method,
  subject: event.subject,
  node: event.node,
  state: event.state,
  answer: event.answer,
  rules: event.rules,
  until: event.until === null ? null : new Date(event.until).toISOString(),
  shadow: event.shadow,
  reason: event.reason,
  evidence: escapeText(event.evidence),
});
