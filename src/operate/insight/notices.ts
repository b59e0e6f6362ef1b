import type { Finding, Outcome, Request, Verdict } from '../../model/index.ts';
import type { Alarms } from './alarms.ts';

/** Notices that stand at a time; there is room for other alarms beside them. */
const MAX_STANDING = 100;

/** Makes alarms of what detectors want the operator to know. */
export interface Notices {
  see(event: Request | Outcome, verdict: Verdict): void;
  /** What found no room. */
  readonly dropped: number;
}

const MAX_USER_CHARS = 40;

const nameOf = ({ rule, accused }: Finding, { source }: Request | Outcome): string => {
  if (accused.kind === 'nobody') return rule;
  return accused.kind === 'user'
    ? `${rule} ${accused.user.slice(0, MAX_USER_CHARS)}@${source.ip}`
    : `${rule} ${source.ip}`;
};

export const createNotices = (alarms: Pick<Alarms, 'set'>): Notices => {
  const standing = new Set<string>();
  let dropped = 0;
  return {
    see(event, { findings }) {
      for (const finding of findings) {
        if (finding.family !== 'notice') continue;
        const name = nameOf(finding, event);
        if (finding.ends === true) {
          if (standing.delete(name)) alarms.set(name, undefined);
        } else if (standing.has(name) || standing.size < MAX_STANDING) {
          standing.add(name);
          alarms.set(name, finding.evidence);
        } else dropped += 1;
      }
    },
    get dropped() {
      return dropped;
    },
  };
};
