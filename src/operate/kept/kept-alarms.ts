import { z } from 'zod';
import type { DoubtKind, Judge } from '../../decide/index.ts';
import type { EpochMs } from '../../model/index.ts';
import type { Keepsake } from './kept.ts';

/** A customer that was not seen for so long is forgotten. */
const CUSTOMER_MS = 30 * 86_400_000;

const ruleNames = z.array(z.string().max(200)).max(50);
const alarmShape = z.object({ how: z.enum(['registered-before', 'registered-since']), rules: ruleNames });
const decisionShape = z.object({ rules: ruleNames });
const customerShape = z.object({ since: z.number() });

/**
 * Marks of false alarms, which weigh from the first request on; decisions that may turn out to be some, and the customers
 * by which they are told, which can come a moment later: whoever is registered is known from the ledger.
 */
export const keptAlarms = (
  { falseAlarms }: Pick<Judge, 'falseAlarms'>,
  falseAlarmMs: number,
  changed: (kind: DoubtKind, identity: string) => void,
): { readonly alarms: Keepsake; readonly doubts: readonly Keepsake[] } => {
  falseAlarms.watch(changed);
  const alarms: Keepsake = {
    kind: 'false-alarm',
    memoOf(key, now) {
      const alarm = falseAlarms.of(key, now);
      if (alarm === undefined) return undefined;
      const { at, until, how, rules } = alarm;
      return { at, until, body: JSON.stringify({ how, rules }) };
    },
    restore: ({ key, at, until, body }) =>
      falseAlarms.restoreAlarm({ subject: key, at, until, ...alarmShape.parse(JSON.parse(body)) }),
  };
  const decisions: Keepsake = {
    kind: 'decision',
    memoOf(key) {
      const decision = falseAlarms.decision(key);
      if (decision === undefined) return undefined;
      const { at, rules } = decision;
      return { at, until: at + falseAlarmMs, body: JSON.stringify({ rules }) };
    },
    restore: ({ key, at, body }) => falseAlarms.restoreDecision(key, { at, ...decisionShape.parse(JSON.parse(body)) }),
  };
  const customers: Keepsake = {
    kind: 'customer',
    memoOf(key) {
      const customer = falseAlarms.customer(key);
      if (customer === undefined) return undefined;
      const { since, seen: at }: { since: EpochMs; seen: EpochMs } = customer;
      return { at, until: at + CUSTOMER_MS, body: JSON.stringify({ since }) };
    },
    restore: ({ key, at, body }) =>
      falseAlarms.restoreCustomer(key, { seen: at, ...customerShape.parse(JSON.parse(body)) }),
  };
  return { alarms, doubts: [decisions, customers] };
};
