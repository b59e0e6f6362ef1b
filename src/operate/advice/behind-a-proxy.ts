import type { Clock, DecisionEvent, EpochMs } from '../../model/index.ts';
import type { Alarms } from '../insight/alarms.ts';

/** Quarantine is renewed within minutes while there is evidence: after this long without, it is over. */
const OVER_MS = 3_600_000;
const NAME = 'behind-a-proxy';

/**
 * The alarm that one address stands for everybody: companion spares it, so that whoever attacks through it is only
 * quarantined. Evidence that may be forged would not have banned it, and is told as well: each customer behind it answers
 * a challenge for it. Stands in `status` and the metrics until an hour after it was last spared or quarantined.
 * @param carriesMany whether a large share of all customers comes from there
 */
export const createProxyAlarm = (alarms: Alarms, clock: Clock, carriesMany: (identity: string) => boolean) => {
  let last: EpochMs | undefined;
  return {
    see({ change, reason, subject }: DecisionEvent): void {
      if (!reason.endsWith(NAME) && (change !== 'quarantine' || !carriesMany(subject))) return;
      last = clock.now();
      alarms.set(
        NAME,
        `${subject} carries a large share of all customers and is quarantined, not banned: is this server behind a load balancer or NAT that hides addresses? Let it hand on the real ones: the allow list would spare whoever attacks through it as well.`,
      );
    },
    /** To be called now and then. */
    tick(): void {
      if (last === undefined || clock.now() - last < OVER_MS) return;
      last = undefined;
      alarms.set(NAME, undefined);
    },
  };
};
