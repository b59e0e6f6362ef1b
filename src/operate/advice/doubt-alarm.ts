import type { Clock, DecisionEvent, EpochMs } from '../../model/index.ts';
import type { Alarms } from '../insight/alarms.ts';

const OVER_MS = 3_600_000;
const NAME = 'false-alarm';
/** Addresses that are told apart: one forged flood can be sent in the name of all customers. */
const MAX_COUNTED = 10_000;

/**
 * The alarm that a decision seems to have hit a customer, for operators who look at `status` and not at the log. Stands
 * until an hour after the last one.
 */
export const createDoubtAlarm = (alarms: Alarms, clock: Clock) => {
  const seen = new Set<string>();
  let last: EpochMs | undefined;
  return {
    see({ change, subject, rules, reason }: DecisionEvent): void {
      if (change !== NAME) return;
      last = clock.now();
      if (seen.size < MAX_COUNTED) seen.add(subject);
      const others = seen.size === 1 ? '' : `; ${seen.size} addresses since this began`;
      alarms.set(
        NAME,
        `${subject} was decided against for ${rules.join(' ')}, but ${reason}${others}: look at 'companion why ${subject}'`,
      );
    },
    /** To be called now and then. */
    tick(): void {
      if (last === undefined || clock.now() - last < OVER_MS) return;
      last = undefined;
      seen.clear();
      alarms.set(NAME, undefined);
    },
  };
};
