import type { DecisionEvent } from '../../model/index.ts';
import { watchDecisions, whyOf } from '../control.ts';
import { wallClock } from './wiretap.ts';

/** When an attacker was stopped. */
export interface Enforcement {
  /** Companion's decision. */
  readonly decision: DecisionEvent;
  /** When Kamailio, asked through companion, said that it holds it; the true moment is a little earlier. */
  readonly heldAt: number;
  readonly held: string;
}

export interface EnforcementWatch {
  /** The first enforcement against an address, if there has been one. */
  of(ip: string): Enforcement | undefined;
  close(): void;
}

const CONFIRM_TRIES = 500;
const AGAINST: readonly DecisionEvent['change'][] = ['ban', 'quarantine', 'throttle', 'deny'];

/** Follows companion's decisions, and asks for each first one against an address whether Kamailio has it. */
export const watchEnforcement = async (
  socket: string,
  tell: (event: DecisionEvent) => void,
): Promise<EnforcementWatch> => {
  const found = new Map<string, Enforcement>();
  const asked = new Set<string>();
  const confirm = async (decision: DecisionEvent): Promise<void> => {
    for (let tries = 0; tries < CONFIRM_TRIES; tries += 1) {
      const held = (await whyOf(socket, decision.ip))?.enforced.flatMap(({ holds }) => holds)[0];
      if (held === undefined) continue;
      found.set(decision.ip, { decision, heldAt: wallClock(), held });
      return;
    }
  };
  const close = await watchDecisions(socket, (event) => {
    tell(event);
    if (!AGAINST.includes(event.change) || asked.has(event.ip)) return;
    asked.add(event.ip);
    void confirm(event);
  });
  return { of: (ip) => found.get(ip), close };
};
