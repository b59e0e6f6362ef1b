import type { Registration } from '../phone/index.ts';
import type { Enforcement } from './enforcement.ts';
import { paint, say, span } from './terminal.ts';
import type { Wire } from './wiretap.ts';

/** What one attack came to. */
export interface Attack {
  readonly name: string;
  readonly wire: Wire;
  readonly enforcement: Enforcement | undefined;
  readonly learned: readonly string[];
  /** Extensions that there are in the range that was scanned. */
  readonly existing: number;
}

const WIDTH = 24;
const line = (label: string, text: string): void => {
  say(`  ${label.padEnd(WIDTH)}${text}`);
};

const verdict = (good: boolean, text: string): string => paint(good ? 'green' : 'red', text);

/** `2 x 401`; nothing: `none`. */
const tally = (statuses: readonly number[]): string => {
  const counts = new Map<number, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts.size === 0 ? 'none' : [...counts].map(([status, count]) => `${count} x ${status}`).join(', ');
};

const showEnforcement = ({ wire, enforcement }: Attack): void => {
  const first = wire.sent[0];
  if (enforcement === undefined || first === undefined) {
    line('time to enforcement', paint('red', 'never enforced'));
    return;
  }
  const { heldAt } = enforcement;
  const before = wire.sent.filter((at) => at <= heldAt);
  // the decision's own time has whole milliseconds
  const crossing = wire.sent.findLast((at) => at < enforcement.decision.at + 1) ?? first;
  line('time to enforcement', paint('bold', `${span(heldAt - crossing)} after the packet that gave it away`));
  line('', `${span(heldAt - first)} after its first packet; by then it had sent ${before.length}`);
  line('', paint('dim', 'from the packet on the wire until Kamailio, asked for it, showed the entry'));
};

/** @returns whether the attacker got nothing and was stopped */
export const showAttack = (attack: Attack): boolean => {
  const { wire, enforcement, learned, existing } = attack;
  say(paint('bold', `  ${attack.name}`));
  showEnforcement(attack);
  const until = enforcement?.heldAt ?? Infinity;
  const [before, after] = [wire.answers.filter(({ at }) => at <= until), wire.answers.filter(({ at }) => at > until)];
  line(
    'answers it got',
    `${tally(before.map(({ status }) => status))} before enforcement, ${tally(after.map(({ status }) => status))} after (of ${wire.sent.length} requests)`,
  );
  line(
    'extensions learned',
    verdict(
      learned.length === 0,
      `${learned.length} of ${existing}${learned.length === 0 ? '' : `: ${learned.slice(0, 10).join(' ')}`}`,
    ),
  );
  say();
  return enforcement !== undefined && learned.length === 0;
};

/** @returns whether nothing happened to it */
export const showPhone = (user: string, registrations: readonly Registration[]): boolean => {
  const good = registrations.filter(({ status }) => status === 200);
  const worst = Math.max(0, ...registrations.map(({ latencyMs }) => latencyMs));
  const again = registrations.filter(({ sent }) => sent > 2).length;
  const unharmed = registrations.length > 0 && good.length === registrations.length;
  say(paint('bold', `  the phone of ${user}`));
  line(
    'registrations',
    verdict(unharmed, `${good.length} of ${registrations.length} answered 200, ${unharmed ? 'unharmed' : 'harmed'}`),
  );
  line('worst latency', `${span(worst)}${again === 0 ? '' : `, ${again} with retransmissions`}`);
  say();
  return unharmed;
};
