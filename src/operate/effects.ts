import type {
  Change,
  Clock,
  DecisionEvent,
  Enforcer,
  Entry,
  FalseAlarm,
  Finding,
  Outcome,
  Records,
  Request,
  Verdict,
} from '../model/index.ts';
import { MODE_REHEARSED, RULE_REHEARSED, auditDetail } from './insight/attack-report.ts';
import type { AddressLists } from './lists/address-lists.ts';

/** Who or what made the changes. */
export type Cause =
  | { readonly by: 'event'; readonly event: Request | Outcome; readonly verdict: Verdict }
  /** `bulk`: part of a long import, which has one line of audit for all of it. */
  | { readonly by: 'operator'; readonly author: string; readonly bulk?: boolean }
  | { readonly by: 'companion'; readonly node: string };

export interface EffectsParts {
  readonly mode: 'shadow' | 'enforce';
  readonly clock: Clock;
  readonly lists: AddressLists;
  readonly records: Records;
  readonly enforcers: () => readonly Enforcer[];
  readonly publish: (event: DecisionEvent) => void;
  /** The program that a source last came with, for the audit trail. */
  readonly agentOf?: (identity: string) => string;
  /** Told when one of the receivers threw; the others got the changes nevertheless. */
  readonly onBug?: (error: unknown) => void;
}

export interface Effects {
  /** Carries the changes to lists, enforcers, database, audit and watchers, in this order. Never throws, never waits. */
  push(changes: readonly Change[], cause: Cause): void;
  /** Changes so far, by kind; `failed`: deliveries to one receiver that threw. */
  readonly counts: Readonly<Record<string, number>>;
}

const subjectOf = (entry: Entry): string => {
  switch (entry.kind) {
    case 'good':
      return `${entry.ip}:${entry.port}`;
    case 'throttle-user':
    case 'ban':
    case 'quarantine':
    case 'throttle':
    case 'allow':
    case 'deny':
      return entry.subject;
  }
};

/** Shadow mode: known-good and allow entries are no harm and make the rehearsal true; everything else is only recorded. */
const enforcedInShadow = ({ entry }: Change): boolean => entry.kind === 'good' || entry.kind === 'allow';

const METHOD = /^[A-Z]{2,12}$/;

/** The method in question; what is no plain word is an attacker's and called OTHER. */
const methodOf = (event: Request | Outcome): string => {
  if (event.kind === 'outcome' && event.type !== 'auth' && event.type !== 'reply')
    return event.type === 'registered' ? 'REGISTER' : '';
  const method = event.kind === 'request' ? event.sip.method : event.method;
  return METHOD.test(method) ? method : 'OTHER';
};

const rulesOf = (entry: Entry, findings: readonly Finding[]): readonly string[] => {
  if ((entry.kind === 'ban' || entry.kind === 'quarantine') && entry.rules.length > 0) return entry.rules;
  return [...new Set(findings.map(({ rule }) => rule))];
};

const evidenceOf = (entry: Entry, findings: readonly Finding[]): string => {
  const said = findings.at(-1)?.evidence;
  if (said !== undefined) return said;
  return entry.kind === 'ban' || entry.kind === 'quarantine' ? (entry.evidence.at(-1)?.text ?? '') : '';
};

export const createEffects = (parts: EffectsParts): Effects => {
  const { mode, clock, lists, records } = parts;
  const counts: Record<string, number> = {};

  const eventOf = (change: Change, cause: Cause, rehearsed = false): DecisionEvent => {
    const { entry } = change;
    const judged = cause.by === 'event' ? cause : undefined;
    const findings = (rehearsed ? judged?.verdict.shadow?.findings : judged?.verdict.findings) ?? [];
    return {
      at: clock.now(),
      node: judged?.event.node ?? (cause.by === 'companion' ? cause.node : ''),
      ip: judged?.event.source.ip ?? '',
      port: judged?.event.source.port ?? 0,
      transport: judged?.event.source.transport ?? '',
      method: judged === undefined ? '' : methodOf(judged.event),
      change: change.op === 'put' ? entry.kind : 'lift',
      subject: subjectOf(entry),
      answer: judged?.event.kind === 'request' ? judged.verdict.answer : '',
      state: judged?.verdict.state ?? 'stranger',
      rules: rulesOf(entry, findings),
      until: change.op === 'put' ? entry.until : null,
      reason: change.op === 'put' ? entry.reason : `${entry.kind} ${change.why}`,
      evidence: evidenceOf(entry, findings),
      shadow: rehearsed || mode === 'shadow',
      ...(cause.by === 'operator' && cause.bulk === true ? { bulk: true } : {}),
    };
  };

  const actionOf = ({ op }: Change, actor: string, rehearsed: boolean): string => {
    if (rehearsed) return RULE_REHEARSED;
    if (op === 'remove') return 'remove';
    return mode === 'shadow' && actor === 'detector' ? MODE_REHEARSED : 'add';
  };

  const audit = (change: Change, cause: Cause, rehearsed = false): void => {
    const { entry } = change;
    if (entry.kind === 'good') return;
    const actor = cause.by === 'operator' ? cause.author : cause.by === 'event' ? 'detector' : 'companion';
    const agent = cause.by === 'event' ? (parts.agentOf?.(cause.event.source.identity) ?? '') : '';
    records.audit({
      at: clock.now(),
      actor,
      action: `${entry.kind}.${actionOf(change, actor, rehearsed)}`,
      subject: subjectOf(entry),
      detail: auditDetail(entry.reason, agent),
    });
  };

  const count = (kind: string): void => {
    counts[kind] = (counts[kind] ?? 0) + 1;
  };
  /** What one receiver cannot take must not keep the ban from the others. */
  const deliver = (hand: () => void): void => {
    try {
      hand();
    } catch (error) {
      count('failed');
      parts.onBug?.(error);
    }
  };

  const falseAlarm = (alarm: FalseAlarm, cause: Extract<Cause, { readonly by: 'event' }>): void => {
    const { event, verdict } = cause;
    const { subject, how, until } = alarm;
    count('false-alarm');
    const { ip, port, transport } = event.source;
    const decision: DecisionEvent = {
      at: clock.now(),
      node: event.node,
      ip,
      port,
      transport,
      method: methodOf(event),
      change: 'false-alarm',
      subject,
      answer: event.kind === 'request' ? verdict.answer : '',
      state: verdict.state,
      rules: alarm.rules,
      until,
      reason: how === 'registered-before' ? 'customers registered there before' : 'a customer registered there since',
      evidence: '',
      shadow: mode === 'shadow',
    };
    deliver(() =>
      records.audit({
        at: decision.at,
        actor: 'detector',
        action: 'false-alarm',
        subject,
        detail: `${decision.reason}; rules: ${alarm.rules.join(' ')}`,
      }),
    );
    deliver(() => parts.publish(decision));
  };

  /** What is told of a verdict besides its changes: nothing of it reaches a list, an enforcer or what is held. */
  const beside = (cause: Extract<Cause, { readonly by: 'event' }>): void => {
    const { shadow, falseAlarm: alarm } = cause.verdict;
    for (const change of shadow?.changes ?? []) {
      deliver(() => audit(change, cause, true));
      count(`shadow-${change.entry.kind}`);
      deliver(() => parts.publish(eventOf(change, cause, true)));
    }
    if (alarm !== undefined) falseAlarm(alarm, cause);
  };

  return {
    counts,
    push(changes, cause) {
      if (cause.by === 'event') beside(cause);
      if (changes.length === 0) return;
      for (const change of changes) deliver(() => lists.apply(change));
      const enforced = mode === 'enforce' ? changes : changes.filter(enforcedInShadow);
      if (enforced.length > 0) for (const enforcer of parts.enforcers()) deliver(() => enforcer.apply(enforced));
      const now = clock.now();
      const isBulk = cause.by === 'operator' && cause.bulk === true;
      for (const change of changes) {
        deliver(() => records.remember(change, now));
        if (!isBulk) deliver(() => audit(change, cause));
        count(change.op === 'put' ? change.entry.kind : `lift-${change.entry.kind}`);
        deliver(() => parts.publish(eventOf(change, cause)));
      }
    },
  };
};
